"""Colour for terminals: who gets it, and the codes. Cheap to import, for a help page costs little."""

from __future__ import annotations

import os
from typing import Final, TextIO

GREEN: Final = "32"
RED: Final = "31"
YELLOW: Final = "33"
CYAN: Final = "36"
BOLD: Final = "1"


def takes_colour(stream: TextIO) -> bool:
    """True for a terminal that knows colours and whose user did not switch them off (NO_COLOR)."""
    known = os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    return known and not os.environ.get("NO_COLOR") and stream.isatty()


def styled(text: str, style: str) -> str:
    """`text` in a colour; it must not hold one already."""
    return f"\x1b[{style}m{text}\x1b[0m"
