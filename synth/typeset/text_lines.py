"""One line of letters: which font sets what, where each run stands, and how it is drawn.

Everything is measured once, at one size, and scaled: a text is tried at many sizes, and to measure a word
costs a tenth of a millisecond.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import ImageDraw

from synth.typeset.bidi import is_right_to_left, levels, visual_order
from synth.typeset.fonts import FontShelf, has_shaping
from synth.typeset.glyphs import APART, is_simple
from synth.typeset.graphemes import clusters
from synth.typeset.letters import visible

_TOKENS: Final = re.compile(r"\s+|\S+")
_MEASURED_AT: Final = 160.0  # pixels; hinted widths are whole ones, so that small letters would tell little
_MOST_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Lettering:
    """How letters look, apart from their size.

    `leading` is the least distance of baselines, in sizes; `optical` is the size in points for which letters
    of a font with such an axis are shaped, larger ones finer.
    """

    families: tuple[str, ...]
    weight: int = 400
    leading: float = 1.25
    optical: float = 28.0


class Extent(NamedTuple):
    """What a run takes at a size of one: its advance, and its ink from where it begins on the baseline."""

    advance: float
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class LetterRun:
    """Letters of one font and one direction, of one word or blank. Pixels from the line's left end."""

    text: str
    start: int  # of its first character in the line's text
    family: str
    direction: str | None  # as Pillow takes it
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line as it stands; pixels. `ascent` and `descent`: of its ink, above and below the baseline."""

    text: str
    runs: tuple[LetterRun, ...]
    size: float
    width: float
    ascent: float
    descent: float
    overhang: float  # ink beyond its width on either side, at most
    is_right_to_left: bool


class Typesetter:
    """Sets lines in one lettering. Threads: one at a time."""

    def __init__(self, shelf: FontShelf, lettering: Lettering, *, is_quick: bool = False) -> None:
        """`is_quick`: words never seen are measured by their letters, each of which is measured once."""
        self.shelf, self.lettering, self._is_quick = shelf, lettering, is_quick
        self._extents: dict[tuple[str, str, str | None], Extent] = {}
        self._kernings: dict[tuple[str, str], float] = {}

    def width(self, text: str, size: float) -> float:
        """How wide a stretch of text stands in a line."""
        pieces = self._pieces(text, levels(text, is_right_to_left(text)), ())
        return size * sum(self._extent(part, family, level).advance for _, part, family, level in pieces)

    def line(
        self, text: str, size: float, *, right_to_left: bool | None = None, cuts: Collection[int] = ()
    ) -> TextLine:
        """Set a line that `settable` let pass. `cuts` are places where a new run begins in any case."""
        rtl = is_right_to_left(text) if right_to_left is None else right_to_left
        pieces = list(self._pieces(text, levels(text, rtl), cuts))
        runs: list[LetterRun] = []
        left, top, bottom, least, most = 0.0, 0.0, 0.0, 0.0, 0.0
        for number in visual_order([level for _, _, _, level in pieces]):
            start, part, family, level = pieces[number]
            extent = self._extent(part, family, level)
            runs.append(LetterRun(part, start, family, _direction(level), left, extent.advance * size))
            if not part.isspace():
                top, bottom = min(top, extent.top * size), max(bottom, extent.bottom * size)
                least, most = min(least, left + extent.left * size), max(most, left + extent.right * size)
            left += extent.advance * size
        overhang = max(-least, most - left, 0.0)
        return TextLine(text, tuple(runs), size, left, -top, bottom, overhang, rtl)

    def draw(self, canvas: ImageDraw.ImageDraw, line: TextLine, left: float, baseline: float) -> None:
        """Draw a line white on a canvas of mode L."""
        for run in line.runs:
            if not run.text.isspace():
                font = self.shelf.font(run.family, line.size, self.lettering.weight, self.lettering.optical)
                place = (left + run.left, baseline)
                canvas.text(place, run.text, fill=255, font=font, anchor="ls", direction=run.direction)

    def _extent(self, part: str, family: str, level: int) -> Extent:
        key = (part, family, _direction(level))
        if key not in self._extents:
            if len(self._extents) > _MOST_KEPT:
                self._extents.clear()
            is_sum = self._is_quick and len(part) > 1 and not level % 2 and all(map(is_simple, part))
            self._extents[key] = (
                self._sum(part, family, level) if is_sum else self._measured(part, family, key[2])
            )
        return self._extents[key]

    def _measured(self, part: str, family: str, direction: str | None) -> Extent:
        font = self.shelf.font(family, _MEASURED_AT, self.lettering.weight, self.lettering.optical)
        features = list(APART) if self._is_quick and direction else None
        advance = font.getlength(part, direction=direction, features=features)
        box = (0.0, 0.0, 0.0, 0.0)
        if not part.isspace():
            box = font.getbbox(part, anchor="ls", direction=direction, features=features)
        return Extent(*(value / _MEASURED_AT for value in (advance, *box)))

    def _sum(self, part: str, family: str, level: int) -> Extent:
        at = left = top = right = bottom = 0.0
        for char, after in zip(part, (*part[1:], ""), strict=True):
            extent = self._extent(char, family, level)
            left, top = min(left, at + extent.left), min(top, extent.top)
            right, bottom = max(right, at + extent.right), max(bottom, extent.bottom)
            at += extent.advance + (self._kerning(char + after, family, level) if after else 0.0)
        return Extent(at, left, top, right, bottom)

    def _kerning(self, pair: str, family: str, level: int) -> float:
        if (pair, family) not in self._kernings:
            if len(self._kernings) > _MOST_KEPT:
                self._kernings.clear()
            both = self._measured(pair, family, _direction(level)).advance
            alone = sum(self._extent(char, family, level).advance for char in pair)
            self._kernings[pair, family] = both - alone
        return self._kernings[pair, family]

    def _pieces(
        self, text: str, depth: list[int], cuts: Collection[int]
    ) -> Iterator[tuple[int, str, str, int]]:
        """Start, letters, family and level of each run, in the order of reading."""
        for token in _TOKENS.finditer(text):
            word, at = token.group(), token.start()
            family = self._family(word)
            if family and not cuts and len(set(depth[at : token.end()])) == 1:
                yield at, word, family, depth[at]
                continue
            start, before = at, ""
            for cluster in clusters(word):
                here = family or self._family(cluster) or before
                if at > start and (here != before or depth[at] != depth[start] or at in cuts):
                    yield start, text[start:at], before, depth[start]
                    start = at
                before = here
                at += len(cluster)
            if before:
                yield start, text[start:at], before, depth[start]

    def _family(self, letters: str) -> str | None:
        seen = visible(letters).replace("\u00a0", " ").strip() or " "
        return self.shelf.family_of(seen, self.lettering.families)


def _direction(level: int) -> str | None:
    return ("rtl" if level % 2 else "ltr") if has_shaping() else None
