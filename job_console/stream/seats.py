"""How many streams are open, in all and of one address."""

from __future__ import annotations

from collections import Counter

from job_console.error_answers import ConsoleJson, refusal
from lib.errors import ExitStatus


class Seats:
    """A seat for each open stream. Threads: one, that of the event loop. Raises: nothing."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are open."""
        return self._taken.total()

    def take(self, address: str) -> str | ConsoleJson:
        """A seat, to be left by its name; or the answer to whoever gets none."""
        if self.taken >= self._most or self._taken[address] >= self._most_each:
            sentence = "too many streams of events are open; close one of them, or come again later"
            return refusal(429, "TooManyStreams", sentence, ExitStatus.TRY_AGAIN, {"Retry-After": "10"})
        self._taken[address] += 1
        return address

    def leave(self, seat: str) -> None:
        """Give a seat back."""
        self._taken[seat] -= 1
        if self._taken[seat] <= 0:
            del self._taken[seat]
