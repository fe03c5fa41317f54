"""The backend `mock`: a test picture in a few milliseconds, from nothing but the order."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

from lib.png import write_palette_png
from synth.pictures.backend import Picture, PictureOrder, check_order

_BARS, _GREYS = 8, 16


class MockBackend:
    """Draws colour bars, a grey wedge and a chequer whose colours are a fingerprint of the order.

    Same order, same bytes; another prompt, seed or size, other colours. The prompt stands in the file.
    """

    def __init__(self, name: str, options: Mapping[str, object] | None = None) -> None:
        self.name = name

    def draw(self, order: PictureOrder) -> Picture:
        """Draw. Raises BadOrder."""
        check_order(order)
        began = time.perf_counter()
        png = write_palette_png(order.width, _rows(order), _palette(order), order.prompt)
        seconds = time.perf_counter() - began
        return Picture(png, order.width, order.height, order.seed, self.name, "mock", seconds, 0.0)

    def close(self) -> None:
        """There is nothing to give back."""


def _palette(order: PictureOrder) -> list[tuple[int, int, int]]:
    """Eight colours of the fingerprint, then sixteen greys."""
    words = f"{order.width}x{order.height}\0{order.seed}\0{order.theme}\0{order.prompt}"
    digest = hashlib.sha256(words.encode()).digest()
    colours = [(digest[at], digest[at + 1], digest[at + 2]) for at in range(0, 3 * _BARS, 3)]
    return colours + [(17 * level,) * 3 for level in range(_GREYS)]


def _rows(order: PictureOrder) -> list[bytes]:
    """Bars above, a chequer in the middle, the wedge below."""
    width, height = order.width, order.height
    bars = bytes(x * _BARS // width for x in range(width))
    wedge = bytes(_BARS + x * _GREYS // width for x in range(width))
    side = STEP_OF_CHEQUER
    light = (bytes([_BARS + _GREYS - 1]) * side + bytes([_BARS]) * side) * (width // (2 * side) + 1)
    dark = (light[side:] + light[:side])[:width]
    top, middle = height * 2 // 3, height * 5 // 6
    chequer = [light[:width] if y // side % 2 else dark for y in range(top, middle)]
    return [bars] * top + chequer + [wedge] * (height - middle)


#: Pixels of a field of the chequer.
STEP_OF_CHEQUER = 8
