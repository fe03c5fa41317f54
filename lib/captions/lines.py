"""How a text stands on a screen: the limits of reading, and one cue in its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.captions.breaks import HELD, INSIDE_WORD, BreakPlace, places, width

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
    """The text in as few lines as it needs: two at most, unless it is no cue of `characters`."""
    if width(text) <= characters:
        return [text]
    found = places(text, characters)
    pair = _best_pair(text, found, characters)
    if pair is not None:
        return pair
    lines, start = [], 0
    while width(text[start:]) > characters:  # some other limit cut it
        start, line = _filled(text, start, found, characters)
        lines.append(line)
    return [line for line in (*lines, text[start:].strip()) if line]


def fits(text: str, characters: int) -> bool:
    """Whether the text stands in two lines."""
    total = width(text)
    if total <= characters:
        return True
    if total > MOST_LINES * characters + 1:
        return False
    return _best_pair(text, places(text, characters), characters) is not None


def _best_pair(text: str, found: Sequence[BreakPlace], characters: int) -> list[str] | None:
    """Two lines, cut where it reads best and evenly."""
    best: tuple[float, list[str]] | None = None
    for place in found:
        pair = [text[: place.at].rstrip(), text[place.at :].lstrip()]
        first, last = map(width, pair)
        if max(first, last) > characters or not all(pair):
            continue
        cost = place.cost + _UNEVEN * abs(first - last) / characters
        if best is None or cost < best[0]:
            best = (cost, pair)
    return None if best is None else best[1]


def _filled(text: str, start: int, found: Sequence[BreakPlace], characters: int) -> tuple[int, str]:
    """Where the next line begins when this one takes all that it can, and this one."""
    last = start
    for place in found:
        if place.at <= start:
            continue
        if width(text[start : place.at].rstrip()) > characters:
            break
        if place.cost < HELD or last == start or place.cost < INSIDE_WORD / 2:
            last = place.at
    if last == start:
        last = start + max(characters // 2, 1)
    return last, text[start:last].strip()
