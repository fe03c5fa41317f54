"""How a text stands on a screen: the limits of reading, and one cue in its lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from lib.captions.breaks import places, width

MOST_LINES: Final = 2
_UNEVEN: Final = 6.0  # what two lines cost of which one is empty


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What can be read while it is heard, as broadcasters ask for it.

    A cue has at most two lines of `characters`. One that is said quicker than `per_second`, or in less than
    `shortest_s`, stays on in the silence behind it. One of more than `longest_s` is cut where that can be.
    """

    characters: int = 42
    per_second: float = 17.0
    shortest_s: float = 1.0
    longest_s: float = 7.0


READING: Final = ReadingLimits()


def lines_of(text: str, characters: int) -> list[str]:
    """The text in as few lines as it needs: two at most, unless it is no cue of `characters`.

    Only a text that could stand in two lines is looked at closely: texts of untrusted machines come here.
    """
    total = width(text)
    if total <= characters:
        return [text]
    pair = _best_pair(text, characters) if total <= MOST_LINES * characters + 1 else None
    return _filled(text, characters) if pair is None else pair


def fits(text: str, characters: int) -> bool:
    """Whether the text stands in two lines."""
    total = width(text)
    if total <= characters:
        return True
    return total <= MOST_LINES * characters + 1 and _best_pair(text, characters) is not None


def _best_pair(text: str, characters: int) -> list[str] | None:
    """Two lines, cut where it reads best and evenly."""
    best: tuple[float, int] | None = None
    upto = _widths(text)
    for place in places(text, characters):  # each begins a word or stands in one
        last = upto[-1] - upto[place.at]
        if last > characters:
            continue
        first = upto[len(text[: place.at].rstrip())]
        if first > characters:
            break
        cost = place.cost + _UNEVEN * abs(first - last) / characters
        if first and (best is None or cost < best[0]):
            best = (cost, place.at)
    return None if best is None else [text[: best[1]].rstrip(), text[best[1] :]]


def _widths(text: str) -> Sequence[int]:
    """How wide the text is up to each letter."""
    return range(len(text) + 1) if text.isascii() else list(accumulate(map(width, text), initial=0))


def _filled(text: str, characters: int) -> list[str]:
    """Lines of which each takes all the words that it can; for a text that some other limit cut."""
    lines, start, upto = [], 0, _widths(text)
    while upto[-1] - upto[start] > characters:
        most = bisect_right(upto, upto[start] + characters, start) - 1  # the letters that it has room for
        blank = text.rfind(" ", start + 1, most + 1)
        end = max(most, start + 1) if blank < 0 else blank
        lines.append(text[start:end].strip())
        start = end + (blank >= 0)
    return [line for line in (*lines, text[start:].strip()) if line]
