"""Burned captions: at most two lines of large letters with an outline or in a box, quickly.

A caption is laid out once; what is drawn again for each word that is said takes the masks of its words from
memory. Sizes and places are shares of the picture, the same for 16:9, 9:16 and 1:1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageDraw

from lib.errors import BadInput
from synth.typeset.contrast import check_contrast, colour
from synth.typeset.fonts import FontShelf
from synth.typeset.glyphs import GlyphCase
from synth.typeset.letters import han_family, plain, settable
from synth.typeset.safe_area import safe_area
from synth.typeset.text_block import FitLimits, TextBlock, TooMuchText, fit_block
from synth.typeset.text_lines import Lettering, LetterRun, Typesetter

_MOST_LINES: Final = 2
_MOST_LAYOUTS: Final = 64
_LEAST_SHARE: Final = 0.5  # of the size that the style asks for
_WIDEST: Final = 0.9  # of the safe area's width, in a wide picture: shorter lines are read in one look
_MOST_CHARACTERS: Final = 1000  # as of a cue
_OUTLINE: Final = 0.085  # sizes
_PADDING: Final = (0.42, 0.26)  # sizes, beside and above the letters of a box
#: Sizes that a line takes above and below its baseline at least: captions do not jump with their letters.
_ABOVE, _BELOW = 0.76, 0.24
_ROUND: Final = 0.22  # sizes


@dataclass(frozen=True, slots=True)
class CaptionStyle:
    """How captions look. Colours are #rrggbb; `size` is a share of the picture's shorter side."""

    look: Literal["outline", "box"] = "outline"
    size: float = 0.056
    letters: str = "#ffffff"
    highlight: str = "#ffd84d"
    ground: str = "#0b0d12"  # the outline, or the box
    box_opacity: float = 0.82
    families: tuple[str, ...] = ("Inter",)
    weight: int = 700
    place: Literal["bottom", "middle", "top"] = "bottom"
    fonts: tuple[Path, ...] = field(default=())  # further fonts, as of CARD_FONTS

    def __post_init__(self) -> None:
        """Raises `BadInput` where letters cannot be read on the ground, or a number is out of bounds."""
        if not 0.02 <= self.size <= 0.2:
            raise BadInput(
                f"The size of captions must be 0.02 to 0.2 of the shorter side; not {self.size:g}."
            )
        if not 0.5 <= self.box_opacity <= 1:
            raise BadInput(f"The opacity of a caption's box must be 0.5 to 1; not {self.box_opacity:g}.")
        for what, name in (("A caption's letters", self.letters), ("A caption's highlight", self.highlight)):
            check_contrast(what, colour(name), colour(self.ground))


USUAL_STYLE: Final = CaptionStyle()


@dataclass(frozen=True, slots=True)
class _Layout:
    block: TextBlock
    typesetter: Typesetter
    left_out: tuple[str, ...]  # symbols that no font has


class CaptionPainter:
    """Draws captions of one style for pictures of one size. Threads: one at a time."""

    def __init__(self, width: int, height: int, style: CaptionStyle = USUAL_STYLE) -> None:
        """Raises `BadConfiguration` where a font that the style names is missing."""
        self.width, self.height, self.style = width, height, style
        self._shelf = FontShelf(style.fonts)
        self._glyphs = GlyphCase()
        self._layouts: dict[str, _Layout] = {}
        self._typesetters: dict[tuple[str, ...], Typesetter] = {}
        area = safe_area(width, height)
        self._size = max(style.size * min(width, height), 5.0)
        self._edge = self._size * _OUTLINE if style.look == "outline" else 0.0
        beside, above = (0.0, 0.0) if style.look == "outline" else _PADDING
        self._beside = round(self._size * beside + self._edge) + 1
        self._above = round(self._size * above + self._edge) + 1
        widest = area.width * (_WIDEST if width > height else 1.0)
        self._limits = FitLimits(
            widest - 2 * self._beside,
            area.height - 2 * self._above - self._size * (_ABOVE + _BELOW),
            self._size,
            max(self._size * _LEAST_SHARE, 4.0),
            _MOST_LINES,
        )

    def picture(self, text: str, highlighted_word: int | tuple[int, int] | None = None) -> Image.Image:
        """The caption's box, RGBA with straight alpha, as small as it can be; `corner` says where it goes.

        `highlighted_word` is the number of a word, counted from 0 in `text.split()`, or a stretch of
        characters of `text`, for scripts without blanks; one that is not there highlights nothing.

        Raises:
            synth.typeset.text_block.TooMuchText: it does not fit two lines (`parts` cuts it into captions).
            synth.typeset.fonts.MissingLetters: no font has its letters.
            lib.errors.BadInput: it is empty or longer than 1,000 characters.
        """
        layout = self._layout(text)
        said = self._said(text, layout, highlighted_word)
        fill, lit, around = self._masks(layout, said)
        style = self.style
        if style.look == "outline":
            alpha = around
        else:
            alpha = _rounded(fill.size, round(self._size * _ROUND), round(255 * style.box_opacity))
        picture = Image.new("RGB", fill.size, style.ground)
        picture.paste(style.letters, (0, 0), fill)
        if lit is not None:
            picture.paste(style.highlight, (0, 0), lit)
            for letters in (fill, lit):
                if letters is not None:
                    alpha.paste(255, (0, 0), letters)
        picture.putalpha(alpha)
        return picture

    def left_out(self, text: str) -> tuple[str, ...]:
        """The symbols of a caption that no font has, which its picture lacks. Raises what `picture` does."""
        return self._layout(text).left_out

    def corner(self, size: tuple[int, int]) -> tuple[int, int]:
        """Where the left top corner of a caption's box of that size goes."""
        area = safe_area(self.width, self.height)
        tops = {
            "top": area.top,
            "middle": (self.height - size[1]) // 2,
            "bottom": area.bottom - size[1],
        }
        return (self.width - size[0]) // 2, tops[self.style.place]

    def parts(self, text: str) -> list[str]:
        """The text in as few stretches as each fit a caption in letters of the full size.

        Joined by blanks they are the text, but for its blanks. Raises what `picture` does.
        """
        ready, _, typesetter = self._ready(text)
        full = FitLimits(self._limits.width, self._limits.height, self._size, self._size, self._limits.lines)
        words, found, start = ready.split(" "), [], 0
        while start < len(words):
            end = start + 1
            while end < len(words) and _fits(" ".join(words[start : end + 1]), full, typesetter):
                end += 1
            found.append(" ".join(words[start:end]))
            start = end
        return found

    def _ready(self, text: str) -> tuple[str, list[str], Typesetter]:
        if len(text) > _MOST_CHARACTERS:
            raise BadInput(f"A caption has {len(text)} characters but may have at most {_MOST_CHARACTERS}.")
        ready = plain(text).replace("\n", " ")
        if not ready:
            raise BadInput("A caption is empty.")
        extra = han_family(ready)
        families = (*self.style.families, extra) if extra else self.style.families
        if families not in self._typesetters:
            lettering = Lettering(families, self.style.weight, 1.22)
            self._typesetters[families] = Typesetter(self._shelf, lettering, is_quick=True)
        ready, left_out = settable(ready, self._shelf, families)
        return ready, left_out, self._typesetters[families]

    def _layout(self, text: str) -> _Layout:
        if text not in self._layouts:
            ready, left_out, typesetter = self._ready(text)
            block = fit_block(ready, self._limits, typesetter)
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.pop(next(iter(self._layouts)))
            self._layouts[text] = _Layout(block, typesetter, tuple(left_out))
        return self._layouts[text]

    def _said(self, text: str, layout: _Layout, word: int | tuple[int, int] | None) -> tuple[int, int]:
        """The stretch to highlight, counted in the letters that are set, without blanks."""
        if word is None:
            return 0, 0
        if isinstance(word, int):
            spans = [match.span() for match in re.finditer(r"\S+", text)]
            if not 0 <= word < len(spans):
                return 0, 0
            word = spans[word]
        start, end = word
        return _letters(text[:start], layout.left_out), _letters(text[:end], layout.left_out)

    def _masks(
        self, layout: _Layout, said: tuple[int, int]
    ) -> tuple[Image.Image, Image.Image | None, Image.Image]:
        """Ink of all letters, of those that are said, and of letters with their outlines."""
        block = layout.block
        wide = max(line.width + 2 * line.overhang for line in block.lines)
        first = max(block.top, block.size * _ABOVE)
        below = max(block.lines[-1].descent, block.size * _BELOW)
        height = first + block.pitch * (len(block.lines) - 1) + below
        size = (ceil(wide) + 2 * self._beside, ceil(height) + 2 * self._above)
        fill, around = Image.new("L", size), Image.new("L", size)
        lit = Image.new("L", size) if said[0] < said[1] else None
        at = 0
        for number, line in enumerate(block.lines):
            baseline = self._above + round(first + number * block.pitch)
            bounds = {_at_letter(line.text, letter - at) for letter in said}
            cuts = bounds - {0, len(line.text)} if lit is not None else set()
            shown = (
                layout.typesetter.line(line.text, line.size, right_to_left=line.is_right_to_left, cuts=cuts)
                if cuts
                else line
            )
            left = (size[0] - line.width) / 2
            for run in shown.runs:
                letter = at + _letters(line.text[: run.start], ())
                is_said = lit is not None and said[0] <= letter < said[1]
                self._ink(layout, run, (left, baseline), lit if is_said and lit else fill, around)
            at += _letters(line.text, ()) - (number in block.hyphened)
        return fill, lit, around

    def _ink(
        self,
        layout: _Layout,
        run: LetterRun,
        at: tuple[float, int],
        fill: Image.Image,
        around: Image.Image,
    ) -> None:
        if run.text.isspace():
            return
        lettering = layout.typesetter.lettering
        font = self._shelf.font(run.family, layout.block.size, lettering.weight, lettering.optical)
        for canvas, stroke in ((fill, 0.0), (around, self._edge)):
            if canvas is not around or stroke:
                mask = self._glyphs.word(font, run.text, run.direction, stroke)
                canvas.paste(255, (round(at[0] + run.left) + mask.left, at[1] + mask.top), mask.image)


@lru_cache(maxsize=16)
def _painter(width: int, height: int, style: CaptionStyle) -> CaptionPainter:
    return CaptionPainter(width, height, style)


def caption_picture(
    text: str,
    width: int,
    height: int,
    style: CaptionStyle = USUAL_STYLE,
    highlighted_word: int | tuple[int, int] | None = None,
) -> Image.Image:
    """`CaptionPainter.picture` of a painter that is kept for the next caption. Threads: one at a time."""
    return _painter(width, height, style).picture(text, highlighted_word)


def caption_corner(
    size: tuple[int, int], width: int, height: int, style: CaptionStyle = USUAL_STYLE
) -> tuple[int, int]:
    """Where in the picture the left top corner of a caption's box of that size goes."""
    return _painter(width, height, style).corner(size)


def caption_parts(text: str, width: int, height: int, style: CaptionStyle = USUAL_STYLE) -> list[str]:
    """A text that is too long for one caption in stretches that each fit one."""
    return _painter(width, height, style).parts(text)


def _fits(text: str, limits: FitLimits, typesetter: Typesetter) -> bool:
    try:
        fit_block(text, limits, typesetter)
    except TooMuchText:
        return False
    return True


def _letters(text: str, left_out: Sequence[str]) -> int:
    """How many characters of it are set, without blanks."""
    shown = plain(text)
    for symbol in left_out:
        shown = shown.replace(symbol, "")
    return sum(not char.isspace() for char in shown)


def _at_letter(line: str, letter: int) -> int:
    """Where in a line its letter of that number stands; its end where it has fewer."""
    if letter <= 0:
        return 0
    for at, char in enumerate(line):
        if not char.isspace():
            if letter == 0:
                return at
            letter -= 1
    return len(line)


def _rounded(size: tuple[int, int], radius: int, opacity: int) -> Image.Image:
    """A box with round corners, opaque as that."""
    box = Image.new("L", size, opacity)
    radius = min(radius, size[0] // 2, size[1] // 2)
    if radius:
        corner = _corner(radius, opacity)
        for turn, at in enumerate(
            ((0, 0), (0, size[1] - radius), (size[0] - radius, size[1] - radius), (size[0] - radius, 0))
        ):
            box.paste(corner.rotate(90 * turn), at)
    return box


@lru_cache(maxsize=64)
def _corner(radius: int, opacity: int) -> Image.Image:
    """The left top one."""
    large = Image.new("L", (4 * radius, 4 * radius))
    ImageDraw.Draw(large).ellipse((0, 0, 8 * radius, 8 * radius), fill=opacity)
    return large.reduce(4)
