"""Masks of letters, drawn once: a caption of words never seen is put together from letters seen before."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_MOST_KEPT: Final = 6000  # masks of letters and words; 54 pixels high they take some 2 kB each
_MOST_PAIRS: Final = 100_000
#: Scripts whose letters neither join nor reorder nor change beside others, by the first word of their names.
_SIMPLE: Final = frozenset(
    (
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "ARMENIAN",
        "GEORGIAN",
        "HIRAGANA",
        "KATAKANA",
        "HANGUL",
        "CJK",
        "FULLWIDTH",
    )
)
# Letters that melt into one would stand apart from their neighbours' kerning, and change with a highlight.
APART: Final = ("-liga", "-clig", "-calt", "-dlig")


@dataclass(frozen=True, slots=True)
class InkMask:
    """Ink of mode L and where its corner stands from the beginning of the baseline, in pixels."""

    image: Image.Image
    left: int
    top: int


class GlyphCase:
    """Masks of letters and words, with or without an outline around them. Threads: one at a time."""

    def __init__(self) -> None:
        self._masks: dict[tuple[int, str, str | None, float], InkMask] = {}
        self._pairs: dict[tuple[int, str], float] = {}
        self._fonts: dict[int, ImageFont.FreeTypeFont] = {}  # kept, so that no other gets the same id

    def word(
        self, font: ImageFont.FreeTypeFont, text: str, direction: str | None, stroke: float = 0
    ) -> InkMask:
        """The ink of a word. `stroke` pixels around it, filled."""
        key = (id(font), text, direction, stroke)
        if key not in self._masks:
            self._fonts[id(font)] = font
            if len(self._masks) > _MOST_KEPT:
                self._masks.clear()
            if len(text) > 1 and direction != "rtl" and all(map(is_simple, text)):
                mask = self._composed(font, text, direction, stroke)
            else:
                mask = _drawn(font, text, direction, stroke)
            self._masks[key] = mask
        return self._masks[key]

    def _composed(
        self, font: ImageFont.FreeTypeFont, text: str, direction: str | None, stroke: float
    ) -> InkMask:
        at = 0.0
        placed: list[tuple[InkMask, int]] = []
        for char, after in zip(text, (*text[1:], ""), strict=True):
            placed.append((self.word(font, char, direction, stroke), round(at)))
            at += self._advance(font, char, after, direction)
        left = min(x + mask.left for mask, x in placed)
        top = min(mask.top for mask, _ in placed)
        right = max(x + mask.left + mask.image.width for mask, x in placed)
        bottom = max(mask.top + mask.image.height for mask, _ in placed)
        image = Image.new("L", (right - left, bottom - top))
        for mask, x in placed:
            image.paste(255, (x + mask.left - left, mask.top - top), mask.image)
        return InkMask(image, left, top)

    def _advance(self, font: ImageFont.FreeTypeFont, char: str, after: str, direction: str | None) -> float:
        """From the beginning of a letter to that of the next one, kerned."""
        key = (id(font), char + after)
        if key not in self._pairs:
            if len(self._pairs) > _MOST_PAIRS:
                self._pairs.clear()
            features = list(APART) if direction else None
            both = font.getlength(char + after, direction=direction, features=features)
            alone = font.getlength(after, direction=direction, features=features) if after else 0.0
            self._pairs[key] = both - alone
        return self._pairs[key]


def _drawn(font: ImageFont.FreeTypeFont, text: str, direction: str | None, stroke: float) -> InkMask:
    features = list(APART) if direction else None
    box = font.getbbox(text, direction=direction, features=features, stroke_width=stroke, anchor="ls")
    left, top, right, bottom = int(box[0]) - 1, int(box[1]) - 1, int(box[2]) + 2, int(box[3]) + 2
    image = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(image).text(
        (-left, -top),
        text,
        fill=255,
        font=font,
        anchor="ls",
        direction=direction,
        features=features,
        stroke_width=stroke,
    )
    return InkMask(image, left, top)


@lru_cache(maxsize=8192)
def is_simple(char: str) -> bool:
    """Whether it looks the same whatever stands beside it, and is written from the left."""
    if unicodedata.category(char)[0] in "NPS" or char.isascii():
        return unicodedata.bidirectional(char) not in ("R", "AL", "AN")
    return unicodedata.name(char, "").partition(" ")[0] in _SIMPLE
