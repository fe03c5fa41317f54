"""Draws amounts as bars of plain text, for a terminal of any width.

Pure: names, amounts and a width in, lines out. No colour tells anything. Whoever prints them has made control
characters visible before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lib.cli.layout import display_width

MARK: Final = "#"
_SHORTEST: Final = 8  # columns of the longest bar: below that names and amounts get lines of their own


class Bar(NamedTuple):
    """One line: its name, how long the bar is in any unit (0 or more), and the amount in words."""

    name: str
    amount: float
    words: str


def bar_lines(bars: Sequence[Bar], width: int) -> list[str]:
    """A line for each: name, bar, amount. The longest bar takes the room there is, the others their share.

    What is more than nothing has at least one mark. Where no bar fits beside the words it stands on a line
    of its own below them.
    """
    most = max((bar.amount for bar in bars), default=0.0)
    names = max((display_width(bar.name) for bar in bars), default=0)
    words = max((display_width(bar.words) for bar in bars), default=0)
    room = width - names - words - 4
    if room >= _SHORTEST:
        return [
            f"{_padded(bar.name, names)}  {_marks(bar, most, room).ljust(room)}  {bar.words.rjust(words)}"
            for bar in bars
        ]
    room = max(1, width - 2)
    lines = []
    for bar in bars:
        lines.append(f"{bar.name}  {bar.words}")
        if bar.amount > 0:
            lines.append(f"  {_marks(bar, most, room)}")
    return lines


def _padded(name: str, width: int) -> str:
    return name + " " * (width - display_width(name))


def _marks(bar: Bar, most: float, room: int) -> str:
    return MARK * max(1, round(bar.amount / most * room)) if bar.amount > 0 else ""
