"""The pulse of the loop: each turn is a beat, and whoever asks whether the loop lives is told of the last."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from job_watcher.service_manager import ServiceManager
from lib.clock import Clock

#: A loop that has not turned for so long hangs. A turn may store a large file on a slow link, and waits for
#: up to a minute where something refuses; the unit's WatchdogSec is the same.
HANGS_AFTER_S: Final = 300.0
_SHARE: Final = 4  # signs of life in each of the manager's periods
_START_S: Final = 120.0  # asked for at each turn of a start that takes long: the server may be away


class LifePhase(StrEnum):
    """Where the life of the process is."""

    STARTING = "starting"
    WORKING = "working"
    DRAINING = "draining"


class Pulse:
    """Counts the turns of the loop, and passes them on to the service manager.

    Threads: `beat`, `ready` and `stopping` the loop's; everything else any.
    Raises: nothing.
    """

    def __init__(self, clock: Clock, manager: ServiceManager | None = None) -> None:
        self._clock, self._manager = clock, manager or ServiceManager(None)
        self._last = clock.monotonic()
        self._told = float("-inf")
        self.phase = LifePhase.STARTING

    @property
    def age_s(self) -> float:
        """Seconds since the loop last turned."""
        return max(0.0, self._clock.monotonic() - self._last)

    @property
    def is_alive(self) -> bool:
        """Whether the loop turned lately."""
        return self.age_s < HANGS_AFTER_S

    def beat(self, status: str = "") -> None:
        """The loop turns. `status` is a few words for people who ask the service manager."""
        now = self._last = self._clock.monotonic()
        if not self._manager.listens or now - self._told < self._every_s():
            return
        self._told = now
        if self.phase is LifePhase.STARTING:
            self._manager.more_time(_START_S)
        else:
            self._manager.alive(f"{self.phase.value}: {status}" if status else self.phase.value)

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
