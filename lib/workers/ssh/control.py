"""The one session that stays open on a machine: it hears the bell of the spool and minds the worker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncssh

from lib.errors import JobRunnerError
from lib.spool import HostUnreachable
from lib.workers.ssh.connecting import printable
from lib.workers.ssh.machine import SshMachine
from lib.workers.ssh.scripts import CONTROL, SUPERVISE

log = logging.getLogger(__name__)

_CHUNK: Final = 1 << 14  # bytes; a bell is one, so nobody who rings has that many at once
# What a machine may have under way. The library gives a sender its whole window anew for each piece that is
# read, and keeps in memory what is not read yet: who floods is not read slowly, but cut off.
_WINDOW: Final = 1 << 16  # bytes
_LONGEST_LINE: Final = 512
_QUIET_S: Final = 0.01  # between two reads: whoever rings without end must not keep the thread
_AGAIN_S: Final = 1.0  # before the session is opened anew


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker is kept on a machine, and what it is started with. Paths may be relative to the home."""

    spool: str
    run: str
    which: str = "-"  # a word that tells this worker from one that was started otherwise
    argv: Sequence[str] = ()


class Control:
    """Keeps the session open, over as many connections as it takes, from the first `start` on.

    `rung` and `ended` are called in the thread of the connections: something may lie in the outbox, the
    worker's end was heard. After each new connection both are called: nobody knows what was missed.

    Threads: `start`, `ring` and `close` any; `ask` that of the connections.
    Raises: HostUnreachable from `ask`; the others nothing.
    """

    def __init__(
        self,
        machine: SshMachine,
        place: Place,
        *,
        rung: Callable[[], None],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._machine, self._place = machine, place
        self._rung, self._ended = rung, ended
        self._keeper: asyncio.Task[None] | None = None
        self._process: asyncssh.SSHClientProcess[bytes] | None = None
        self._ready = asyncio.Event()
        self._asking = asyncio.Lock()
        self._answer: asyncio.Future[str] | None = None
        self._trouble: JobRunnerError | None = None
        self._begun = self._closed = False

    def start(self) -> None:
        """Open the session and keep it open. Returns at once; repeatable."""
        if not self._begun:
            self._begun = True
            self._later(self._start())

    def ring(self) -> None:
        """Wake the worker, where the session is open; else it looks by itself soon."""
        self._later(self._tell("r"))

    def close(self) -> None:
        """End the session; the worker stays."""
        self._closed = True
        self._later(self._stop())

    async def ask(self, order: str) -> str:
        """Give an order and return the answer, without its "=". Waits for the session to be open.

        Raises:
            HostUnreachable: the machine does not answer, or answers with something else.
        """
        limit = self._machine.options.call_s
        async with self._asking:
            await self._open(limit)
            self._answer = asyncio.get_running_loop().create_future()
            try:
                await self._tell(order)
                async with asyncio.timeout(limit):
                    return await self._answer
            except TimeoutError:  # also where a session that ended is held open by what it left
                log.debug("%s gave no answer to %s", self._machine.name, order)
                self._machine.let_go()
                raise self._machine.silent(limit) from None
            finally:
                self._answer = None

    # --- in the thread -----------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep())

    async def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        if self._process is not None:
            self._process.stdin.write_eof()

    async def _open(self, limit: float) -> None:
        await self._start()
        if self._trouble is not None and not self._ready.is_set():
            raise type(self._trouble)(self._trouble.message)
        try:
            async with asyncio.timeout(limit + 20.0):  # a connection and a login
                await self._ready.wait()
        except TimeoutError:
            raise self._trouble or self._machine.silent(limit) from None

    async def _tell(self, order: str) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError, asyncssh.Error):  # it broke: the keeper opens it anew
            self._process.stdin.write(f"{order}\n".encode("ascii"))

    async def _keep(self) -> None:
        while not self._closed:
            try:
                await self._serve()
            except JobRunnerError as error:
                self._break(error)
            except Exception as error:  # whatever it is: a session that is not kept is never opened again
                self._break(self._machine.broken(error))
            await asyncio.sleep(_AGAIN_S)

    async def _serve(self) -> None:
        """Open the session and pass on what it says until it ends. Always raises."""
        place, connection = self._place, await self._machine.connected()
        words = ("sh", "-c", CONTROL, "sh", place.spool, place.run, place.which, SUPERVISE, *place.argv)
        opening = asyncio.ensure_future(
            connection.create_process(shlex.join(words), encoding=None, window=_WINDOW)
        )
        try:
            async with asyncio.timeout(self._machine.options.call_s):
                process = await asyncio.shield(opening)
        except BaseException:
            opening.add_done_callback(_close_late)
            raise
        self._process = process
        try:
            await self._listen(process)
        finally:
            self._process = None
            process.close()
        said = printable((await process.stderr.read(_CHUNK)).decode("utf-8", "replace"))
        raise HostUnreachable(f"{self._machine.name} ended its session: {said or 'it said nothing'}.")

    async def _listen(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        """Take in bells and answers until the session's end."""
        rest = b""
        while data := await process.stdout.read(_CHUNK):
            rest = self._take_in(rest + data)
            if len(data) == _CHUNK or len(rest) > _LONGEST_LINE:
                raise HostUnreachable(f"{self._machine.name} says what was not asked for.")
            await asyncio.sleep(_QUIET_S)

    def _take_in(self, data: bytes) -> bytes:
        """Act on whole lines and on rings; what is left of `data` comes back with more behind it."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            rings, _, answer = line.partition(b"=")
            self._hear(rings)
            self._answered(answer.decode("ascii", "replace").strip())
        if b"=" not in rest:
            self._hear(rest)
            return b""
        return rest

    def _hear(self, rings: bytes) -> None:
        if b"x" in rings:
            self._ended()
        if rings:
            self._rung()

    def _answered(self, answer: str) -> None:
        if answer == "hello":
            self._trouble = None
            self._ready.set()
            self._ended()
            self._rung()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _break(self, error: JobRunnerError) -> None:
        if self._trouble is None:
            log.debug("the session on %s is opened anew: %s", self._machine.name, error)
        self._trouble = error
        self._ready.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(type(error)(error.message))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done without waiting; nobody is left to do it once the thread has ended."""
        try:
            self._machine.thread.begin(work)
        except RuntimeError:
            work.close()


def _close_late(opening: asyncio.Future[asyncssh.SSHClientProcess[bytes]]) -> None:
    """Close a session that was opened when nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
