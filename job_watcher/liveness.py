"""The pulse of the loop: each turn is a beat, and whoever asks whether the loop lives is told of the last."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from job_watcher.service_manager import ServiceManager
from lib.clock import Clock

#: A loop that has done nothing for so long hangs, unless it said before that something takes longer. One call
#: waits for about a minute where something refuses; the unit's WatchdogSec is the same.
HANGS_AFTER_S: Final = 300.0
#: What is announced to take less needs no word; nothing may take longer than the longest.
_SOON_S, _LONGEST_S = 60.0, 3600.0
_SHARE: Final = 4  # signs of life in each of the manager's periods
_START_S: Final = 120.0  # asked for at each turn of a start that takes long: the server may be away


class LifePhase(StrEnum):
    """Where the life of the process is."""

    STARTING = "starting"
    WORKING = "working"
    DRAINING = "draining"


class Pulse:
    """Counts the turns of the loop, and what it does within one, and passes them on to the service manager.

    Threads: `beat`, `go_on`, `ready` and `stopping` the loop's; everything else any.
    Raises: nothing.
    """

    def __init__(self, clock: Clock, manager: ServiceManager | None = None) -> None:
        self._clock, self._manager = clock, manager or ServiceManager(None)
        self._last = clock.monotonic()
        self._told = float("-inf")
        self._status, self._announced_s = "", 0.0
        self.phase = LifePhase.STARTING

    @property
    def age_s(self) -> float:
        """Seconds since the loop last turned."""
        return max(0.0, self._clock.monotonic() - self._last)

    @property
    def is_alive(self) -> bool:
        """Whether the loop did something lately, or is at what it said would take so long."""
        return self.age_s < HANGS_AFTER_S + self._announced_s

    def beat(self, status: str = "") -> None:
        """The loop turns. `status` is a few words for people who ask the service manager."""
        self._status = status
        self.go_on()

    def go_on(self, may_take_s: float = 0.0) -> None:
        """Something was done within a turn, and the next thing may take so many seconds, at most an hour.

        So a pass over many machines, or a large file on a slow link, is no hang; and each of them may hang.
        """
        now = self._last = self._clock.monotonic()
        before, self._announced_s = self._announced_s, _announced(may_take_s)
        news = before != self._announced_s
        if not self._manager.listens or not (news or now - self._told >= self._every_s()):
            return
        self._told = now
        if self.phase is LifePhase.STARTING:
            self._manager.more_time(_START_S + self._announced_s)
            return
        status = f"{self.phase.value}: {self._status}" if self._status else self.phase.value
        self._manager.alive(status, longer_s=self._announced_s if news else None)

    def ready(self) -> None:
        """The start is over: work is looked for."""
        self.phase = LifePhase.WORKING
        self._told = float("-inf")
        self._manager.ready(self.phase.value)

    def stopping(self, within_s: float) -> None:
        """The end began, and takes at most `within_s` seconds."""
        self.phase = LifePhase.DRAINING
        self._manager.stopping(within_s, self.phase.value)

    def _every_s(self) -> float:
        watchdog = self._manager.watchdog_s
        return min(30.0, watchdog / _SHARE) if watchdog else 30.0


def _announced(may_take_s: float) -> float:
    return min(may_take_s, _LONGEST_S) if may_take_s > _SOON_S else 0.0
