"""Where letters may stand in a picture, so that no screen and no player's buttons hide them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Shares of the width and the height. Wide and square pictures: the graphics safe area of EBU R 95, 5 %,
#: and a little air. Upright ones: what the players of short videos lay over them, a name and a text below,
#: buttons at the right; the same at the left, so that the middle stays the middle.
_WIDE: Final = (0.06, 0.07, 0.07)  # sides, top, bottom
_UPRIGHT: Final = (0.085, 0.11, 0.19)
_UPRIGHT_FROM: Final = 1.3  # times as high as wide; 4:5 has 1.25


@dataclass(frozen=True, slots=True)
class SafeArea:
    """A rectangle in whole pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from side to side."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


def safe_area(width: int, height: int) -> SafeArea:
    """The safe area of a picture of that size in pixels."""
    side, top, bottom = _UPRIGHT if height >= _UPRIGHT_FROM * width else _WIDE
    # Sides are never thinner than what a wide picture leaves above.
    across = max(round(width * side), round(min(width, height) * side))
    return SafeArea(across, round(height * top), width - across, height - round(height * bottom))
