"""How long a worker with nothing to do waits, and how long a task that failed does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lib.backoff import backoff_s

#: Where the database wakes whoever waits, one looks this often anyway: a word can be lost.
SAFETY_S: Final = 5.0
_FIRST_POLL_S: Final = 0.005
#: Below this a look at when the next task will be ready is not worth its cost.
WORTH_ASKING_S: Final = 0.6
_RETRY_BASE_S: Final = 1.0
_RETRY_CAP_S: Final = 300.0


#: Who came too late that often in a row lets others go first for so much longer, at most.
_COURTESY_S: Final = 0.002
_MOST_COURTESIES: Final = 3


class ClaimPace:
    """Pauses between claims. Where nobody is woken they grow from a few milliseconds to `poll_s`.

    Everybody is woken at once, and what is ready is often one task. Those who found nothing the last times
    come a little later, so that they do not take the processor from the one who will find it. `chance` draws
    from 0 to 1.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, *, poll_s: float, is_woken: bool, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._too_late = 0
        self._longest = SAFETY_S if is_woken else poll_s
        self._first = SAFETY_S if is_woken else min(_FIRST_POLL_S, poll_s)
        self._next = self._first

    def found(self) -> None:
        """There was something to do."""
        self._next = self._first
        self._too_late = 0

    def pause_s(self) -> float:
        """How long to wait before looking again by oneself."""
        pause, self._next = self._next, min(self._longest, 2 * self._next)
        return pause

    def found_nothing(self) -> None:
        """Somebody woke us, and there was nothing."""
        self._too_late = min(self._too_late + 1, _MOST_COURTESIES)

    def courtesy_s(self) -> float:
        """How long to let others go first, who were woken as well."""
        return self._too_late * _COURTESY_S * (0.5 + self._chance() / 2)


def retry_in_s(failures: int, chance: float) -> float:
    """Seconds until the next attempt after the `failures`-th failure: full jitter, 300 at most."""
    return backoff_s(failures, chance, base_s=_RETRY_BASE_S, cap_s=_RETRY_CAP_S)
