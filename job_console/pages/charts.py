"""Bars over time as SVG: numbers in, places out; the template only draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
HEIGHT: Final = 160
_FOOT: Final = 22  # below the bars, for their labels
_HEAD: Final = 14  # above, for the number of the highest
_LEAST: Final = 2.0  # what is not nothing is seen


@dataclass(frozen=True, slots=True)
class ChartValue:
    """One stretch of time: its label, what ended well in it, and what badly. `about` is said of it whole."""

    label: str
    good: int
    bad: int
    about: str


@dataclass(frozen=True, slots=True)
class ChartBar:
    """Where a stretch is drawn: the bad part stands on the good one."""

    value: ChartValue
    x: float
    width: float
    good_y: float
    good_height: float
    bad_y: float
    bad_height: float

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class BarChart:
    """All bars, and the highest one's number; `every` says how many bars share one label."""

    bars: tuple[ChartBar, ...]
    highest: int
    every: int

    width: int = WIDTH
    height: int = HEIGHT

    @property
    def floor(self) -> int:
        """Where the bars stand."""
        return HEIGHT - _FOOT


def bar_chart(values: Sequence[ChartValue], *, every: int = 1) -> BarChart:
    """Place the bars. Pure."""
    highest = max((value.good + value.bad for value in values), default=0)
    room, floor = HEIGHT - _FOOT - _HEAD, HEIGHT - _FOOT
    step = WIDTH / max(1, len(values))

    def height(count: int) -> float:
        return round(max(_LEAST, room * count / highest), 1) if count else 0.0

    bars = []
    for number, value in enumerate(values):
        good, bad = height(value.good), height(value.bad)
        x, width = round(number * step + step * 0.1, 1), round(step * 0.8, 1)
        good_y = round(floor - good, 1)
        bars.append(ChartBar(value, x, width, good_y, good, round(good_y - bad, 1), bad))
    return BarChart(tuple(bars), highest, every)
