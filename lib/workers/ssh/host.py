"""The resident worker of one machine: detached there, minded from here."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import asyncssh

from lib.child import exit_sentence
from lib.clock import Clock
from lib.errors import ExitStatus, JobRunnerError
from lib.spool import HostUnreachable, InvalidSpoolData
from lib.spool.layout import CLIENT_BELL, MAX_LINE_CHARACTERS, ON_THE_WAY
from lib.workers.ssh import sftp as over
from lib.workers.ssh.connecting import printable
from lib.workers.ssh.control import Place
from lib.workers.ssh.machine import SshMachine
from lib.workers.ssh.sftp_files import SftpFiles
from lib.workers.ssh.thread import Overdue
from lib.workers.worker_death import WorkerDeath

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.25  # before a restart; doubled by each death that follows soon
_LONGEST_PAUSE_S: Final = 30.0
_SETTLED_AFTER_S: Final = 20.0  # a worker that lived this long is no part of a crash loop
_LOOK_S: Final = 2.0  # between looks at a worker whose end would be told anyway
_BEGIN_S: Final = 60.0  # one that was started otherwise has its grace, too
_RESTART_S: Final = 25.0  # for `restart`, which may take 30
_KIND: Final = "2"  # of what a worker is asked over its spool: one that knows less of it is replaced
_TAIL_BYTES: Final = 8192
_TAIL_LINES: Final = 20
_STARTS_WITHIN: Final = 200  # looks until a start that never came about is begun anew
_POLL_S: Final = 0.1
_BACK_WITHIN_S: Final = 5.0  # a connection that is wanted for an end
#: Statuses of deaths without one: the machine was started anew; nobody knows.
_REBOOTED: Final = int(ExitStatus.UNAVAILABLE)
_LOST: Final = -9
_SIGNALS: Final = 64


@dataclass(frozen=True, slots=True)
class SshWorkerSetup:
    """What the worker of a machine is started with. Paths are the machine's; relative ones begin at its home.

    `command` are the words before `work`: the machine's own Python and our program. `environ` holds no
    secret: anyone there can see it. `grace_s` is how long the job at hand may take after a wish to
    stop.
    """

    command: Sequence[str]  # as in ("/home/me/venv/bin/python", "-P", "-m", "synth.main")
    folder: str  # of the spool, the log and what is noted of the process
    engine: str
    voices_dir: str
    clock: Clock
    grace_s: float = 30.0
    pauses: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def argv(self) -> list[str]:
        """All words that start it."""
        words = ["env", *(f"{name}={value}" for name, value in sorted(self.environ.items()))]
        words = (words if self.environ else []) + [*self.command, "work", "--spool", f"{self.folder}/spool"]
        words += ["--voices-dir", self.voices_dir, "--engine", self.engine]
        words += [] if self.pauses is None else ["--pauses", self.pauses]
        return [*words, "--grace", str(self.grace_s)]

    def place(self) -> Place:
        """Where it is kept, with a word that changes when it is to be started otherwise."""
        argv = self.argv()
        which = hashlib.sha256(json.dumps([_KIND, *argv]).encode()).hexdigest()[:16]
        return Place(f"{self.folder}/spool", f"{self.folder}/run", which, argv)


class SshHost:
    """A `WorkerHost` on a machine reached by SSH.

    The worker runs in a session of its own there: a dropped connection, or the end of this process, leaves it
    at work, and the next watcher finds it. What happens to it is looked at in the thread of the connections;
    `tend` only takes in what is known.

    Threads: as `WorkerHost`; `close` the loop's.
    Raises: only `files` and `log`, as they say.
    """

    remote = True

    def __init__(self, name: str, machine: SshMachine, setup: SshWorkerSetup) -> None:
        self.name, self.machine = name, machine.name
        self._machine, self._setup, self._clock = machine, setup, setup.clock
        self._place = setup.place()
        self._files = SftpFiles(machine, self._place, on_end=self._heard)
        self._lock = threading.Lock()  # of what the two threads share: the next four
        self._deaths: deque[WorkerDeath] = deque()
        self._looking: Future[None] | None = None
        self._look_now = True
        self._next_look = 0.0
        self._alone = asyncio.Lock()  # in the thread: one order after the other
        self._reported = ""  # the process whose end was told
        self._started = self._not_before = self._pause = 0.0
        self._starting = 0
        self._owed = False  # an end that the machine was not there for

    def files(self) -> SftpFiles:
        """The spool's files; each call of theirs says when the machine does not answer."""
        return self._files

    def tend(self) -> WorkerDeath | None:
        """Have the worker looked at, and what comes next begun; report a death once."""
        with self._lock:
            if self._look_now or self._clock.monotonic() >= self._next_look:
                self._look_now = True
                if self._looking is None or self._looking.done():
                    self._looking = self._begin(self._look_after())
            death = self._deaths.popleft() if self._deaths else None
        self._files.look_ahead(ON_THE_WAY)
        return death

    @property
    def folder(self) -> str:
        """Where it is kept on the machine: spool, log, and what is noted of it."""
        return self._setup.folder

    def begin(self) -> None:
        """Start the worker where none runs; returns when it is on its way. Any thread.

        Whoever tends it hears of every end all the same.

        Raises:
            HostUnreachable: the machine does not answer, or its earlier worker does not end.
        """
        try:
            self._machine.thread.call(self._come_about(), _BEGIN_S)
        except (Overdue, RuntimeError):
            raise HostUnreachable(f"The worker of {self.name} does not come up.") from None

    def restart(self) -> None:
        """End the worker's session now; the next `tend` starts another. Unreachable: once it is back."""
        self._settle(self._restart(), _RESTART_S)
        self._look_soon()

    def stop(self, grace: float) -> None:
        """Ask the worker to finish the piece at hand and end; after `grace` seconds its session is ended."""
        self._settle(self._stop(grace), grace + _RESTART_S)
        self._look_soon()

    def is_settled(self) -> bool:
        """Whether nothing is being looked at or begun on the machine because of an earlier `tend`."""
        with self._lock:
            return self._looking is None or self._looking.done()

    def log(self, limit: int, offset: int = 0) -> bytes:
        """What the worker wrote for people, from an offset on: whoever follows it reads nothing twice.

        Raises:
            HostUnreachable: the machine does not answer.
            InvalidSpoolData: its log is no plain file.
        """
        folder = self._setup.folder

        async def read(sftp: asyncssh.SFTPClient) -> bytes:
            try:
                return await over.read_part(sftp, folder, "run/log", limit, offset)
            except FileNotFoundError:
                return b""

        return self._machine.with_sftp(read)

    def close(self) -> None:
        """Let go of the session there; the worker goes on."""
        self._files.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> Future[None] | None:
        try:
            return self._machine.thread.begin(work)
        except RuntimeError:  # the thread has ended: so does this process
            return None

    def _settle(self, work: Coroutine[Any, Any, None], timeout_s: float) -> None:
        """Do it, and wait for it; the reason why it cannot be done is told, not raised."""
        try:
            self._machine.thread.call(work, timeout_s)
        except (Overdue, RuntimeError):
            log.warning("%s does not say whether its worker has ended", self.name)

    # --- in the thread of the connections ----------------------------------------------------------------

    def _heard(self) -> None:
        """The end of a worker was heard of, or the machine is there again: look at the next `tend`."""
        with self._lock:
            self._look_now = True
        self._files.ring(CLIENT_BELL)  # the loop waits there

    async def _come_about(self) -> None:
        """Look until one that was started as this one is runs, or was begun just now."""
        before = self._started
        while self._started == before:
            how = (await self._files.control.ask("p")).split()
            if how[:1] == ["running"] and how[3:] == [self._place.which]:
                return
            self._look_soon()
            await self._look_after()
            if self._started == before:
                await asyncio.sleep(_POLL_S)

    async def _look_after(self) -> None:
        """See how the worker is, take in its end, and start one where none runs. Never raises."""
        async with self._alone:
            try:
                while self._takes_look():
                    if self._owed:
                        await self._end_now()
                    await self._mind(await self._files.control.ask("p"))
            except (HostUnreachable, InvalidSpoolData) as error:
                log.debug("%s cannot be looked after: %s", self.name, error)
            except Exception as error:  # whatever it is, the next look is due all the same
                log.error("%s cannot be looked after: %s", self.name, error)

    def _takes_look(self) -> bool:
        """Whether a look is wanted; it is done now."""
        with self._lock:
            wanted, self._look_now = self._look_now, False
            if wanted:
                self._next_look = self._clock.monotonic() + _LOOK_S
        return wanted

    async def _mind(self, report: str) -> None:
        how, *facts = report.split()
        match how:
            case "none":
                await self._start()
            case "running":
                self._starting = 0
                if facts[2:] != [self._place.which]:
                    log.warning("the worker of %s was started otherwise, it is replaced", self.name)
                    await self._files.control.ask("q")
            case "starting":
                self._starting += 1
                self._look_soon()
                await asyncio.sleep(_POLL_S / 2)
                if self._starting > _STARTS_WITHIN:
                    await self._end_now()
            case "ended" | "lost" | "rebooted" if len(facts) >= 3:
                await self._take_in_end(how, facts)
                self._look_soon()
            case _:
                raise HostUnreachable(f"{self.name} says of its worker what nobody understands.")

    async def _start(self) -> None:
        now = self._clock.monotonic()
        if now < self._not_before:
            with self._lock:
                self._next_look = self._not_before
            return
        self._started, self._starting = now, 0
        await self._files.control.ask("s")
        self._look_soon()

    async def _take_in_end(self, how: str, facts: Sequence[str]) -> None:
        """Report an end that nobody asked for, once, and let the next worker come after a pause."""
        process, asked = f"{facts[0]} {facts[1]}", facts[3:] == ["asked"]
        if not asked and process != self._reported:
            status = _status(how, facts[2])
            death = WorkerDeath(status, _sentence(how, status), await self._tail(), how == "rebooted")
            now = self._clock.monotonic()
            settled = now - self._started >= _SETTLED_AFTER_S
            self._pause = (
                _FIRST_PAUSE_S if settled else min(max(self._pause * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            )
            self._not_before = now + self._pause
            self._reported = process
            try:
                await self._bury()
            finally:
                with self._lock:
                    self._deaths.append(death)
                self._files.ring(CLIENT_BELL)
            return
        await self._bury()

    async def _bury(self) -> None:
        """Have forgotten that it ran; what it started may live on in its session, and ends."""
        await self._files.control.ask("k")

    async def _tail(self) -> tuple[str, ...]:
        """The worker's last lines; none where they cannot be had."""
        folder = self._setup.folder

        async def read(sftp: asyncssh.SFTPClient) -> bytes:
            size = (await over.plain(sftp, folder, "run/log")).size
            return await over.read_part(sftp, folder, "run/log", _TAIL_BYTES, max(0, size - _TAIL_BYTES))

        try:
            data = await self._machine.asked(read)
        except (FileNotFoundError, HostUnreachable, InvalidSpoolData):
            return ()
        lines = data.decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        return tuple(printable(line, MAX_LINE_CHARACTERS) for line in lines)

    async def _end_now(self) -> None:
        """End the session and see that it has ended. What cannot be done now is owed."""
        if await self._files.control.ask("k") == "stuck":
            log.error("the worker of %s cannot be ended", self.name)
            return
        self._not_before, self._starting = 0.0, 0
        with self._lock:
            self._owed = False
            self._deaths.clear()

    async def _restart(self) -> None:
        async with self._alone:
            try:
                await self._end_now()
            except JobRunnerError as error:
                self._owed = True
                log.warning("the worker of %s is ended when its machine is there again: %s", self.name, error)

    async def _stop(self, grace: float) -> None:
        now = asyncio.get_running_loop().time
        end = now() + grace
        async with self._alone:
            while True:
                try:
                    await self._ask_to_end(end)
                    await self._end_now()
                    return
                except JobRunnerError as error:  # a connection may just be on its way back
                    if now() > end + _BACK_WITHIN_S:
                        log.warning("the worker of %s was not seen to end: %s", self.name, error)
                        return
                await asyncio.sleep(5 * _POLL_S)

    async def _ask_to_end(self, end: float) -> None:
        """Have the worker finish the piece at hand, until the time `end` of the loop."""
        now = asyncio.get_running_loop().time
        report = await self._files.control.ask("q" if now() < end else "p")
        while report.startswith(("running", "starting")) and now() < end:
            await asyncio.sleep(_POLL_S)
            report = await self._files.control.ask("p")

    def _look_soon(self) -> None:
        with self._lock:
            self._look_now = True


def _status(how: str, told: str) -> int:
    """The exit status of a worker; negative for the signal that ended it."""
    if how == "rebooted":
        return _REBOOTED
    if how == "lost" or not told.isdigit():
        return _LOST
    status = int(told)
    return 128 - status if 128 < status <= 128 + _SIGNALS else status


def _sentence(how: str, status: int) -> str:
    if how == "rebooted":
        return "its machine was started anew"
    return "its whole session was ended" if how == "lost" else exit_sentence(status)
