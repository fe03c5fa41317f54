"""How many tasks a worker does, told now and then."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from job_pipeline.log_tags import tell
from lib.clock import Clock
from lib.pipeline.work import Done, Failed, Parked, Released

log = logging.getLogger(__name__)

_EVERY_S: Final = 60.0


class Rates:
    """Counts ends of tasks and says each minute in which there were any how many.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()
        self._ends: Counter[str] = Counter()

    def count(self, outcome: Done | Failed | Released | Parked) -> None:
        """One more ended like this."""
        self._ends[type(outcome).__name__.lower()] += 1

    @property
    def due_in_s(self) -> float:
        """Seconds until the next line could be written."""
        return max(0.0, self._since + _EVERY_S - self._clock.monotonic())

    def tell(self, *, at_work: int, last: bool = False) -> None:
        """Write the line if it is time, or the last one."""
        now = self._clock.monotonic()
        seconds = now - self._since
        if seconds < _EVERY_S and not last:
            return
        if total := self._ends.total():
            parts = ", ".join(f"{count} {name}" for name, count in sorted(self._ends.items()))
            rate = round(total / max(seconds, 0.001), 2)
            sentence = f"{rate:g} tasks a second in the last {seconds:.0f} s ({parts}), {at_work} at work"
            tell(log, "stage", "rate", sentence, rate=rate, at_work=at_work, ends=dict(self._ends))
        self._ends.clear()
        self._since = now
