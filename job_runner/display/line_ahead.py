"""Says, while people wait for a file, what comes before it and how long that takes."""

from __future__ import annotations

from typing import Final

from lib.cli import output
from lib.clock import Clock
from lib.jobqueue import JobQueue
from lib.jobs.follow import Batch
from lib.jobs.line_ahead import ahead_of

_LOOK_EVERY: Final = 10.0  # seconds, until the pace is known


class LineAhead:
    """Tells at first how many jobs come before, and once more when the pace shows how long they take."""

    def __init__(self, queue: JobQueue, clock: Clock) -> None:
        self._queue, self._clock = queue, clock
        self._next = 0.0
        self._said_count = False
        self._over = False

    def tell(self, batch: Batch) -> None:
        """Look, at most every ten seconds, and say what is new; nothing once it was said how long."""
        if self._over or self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + _LOOK_EVERY
        ahead = ahead_of(self._queue, batch)
        if ahead is None:
            self._over = True
        elif ahead.wait_s is not None or not self._said_count:
            self._said_count = True
            self._over = ahead.wait_s is not None
            output.note(ahead.sentence)
