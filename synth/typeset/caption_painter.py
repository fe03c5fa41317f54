"""Burned captions: at most two lines of large letters with an outline or in a box, quickly.

A caption is laid out once; what is drawn again for each word that is said takes the masks of its words from
memory. Sizes and places are shares of the picture, the same for 16:9, 9:16 and 1:1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final, Literal

from PIL import Image, ImageDraw

from lib.errors import BadInput
from synth.typeset.contrast import check_contrast, colour
from synth.typeset.fonts import FontShelf, font_digest, has_shaping
from synth.typeset.glyphs import GlyphCase
from synth.typeset.letters import han_family, plain, settable
from synth.typeset.safe_area import safe_area
from synth.typeset.text_block import FitLimits, TextBlock, TooMuchText, fit_block
from synth.typeset.text_lines import Lettering, LetterRun, Typesetter

_MOST_LINES: Final = 2
_MOST_LAYOUTS: Final = 64
_MOST_DRAWN: Final = 4  # a megabyte each
_ANY: Final = [0] + 255 * [255]
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
    fonts: tuple[Path, ...] = ()  # further fonts, as of CARD_FONTS
    system_fonts: bool = True  # whether those of the system are looked at too

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
    size: tuple[int, int]  # of the box, pixels
    first: float  # from the letters' top to the first baseline


class CaptionPainter:
    """Draws captions of one style for pictures of one size. Threads: one at a time."""

    def __init__(self, width: int, height: int, style: CaptionStyle = USUAL_STYLE) -> None:
        """Raises `BadConfiguration` where a font that the style names is missing."""
        self.width, self.height, self.style = width, height, style
        self._shelf = FontShelf(style.fonts, with_system=style.system_fonts)
        self._glyphs = GlyphCase()
        self._layouts: dict[str, _Layout] = {}
        self._drawn: dict[str, tuple[Image.Image, Image.Image]] = {}
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
        style = self.style
        unlit, alpha = self._unlit(text, layout)
        picture = unlit.copy()
        if said[0] < said[1]:
            lit = self._lit(layout, said)
            # Where it is lit nothing of the other colour may shine through its edges.
            picture.paste(style.ground, (0, 0), lit.point(_ANY))
            picture.paste(style.highlight, (0, 0), lit)
        picture.putalpha(alpha)
        return picture

    def left_out(self, text: str) -> tuple[str, ...]:
        """The symbols of a caption that no font has, which its picture lacks. Raises what `picture` does."""
        return tuple(self._ready(text)[1])

    def fonts(self, text: str) -> tuple[str, ...]:
        """What its letters are drawn with: another font, or another way to join them, is another picture.

        Raises what `picture` does.
        """
        weight = self.style.weight
        runs = (run for line in self._layout(text).block.lines for run in line.runs)
        files = {self._shelf.upright(run.family, weight).path for run in runs if not run.text.isspace()}
        return (f"shaped: {has_shaping()}", *sorted(font_digest(path) for path in files))

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
            first = max(block.top, block.size * _ABOVE)
            below = max(block.lines[-1].descent, block.size * _BELOW)
            height = first + block.pitch * (len(block.lines) - 1) + below
            wide = max(line.width + 2 * line.overhang for line in block.lines)
            size = (ceil(wide) + 2 * self._beside, ceil(height) + 2 * self._above)
            self._layouts[text] = _Layout(block, typesetter, tuple(left_out), size, first)
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

    def _unlit(self, text: str, layout: _Layout) -> tuple[Image.Image, Image.Image]:
        """The colours of a caption of which nothing is said, and its alpha; of the last ones kept."""
        if text not in self._drawn:
            fill, around = Image.new("L", layout.size), Image.new("L", layout.size)
            for number, line in enumerate(layout.block.lines):
                for run in line.runs:
                    self._ink(layout, number, run, fill, 0.0)
                    if self._edge:
                        self._ink(layout, number, run, around, self._edge)
            if self.style.look == "box":
                opacity = round(255 * self.style.box_opacity)
                around = _rounded(layout.size, round(self._size * _ROUND), opacity)
            around.paste(255, (0, 0), fill)
            colours = Image.new("RGB", layout.size, self.style.ground)
            colours.paste(self.style.letters, (0, 0), fill)
            if len(self._drawn) >= _MOST_DRAWN:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[text] = colours, around
        return self._drawn[text]

    def _lit(self, layout: _Layout, said: tuple[int, int]) -> Image.Image:
        """The ink of the letters that are said."""
        lit, at = Image.new("L", layout.size), 0
        for number, line in enumerate(layout.block.lines):
            bounds = {_at_letter(line.text, letter - at) for letter in said}
            inside = bounds - {0, len(line.text)} - {run.start for run in line.runs}
            inside -= {run.start + len(run.text) for run in line.runs}
            shown = line
            if inside:
                shown = layout.typesetter.line(
                    line.text, line.size, right_to_left=line.is_right_to_left, cuts=inside
                )
            for run in shown.runs:
                if said[0] <= at + _inked(line.text[: run.start]) < said[1]:
                    self._ink(layout, number, run, lit, 0.0)
            at += _inked(line.text) - (number in layout.block.hyphened)
        return lit

    def _ink(self, layout: _Layout, number: int, run: LetterRun, canvas: Image.Image, stroke: float) -> None:
        """Lay the ink of a run of that line on a canvas of the caption's size."""
        if run.text.isspace():
            return
        block, lettering = layout.block, layout.typesetter.lettering
        font = self._shelf.font(run.family, block.size, lettering.weight, lettering.optical)
        mask = self._glyphs.word(font, run.text, run.direction, stroke)
        left = (layout.size[0] - block.lines[number].width) / 2 + run.left
        baseline = self._above + round(layout.first + number * block.pitch)
        canvas.paste(255, (round(left) + mask.left, baseline + mask.top), mask.image)


def _fits(text: str, limits: FitLimits, typesetter: Typesetter) -> bool:
    try:
        fit_block(text, limits, typesetter)
    except TooMuchText:
        return False
    return True


def _letters(text: str, left_out: Sequence[str]) -> int:
    """How many characters of what was given are set, without blanks."""
    shown = plain(text)
    for symbol in left_out:
        shown = shown.replace(symbol, "")
    return _inked(shown)


def _inked(text: str) -> int:
    return sum(not char.isspace() for char in text)


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
