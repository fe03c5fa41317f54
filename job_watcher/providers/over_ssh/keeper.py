"""Gets one machine ready, in a thread of its own, and tries again when it could not."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from job_watcher.providers.over_ssh.bootstrap import reason_of
from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut, MachineStanding, Stage
from job_watcher.provisioning.ports import NotLeading
from lib.backoff import backoff_s
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.events import EventSink, LogSink
from lib.events.model import MachineLeftOut, MachineReady
from lib.workers import WorkerHost

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 300.0
_LIVELY_S = 60.0  # ready for that long counts as a success, after which pauses begin small again


class Preparation(Protocol):
    """What is done with a machine before it gets work.

    Threads: a keeper's.
    Raises: as each method says.
    """

    def prepare(self, machine: MachineLink, tell: Callable[[Stage], None]) -> Sequence[WorkerHost]:
        """Bring the machine to where its workers can be started; returns them.

        Raises:
            MachineOut: it cannot be used now.
            JobRunnerError: it does not answer, or cannot be reached with these settings.
        """
        ...

    def check(self, machine: MachineLink) -> None:
        """Pass the health gates. Raises as `prepare`."""
        ...


class MachineKeeper:
    """One machine as the loop sees it. The thread prepares; the loop takes and gives back.

    `hosts` are there as soon as workers may be looked at, `open` when they may get jobs.

    Threads: `standing`, `hosts`, `open` any; `begin`, `reject` and `close` the loop's.
    Raises: nothing.
    """

    def __init__(
        self,
        machine: MachineLink,
        preparation: Preparation,
        clock: Clock,
        wake: Callable[[], None],
        *,
        events: EventSink | None = None,
        longest_pause_s: float = _LONGEST_PAUSE_S,
    ) -> None:
        self._events, self._longest_pause_s = events or LogSink(), longest_pause_s
        self.machine, self._preparation, self._clock, self._wake = machine, preparation, clock, wake
        self.standing = MachineStanding(Stage.CONNECTING, clock.now())
        self.tried = False  # it was ready once, or a try failed
        self._hosts: tuple[WorkerHost, ...] = ()
        self._over, self._back = threading.Event(), threading.Event()
        self._rejected: MachineOut | None = None
        self._tries = 0
        self._told = ""  # the reason that was logged since it was ready last
        self._thread = threading.Thread(target=self._run, name=f"keeper {machine.name}", daemon=True)

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.machine.name

    @property
    def hosts(self) -> tuple[WorkerHost, ...]:
        """Its workers; none while it is out."""
        return self._hosts

    @property
    def open(self) -> bool:
        """Whether it may get jobs."""
        return self.standing.stage is Stage.READY

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def reject(self, reason: str, sentence: str) -> None:
        """Leave it out for a while: the loop found it broken, and uses its hosts no more."""
        if self._rejected is None and self.standing.stage is not Stage.OUT:
            self._rejected = MachineOut(reason, sentence)
            self._hosts = ()
            self._back.set()

    def close(self) -> None:
        """Touch the machine no more. What is under way ends with the connection."""
        self._over.set()
        self._back.set()
        self.machine.close()

    # --- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._make_ready()
                self._wait_while_ready()
            except NotLeading:
                return
            except MachineOut as out:
                self._leave_out(out.reason, out.sentence)
            except JobRunnerError as error:
                self._leave_out(reason_of(error), error.message)
            except Exception as error:  # a thread that ends silently would lose the machine for good
                log.exception("%s cannot be prepared", self.name)
                self._leave_out("failed", f"{self.name} cannot be prepared: {error!r}.")

    def _make_ready(self) -> None:
        if not self._tries:  # else it stays what it is, out for its reason, until it answers
            self._tell(Stage.CONNECTING)
        self.machine.connect()
        hosts = tuple(self._preparation.prepare(self.machine, self._tell))
        if self._rejected is None:
            self._hosts = hosts  # running work may be adopted; new jobs come when it is open
        self._tell(Stage.CHECKING)
        self._preparation.check(self.machine)
        if self._rejected is None:
            self._set(MachineStanding(Stage.READY, self._clock.now()))
            self.tried, self._told = True, ""
            self._events.emit(MachineReady(machine=self.name, workers=len(hosts)))

    def _wait_while_ready(self) -> None:
        """Until the loop gives it back."""
        since = self._clock.monotonic()
        self._back.wait()
        self._back.clear()
        if self._clock.monotonic() - since >= _LIVELY_S:
            self._tries = 0
        rejected, self._rejected = self._rejected, None
        if rejected is not None:
            raise rejected

    def _leave_out(self, reason: str, sentence: str) -> None:
        """Say it once, then wait; a repeat of the same trouble is no news."""
        if self._over.is_set():
            return
        self._hosts = ()
        self._rejected = None
        self._tries += 1
        pause = backoff_s(
            self._tries,
            0.5 + random.random() / 2,
            base_s=min(_FIRST_PAUSE_S, self._longest_pause_s),
            cap_s=self._longest_pause_s,
        )
        now = self._clock.now()
        if reason != self._told:
            self._told = reason
            self._events.emit(MachineLeftOut(machine=self.name, reason=reason, trouble=sentence))
        self._set(MachineStanding(Stage.OUT, now, reason, sentence, self._tries, now + pause))
        self.tried = True
        self._over.wait(pause)

    def _tell(self, stage: Stage) -> None:
        self._set(MachineStanding(stage, self._clock.now(), tries=self._tries))

    def _set(self, standing: MachineStanding) -> None:
        self.standing = standing
        self._wake()
