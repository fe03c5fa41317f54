"""How many tasks a worker holds beside those at work, so that short ones do not each wait for a claim."""

from __future__ import annotations

from typing import Final

#: What is held ahead is begun within about this time.
_WORTH_S: Final = 0.1
#: A worker that is killed costs each of them an attempt, so not all that would be begun in that time.
_MOST_PER_PROCESS: Final = 32
_WEIGHT: Final = 0.2

#: What was not begun after this long is given back: another worker may have a process free.
PATIENCE_S: Final = 1.0


class LookAhead:
    """Says how many tasks to hold that no process is free for, from how long the last ones took.

    None until one has ended, and none where they take longer than a tenth of a second: those do not feel the
    few milliseconds, and others could begin them sooner. A long one counts at once, short ones bit by bit.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._mean_s = _WORTH_S * 2

    def took(self, seconds: float) -> None:
        """A task took so long, or waited so long without being begun."""
        mean = (1 - _WEIGHT) * self._mean_s + _WEIGHT * seconds
        self._mean_s = max(mean, seconds)

    @property
    def count(self) -> int:
        """How many to hold."""
        if self._mean_s > _WORTH_S:
            return 0
        expected = int(self._processes * _WORTH_S / max(self._mean_s, 1e-4))
        return min(expected, self._processes * _MOST_PER_PROCESS)
