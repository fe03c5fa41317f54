"""Remembers how long there was nothing to do, to hold an idle machine as long as that was worth it lately."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

#: So many of the latest gaps are remembered: work changes its rhythm, and a day of it is enough to tell.
_REMEMBERED: Final = 12


@dataclass(slots=True)
class IdleGaps:
    """The latest gaps, seconds from the end of all work to the next work. The clock never jumps.

    Threads: the loop's only.
    Raises: nothing.
    """

    lately: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _since: float | None = None
    _worked: bool = False  # a gap begins with the end of work, not with the watcher's own begin

    def heed(self, jobs: int, now: float) -> None:
        """So many jobs are unfinished at this moment."""
        if jobs:
            if self._since is not None:
                self.lately.append(now - self._since)
            self._since, self._worked = None, True
        elif self._worked and self._since is None:
            self._since = now

    def interrupt(self) -> None:
        """Nobody looked for a while: the gap that is open is of no known length."""
        self._since, self._worked = None, False

    def hold_s(self, break_even_s: float, *, coming: bool = False) -> float:
        """How long to hold an idle machine, where a start costs as much as `break_even_s` of waiting.

        Without any gap known, none: nobody says that there will be more work. Should it come at once after
        all, the second start is no dearer than the first, which hindsight had to pay for too: together never
        more than twice what that would have paid. Where work is `coming` (jobs wait for their time), it is
        that time: ski rental, with the same bound.
        With some it is the hold, at most that time, which would have been cheapest over them and over one
        more that is half as long as that time: where work comes back soon a machine waits for it, where it
        never did none waits.
        """
        if not self.lately:
            return break_even_s if coming else 0.0
        known = (*self.lately, break_even_s / 2)
        holds = sorted({0.0, break_even_s, *(gap for gap in known if gap < break_even_s)})
        return min(holds, key=lambda hold: sum(_paid(gap, hold, break_even_s) for gap in known))


def _paid(gap: float, hold: float, start: float) -> float:
    """Seconds at the machine's price for that gap: of waiting, and of a start if the hold was too short."""
    return gap if gap <= hold else hold + start
