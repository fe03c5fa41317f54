"""One line of letters: which font sets what, where each run stands, and how it is drawn."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from PIL import ImageDraw, ImageFont

from synth.typeset.bidi import is_right_to_left, levels, visual_order
from synth.typeset.fonts import FontShelf, has_shaping
from synth.typeset.graphemes import clusters
from synth.typeset.letters import visible

_TOKENS: Final = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Lettering:
    """How letters look, apart from their size. `leading` is the least distance of baselines, in sizes."""

    families: tuple[str, ...]
    weight: int = 400
    leading: float = 1.25


@dataclass(frozen=True, slots=True)
class LetterRun:
    """Letters of one font and one direction, of one word or blank. Pixels from the line's left end."""

    text: str
    start: int  # of its first character in the line's text
    font: ImageFont.FreeTypeFont
    direction: str | None  # as Pillow takes it
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line as it stands. `ascent` and `descent` are what its ink takes above and below the baseline."""

    text: str
    runs: tuple[LetterRun, ...]
    width: float
    ascent: float
    descent: float
    overhang: float  # ink beyond its width on either side, at most
    is_right_to_left: bool

    def draw(self, canvas: ImageDraw.ImageDraw, left: float, baseline: float, *, stroke: float = 0) -> None:
        """Draw all of it on a canvas of mode L, white."""
        for run in self.runs:
            draw_run(canvas, run, left, baseline, stroke=stroke)


def draw_run(
    canvas: ImageDraw.ImageDraw, run: LetterRun, left: float, baseline: float, *, stroke: float = 0
) -> None:
    """Draw one run of a line that begins at `left`."""
    if not run.text.isspace():
        canvas.text(
            (left + run.left, baseline),
            run.text,
            fill=255,
            font=run.font,
            anchor="ls",
            direction=run.direction,
            stroke_width=stroke,
        )


def set_line(
    text: str,
    size: float,
    lettering: Lettering,
    shelf: FontShelf,
    *,
    right_to_left: bool | None = None,
    cuts: Collection[int] = (),
) -> TextLine:
    """Set a line that `settable` let pass. `cuts` are places where a new run begins in any case."""
    rtl = is_right_to_left(text) if right_to_left is None else right_to_left
    depth = levels(text, rtl)
    pieces = list(_pieces(text, depth, lettering, shelf, cuts))
    runs: list[LetterRun] = []
    left = ascent = descent = overhang = 0.0
    for number in visual_order([level for _, _, _, level in pieces]):
        start, part, family, level = pieces[number]
        font = shelf.font(family, size, lettering.weight)
        direction = _direction(level)
        width = font.getlength(part, direction=direction)
        run = LetterRun(part, start, font, direction, left, width)
        runs.append(run)
        if not part.isspace():
            inked = font.getbbox(part, anchor="ls", direction=direction)
            ascent, descent = max(ascent, -inked[1]), max(descent, inked[3])
            overhang = max(overhang, -inked[0], inked[2] - width)
        left += width
    return TextLine(text, tuple(runs), left, ascent, descent, max(overhang, 0.0), rtl)


def line_width(text: str, size: float, lettering: Lettering, shelf: FontShelf) -> float:
    """How wide a stretch of text stands in a line, without its blanks at the end reckoned off."""
    pieces = _pieces(text, levels(text, is_right_to_left(text)), lettering, shelf, ())
    return sum(
        shelf.font(family, size, lettering.weight).getlength(part, direction=_direction(level))
        for _, part, family, level in pieces
    )


def _direction(level: int) -> str | None:
    return ("rtl" if level % 2 else "ltr") if has_shaping() else None


def _pieces(
    text: str, depth: list[int], lettering: Lettering, shelf: FontShelf, cuts: Collection[int]
) -> Iterator[tuple[int, str, str, int]]:
    """Start, letters, family and level of each run, in the order of reading."""
    for token in _TOKENS.finditer(text):
        word, at = token.group(), token.start()
        family = shelf.family_of(_required(word), lettering.families)
        start, before = at, ""
        for cluster in clusters(word):
            here = family or shelf.family_of(_required(cluster), lettering.families) or before
            if at > start and (here != before or depth[at] != depth[start] or at in cuts):
                yield start, text[start:at], before, depth[start]
                start = at
            before = here
            at += len(cluster)
        if before:
            yield start, text[start:at], before, depth[start]


def _required(letters: str) -> str:
    return visible(letters).replace("\u00a0", " ").strip() or " "
