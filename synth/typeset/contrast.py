"""Whether letters can be read on their ground. Source: https://www.w3.org/TR/WCAG22/#contrast-minimum."""

from __future__ import annotations

import re
from typing import Final

from lib.errors import BadInput

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255

#: Letters of text, and large letters (24 pixels and more at 1080 lines, or 19 and bold).
LEAST_CONTRAST: Final = 4.5
LEAST_LARGE_CONTRAST: Final = 3.0
_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


def colour(name: str) -> Colour:
    """The colour written as #rrggbb.

    Raises:
        lib.errors.BadInput: it is written otherwise.
    """
    if not _HEX.fullmatch(name):
        raise BadInput(f"A colour is written as #rrggbb, with six hexadecimal digits; not {name!r}.")
    return int(name[1:3], 16), int(name[3:5], 16), int(name[5:7], 16)


def luminance(of: Colour) -> float:
    """Relative luminance, 0 for black to 1 for white."""
    red, green, blue = (
        value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in of
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """The ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def check_contrast(what: str, one: Colour, other: Colour, least: float = LEAST_CONTRAST) -> None:
    """Refuse letters that cannot be read.

    Raises:
        lib.errors.BadInput: their contrast with what is beside them is below `least`.
    """
    ratio = contrast(one, other)
    if ratio < least:
        raise BadInput(
            f"{what} has a contrast of {ratio:.1f} to 1 but needs {least:g} to 1 to be read; choose "
            "colours of which one is darker."
        )
