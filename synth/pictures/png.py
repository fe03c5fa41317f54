"""PNG as those who draw know it. The code is in `lib.png`: a dispatcher looks at what machines drew, too."""

from __future__ import annotations

from lib.png import MOST_BYTES, SIGNATURE, NotPng, check_png, write_palette_png

__all__ = ["MOST_BYTES", "SIGNATURE", "NotPng", "check_png", "write_palette_png"]
