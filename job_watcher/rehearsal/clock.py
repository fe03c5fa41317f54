"""The clock of a rehearsal: faster than real time, and moved forward by hand."""

from __future__ import annotations

import threading
import time


class RehearsalClock:
    """Time that runs `speed` times as fast as the machine's own, from now on, and can be pushed forward.

    With `speed` 0 it stands still but for `advance`, which makes a test exact.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        self.speed = speed
        self._start = time.time() if start is None else start
        self._from = time.monotonic()
        self._pushed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch, in the rehearsal."""
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        """Seconds of the rehearsal since this clock was made."""
        with self._lock:
            return (time.monotonic() - self._from) * self.speed + self._pushed

    def advance(self, seconds: float) -> None:
        """Push the time forward at once."""
        with self._lock:
            self._pushed += seconds

    def sleep(self, seconds: float) -> None:
        """Wait that long in the rehearsal; where its time stands still, push it."""
        if self.speed > 0:
            time.sleep(seconds / self.speed)
        else:
            self.advance(seconds)
