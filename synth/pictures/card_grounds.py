"""The grounds of cards: gradients, paper, rings, hills. The same theme, size and seed give the same pixels.

Drawn in strips, so that the largest picture takes some tens of megabytes; gradients are dithered with a fixed
pattern, which hides their steps and, unlike noise, is packed well by PNG and by video codecs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synth.pictures.card_themes import CardTheme
from synth.typeset.contrast import colour

Plane = NDArray[np.floating[Any]]
#: Draws on rows of pixels (rows, columns, 3) whose places are given in shorter sides from the left top.
Stroke = Callable[[Plane, Plane, Plane], None]

_ROWS: Final = 128
_GRAIN: Final = 64  # pixels of a side of paper's tile


def paint_ground(theme: CardTheme, width: int, height: int, seed: int) -> Image.Image:
    """The ground of a card, RGB."""
    short = min(width, height)
    strokes = _PATTERNS[theme.pattern](theme, width / short, height / short, random.Random(seed))
    x = ((np.arange(width, dtype=np.float32) + 0.5) / short)[None, :]
    pixels = np.empty((height, width, 3), np.uint8)
    grain = _grain(seed) if theme.pattern == "paper" else None
    for top in range(0, height, _ROWS):
        rows = np.arange(top, min(top + _ROWS, height))
        y = ((rows.astype(np.float32) + 0.5) / short)[:, None]
        strip = np.empty((len(rows), width, 3), np.float32)
        strip[:] = _mixed(theme.base, theme.base_end, y * (short / height))
        for stroke in strokes:
            stroke(strip, x, y)
        if grain is not None:
            strip += grain[np.ix_(rows % _GRAIN, np.arange(width) % _GRAIN)][..., None]
        strip += _DITHER[np.ix_(rows % 8, np.arange(width) % 8)][..., None]
        np.clip(strip, 0, 255, out=strip)
        pixels[rows] = strip.astype(np.uint8)
    return Image.fromarray(pixels)


def _bayer(order: int) -> Plane:
    """Thresholds of ordered dithering, 0 to 1."""
    tile = np.zeros((1, 1), np.float32)
    for _ in range(order):
        tile = np.block([[4 * tile, 4 * tile + 2], [4 * tile + 3, 4 * tile + 1]])
    return ((tile + 0.5) / tile.size).astype(np.float32)


_DITHER: Final = _bayer(3)


def _grain(seed: int) -> Plane:
    """A tile of paper's fibres, some levels up and down."""
    raw = np.random.PCG64(seed).random_raw(_GRAIN * _GRAIN) >> np.uint64(40)
    noise = (raw.astype(np.float32) / 2**24 - 0.5).reshape(_GRAIN, _GRAIN)
    soft = noise + np.roll(noise, 1, 1) + np.roll(noise, 2, 1) + np.roll(noise, 1, 0)
    return np.asarray(np.round(soft * 1.1), np.float32)


def _rgb(name: str) -> Plane:
    return np.array(colour(name), np.float32)


def _mixed(one: str, other: str, share: Plane) -> Plane:
    return _rgb(one) + (_rgb(other) - _rgb(one)) * share[..., None]


def _lay(strip: Plane, name: str, opacity: Plane) -> None:
    """Lay a colour over rows, as opaque as that, 0 to 1."""
    strip += (_rgb(name) - strip) * opacity[..., None]


def _glow(name: str, at: tuple[float, float], radius: float, opacity: float) -> Stroke:
    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        distance = ((x - at[0]) ** 2 + (y - at[1]) ** 2) / radius**2
        _lay(strip, name, opacity * np.exp(-distance))

    return stroke


def _disc(name: str, at: tuple[float, float], radius: float, opacity: float) -> Stroke:
    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        if y[0, 0] < at[1] + radius + 0.01 and y[-1, 0] > at[1] - radius - 0.01:
            distance = np.hypot(x - at[0], y - at[1])
            _lay(strip, name, opacity * np.clip((radius - distance) / _pixel(x) + 0.5, 0, 1))

    return stroke


def _rings(name: str, at: tuple[float, float], first: float, step: float, opacity: float) -> Stroke:
    """Thin rings around a place, fading outwards."""

    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        distance = np.hypot(x - at[0], y - at[1])
        off = np.abs((distance - first + step / 2) % step - step / 2)
        line = np.clip((0.0016 - off) / _pixel(x) + 0.5, 0, 1) * (distance > first - step / 2)
        _lay(strip, name, opacity * line * np.exp(-((distance - first) / 0.9).clip(0)))

    return stroke


def _hill(name: str, level: float, waves: Sequence[tuple[float, float, float]]) -> Stroke:
    """A ridge: its mean height from above, and waves (height, length, where they begin)."""

    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        ridge = level + sum(high * np.sin(2 * np.pi * (x / long + phase)) for high, long, phase in waves)
        _lay(strip, name, np.clip((y - ridge) / _pixel(x) + 0.5, 0, 1))

    return stroke


def _box(name: str, sides: tuple[float, float, float, float], line: float, opacity: float) -> Stroke:
    """A rectangle's outline; left, top, right, bottom."""
    left, top, right, bottom = sides

    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        away = np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))
        edge = np.clip((line / 2 - np.abs(away)) / _pixel(x) + 0.5, 0, 1)
        _lay(strip, name, opacity * edge)

    return stroke


def _corners(name: str, sides: tuple[float, float, float, float], arm: float, opacity: float) -> Stroke:
    """The corners of a viewfinder."""
    left, top, right, bottom = sides
    whole = _box(name, sides, 0.004, opacity)

    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        before = strip.copy()
        whole(strip, x, y)
        near = (np.minimum(np.abs(x - left), np.abs(x - right)) < arm) & (
            np.minimum(np.abs(y - top), np.abs(y - bottom)) < arm
        )
        np.copyto(strip, before, where=~near[..., None])

    return stroke


def _dots(name: str, step: float, opacity: float) -> Stroke:
    def stroke(strip: Plane, x: Plane, y: Plane) -> None:
        across = (x % step) - step / 2
        down = (y % step) - step / 2
        _lay(strip, name, opacity * np.clip((0.0022 - np.hypot(across, down)) / _pixel(x) + 0.5, 0, 1))

    return stroke


def _pixel(x: Plane) -> float:
    return float(x[0, 1] - x[0, 0])


def _glows(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    right = dice.random() < 0.7
    first = (
        wide * (0.72 + 0.22 * dice.random() if right else 0.1 + 0.2 * dice.random()),
        high * 0.3 * dice.random(),
    )
    second = (wide - first[0] + 0.2 * dice.random(), high * (0.85 + 0.25 * dice.random()))
    reach = 0.5 * (wide + high)
    return [
        _glow(theme.tones[0], first, reach * (0.38 + 0.1 * dice.random()), 0.72),
        _glow(theme.tones[1], second, reach * (0.32 + 0.1 * dice.random()), 0.5),
    ]


def _evening(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    sun = (wide * (0.6 + 0.3 * dice.random()), high * (0.74 + 0.05 * dice.random()))
    found = [_glow(theme.tones[0], sun, 0.42, 0.55), _disc(theme.tones[0], sun, 0.075, 0.9)]
    for number, tone in enumerate(theme.tones[1:]):
        waves = [
            (0.035 * dice.random() + 0.015, 0.7 + 0.8 * dice.random(), dice.random()),
            (0.012 * dice.random() + 0.004, 0.2 + 0.25 * dice.random(), dice.random()),
        ]
        found.append(_hill(tone, high * (0.79 + 0.07 * number), waves))
    return found


def _sheet(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    outer, inner = 0.03, 0.042
    middle = (wide * (0.4 + 0.2 * dice.random()), high * (0.35 + 0.2 * dice.random()))
    return [
        _glow("#fffaf0", middle, 0.6 * (wide + high) / 2, 0.5),
        _box(theme.tones[0], (outer, outer, wide - outer, high - outer), 0.003, 0.75),
        _box(theme.tones[0], (inner, inner, wide - inner, high - inner), 0.0012, 0.6),
    ]


def _ripples(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    at = (wide * (0.82 + 0.2 * dice.random()), high * (0.02 + 0.3 * dice.random()))
    first = 0.16 + 0.08 * dice.random()
    return [
        _disc(theme.tones[1], at, first + 0.42, 0.35),
        _disc(theme.tones[1], at, first + 0.17, 0.55),
        _rings(theme.tones[0], at, first, 0.085, 0.75),
        _disc(theme.tones[0], at, first * 0.55, 0.6),
    ]


def _shapes(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    turn = dice.random()
    large = (wide * (0.86 + 0.1 * turn), high * (0.3 + 0.4 * dice.random()))
    small = (large[0] - 0.5 - 0.1 * dice.random(), high * (0.08 + 0.1 * dice.random()))
    return [
        _disc(theme.tones[1], large, 0.52, 1.0),
        _disc(theme.tones[0], large, 0.34, 1.0),
        _disc(theme.tones[2], large, 0.14 + 0.04 * turn, 1.0),
        _disc(theme.tones[1], small, 0.07, 1.0),
    ]


def _viewfinder(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    inset = 0.035
    sides = (inset, inset, wide - inset, high - inset)
    light = (wide * (0.3 + 0.5 * dice.random()), high * 0.2 * dice.random())
    return [
        _glow(theme.tones[1], light, 0.7, 0.8),
        _dots(theme.tones[0], 0.05, 0.28),
        _corners(theme.tones[0], sides, 0.075, 1.0),
    ]


def _nothing(theme: CardTheme, wide: float, high: float, dice: random.Random) -> list[Stroke]:
    return []


_PATTERNS: Final[dict[str, Callable[[CardTheme, float, float, random.Random], list[Any]]]] = {
    "glow": _glows,
    "hills": _evening,
    "paper": _sheet,
    "rings": _ripples,
    "blocks": _shapes,
    "frame": _viewfinder,
    "flat": _nothing,
}
