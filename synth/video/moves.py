"""Ken Burns moves: which part of a picture is shown at a moment, to a fraction of a pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_CYCLE: Final = ("in", "right", "out", "left")  # what `auto` gives one scene after the other
_NEAR: Final = 1.08  # 4 % on every side: what stands in the safe area of a card, 6 %, stays seen
_ACROSS: Final = 1.06  # of moves to a side, which cut up to 5 % there


@dataclass(frozen=True, slots=True)
class Framing:
    """What is shown: `zoom` from 1.0, the whole; `x`, `y` where the rest of the room is left, 0 to 1."""

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class KenBurns:
    """A move from one framing to another in the time of its scene."""

    begin: Framing
    end: Framing

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return self.begin == self.end

    @property
    def nearest(self) -> float:
        """Its largest zoom."""
        return max(self.begin.zoom, self.end.zoom)

    def box(self, progress: float, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, in pixels of a picture of that size; `progress` from 0 to 1.

        The zoom grows by equal factors in equal times, and begins and ends softly.
        """
        eased = _eased(progress)
        zoom = math.exp(_mixed(math.log(self.begin.zoom), math.log(self.end.zoom), eased))
        wide, high = width / zoom, height / zoom
        left = (width - wide) * _mixed(self.begin.x, self.end.x, eased)
        top = (height - high) * _mixed(self.begin.y, self.end.y, eased)
        # Rounding must not lead out of the picture by a millionth of a pixel.
        return max(left, 0.0), max(top, 0.0), min(left + wide, width), min(top + high, height)


def named_move(name: str, at: int) -> KenBurns | None:
    """The move of that name for scene number `at`; None where no move is called so. "" is `auto`."""
    if name in ("", "auto"):
        name = _CYCLE[at % len(_CYCLE)]
    return _MOVES.get(name)


def _across(x0: float, y0: float, x1: float, y1: float) -> KenBurns:
    return KenBurns(Framing(_ACROSS, x0, y0), Framing(_ACROSS, x1, y1))


_MOVES: Final = {
    "still": KenBurns(Framing(), Framing()),
    "in": KenBurns(Framing(), Framing(_NEAR)),
    "out": KenBurns(Framing(_NEAR), Framing()),
    "left": _across(0.85, 0.5, 0.15, 0.5),
    "right": _across(0.15, 0.5, 0.85, 0.5),
    "up": _across(0.5, 0.85, 0.5, 0.15),
    "down": _across(0.5, 0.15, 0.5, 0.85),
}
#: Every name that a timeline may use.
MOVES: Final = ("auto", *_MOVES)


def _mixed(before: float, after: float, share: float) -> float:
    return before + (after - before) * share


def _eased(progress: float) -> float:
    """Even in the middle nine tenths, slower at both ends; 0 and 1 stay what they are."""
    progress = min(max(progress, 0.0), 1.0)
    return 0.8 * progress + 0.2 * progress * progress * (3 - 2 * progress)
