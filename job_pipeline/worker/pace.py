"""How long a worker with nothing to do waits, and how long a task that failed does."""

from __future__ import annotations

from typing import Final

from lib.backoff import backoff_s

#: Where the database wakes whoever waits, one looks this often anyway: a word can be lost.
SAFETY_S: Final = 5.0
_FIRST_POLL_S: Final = 0.005
#: Below this a look at when the next task will be ready is not worth its cost.
WORTH_ASKING_S: Final = 0.6
_RETRY_BASE_S: Final = 1.0
_RETRY_CAP_S: Final = 300.0


class Pace:
    """Pauses between claims. Where nobody is woken they grow from a few milliseconds to `poll_s`.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, *, poll_s: float, is_woken: bool) -> None:
        self._longest = SAFETY_S if is_woken else poll_s
        self._first = SAFETY_S if is_woken else min(_FIRST_POLL_S, poll_s)
        self._next = self._first

    def found(self) -> None:
        """There was something to do."""
        self._next = self._first

    def pause_s(self) -> float:
        """There was nothing: how long to wait now."""
        pause, self._next = self._next, min(self._longest, 2 * self._next)
        return pause


def retry_in_s(failures: int, chance: float) -> float:
    """Seconds until the next attempt after the `failures`-th failure: full jitter, 300 at most."""
    return backoff_s(failures, chance, base_s=_RETRY_BASE_S, cap_s=_RETRY_CAP_S)
