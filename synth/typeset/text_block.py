"""A text fitted to a box: the largest size at which it stands in it, in even lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from PIL import ImageDraw

from lib.captions.breaks import HELD, INSIDE_WORD
from lib.errors import BadInput
from synth.typeset.bidi import is_right_to_left
from synth.typeset.graphemes import clusters
from synth.typeset.line_breaks import SOFT_HYPHEN, ZERO_SPACE, LineEnd, line_ends
from synth.typeset.text_lines import TextLine, Typesetter

_WHOLE: Final = 0.4  # a word is cut before its letters become smaller than that share of the largest
_STEP: Final = 0.93  # from one size to the next smaller one
_CLEAR: Final = 0.06  # sizes between the ink of two lines, at least
_EVEN_ENDS: Final = 120  # a text with more places is filled line by line
_READING: Final = 0.02  # what a cut costs beside uneven lines
_LONG_WORD: Final = 24  # letters
_HYPHEN: Final = "-"


class TooMuchText(BadInput):
    """A text does not fit its box at a size that can be read."""


@dataclass(frozen=True, slots=True)
class FitLimits:
    """The box and what may stand in it; pixels."""

    width: float
    height: float
    largest: float  # size of letters
    smallest: float
    lines: int = 1000


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines of one size. `pitch` is from baseline to baseline, `top` from the block's top to the first."""

    lines: tuple[TextLine, ...]
    size: float
    pitch: float
    width: float
    height: float
    top: float
    hyphened: frozenset[int] = frozenset()  # numbers of lines with a hyphen that the text has not
    is_cut: bool = False  # whether its text goes on, and ends in an ellipsis here

    @property
    def is_right_to_left(self) -> bool:
        """Whether it begins at the right."""
        return self.lines[0].is_right_to_left

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        typesetter: Typesetter,
        corner: tuple[float, float],
        width: float,
        align: float,
    ) -> None:
        """Draw it white on a canvas of mode L, in a column. `align`: 0 left, 0.5 middle, 1 right."""
        for number, line in enumerate(self.lines):
            baseline = round(corner[1] + self.top + number * self.pitch)
            typesetter.draw(canvas, line, corner[0] + (width - line.width) * align, baseline)


def fit_block(text: str, limits: FitLimits, typesetter: Typesetter) -> TextBlock:
    """The text, which `settable` let pass, at the largest size at which it fits; words are cut last.

    Raises:
        TooMuchText: it does not fit at the smallest size.
    """
    ruler = _StretchRuler(typesetter)
    paragraphs = [part for part in text.split("\n") if part]
    for inside in (False, True):
        for size in _sizes(limits, _WHOLE if not inside else 0.0):
            block = _at_size(paragraphs, size, limits, ruler, inside)
            if block is not None:
                return block
    raise TooMuchText(
        f"A text of {len(text)} characters does not fit {limits.width:.0f} by {limits.height:.0f} pixels in "
        f"letters of {limits.smallest:.0f} pixels; shorten it, or draw it larger."
    )


def fit_beginning(text: str, limits: FitLimits, typesetter: Typesetter) -> TextBlock | None:
    """As `fit_block`, but of a text that is too long what fits, with an ellipsis. None: not one letter."""
    try:
        return fit_block(text, limits, typesetter)
    except TooMuchText:
        pass
    letters = clusters(text)
    smallest = FitLimits(limits.width, limits.height, limits.smallest, limits.smallest, limits.lines)
    low, high, best = 1, len(letters), None
    while low <= high:
        middle = (low + high) // 2
        shown = _beginning(letters, middle)
        try:
            best = fit_block(shown, smallest, typesetter)
            low = middle + 1
        except TooMuchText:
            high = middle - 1
    if best is None:
        return None
    return replace(best, is_cut=True)


def _beginning(letters: Sequence[str], count: int) -> str:
    """That many letters of a text, or a few less where a word would be cut, and an ellipsis."""
    first = count
    while first and count < len(letters) and not letters[first].isspace() and count - first < _LONG_WORD:
        first -= 1
    kept = first if first and count - first < _LONG_WORD else count
    return "".join(letters[:kept]).rstrip(" \n,;:.–—") + "…"


def _sizes(limits: FitLimits, share: float) -> list[float]:
    """From the largest down, to that share of it at least."""
    found, size = [], limits.largest
    smallest = max(limits.smallest, share * limits.largest)
    while size > smallest:
        found.append(round(size * 4) / 4)
        size *= _STEP
    return [*found, smallest]


class _StretchRuler:
    """Knows where a text may be cut, and measures its stretches once."""

    def __init__(self, typesetter: Typesetter) -> None:
        self.typesetter = typesetter
        self._widths: dict[str, float] = {}
        self._ends: dict[str, list[LineEnd]] = {}

    def width(self, part: str, size: float) -> float:
        if part not in self._widths:
            self._widths[part] = self.typesetter.width(part, 1.0)
        return self._widths[part] * size

    def ends(self, paragraph: str, size: float, widest: float, inside: bool) -> list[LineEnd]:
        """Where it may be cut: inside a word only where no line holds the word."""
        if paragraph not in self._ends:
            self._ends[paragraph] = line_ends(paragraph)
        every = self._ends[paragraph]
        if not inside:
            return [end for end in every if end.cost < INSIDE_WORD]
        found: list[LineEnd] = []
        start, within = 0, list[LineEnd]()
        for end in every:
            if end.cost >= INSIDE_WORD:
                within.append(end)
                continue
            if within and self.width(paragraph[start : end.at].rstrip(" "), size) > widest:
                found += within
            found.append(end)
            start, within = end.at, []
        return found


def _at_size(
    paragraphs: Sequence[str], size: float, limits: FitLimits, ruler: _StretchRuler, inside: bool
) -> TextBlock | None:
    texts: list[tuple[str, bool, bool]] = []
    most = min(limits.lines, int(limits.height / (size * 0.8)) + 1)
    for paragraph in paragraphs:
        cut = _cut(paragraph, size, limits.width, ruler, inside)
        if cut is None or len(texts) + len(cut) > most:
            return None
        rtl = is_right_to_left(paragraph)
        texts += [(line, hyphened, rtl) for line, hyphened in cut]
    lines = tuple(ruler.typesetter.line(line, size, right_to_left=rtl) for line, _, rtl in texts)
    if not lines or any(line.width + 2 * line.overhang > limits.width for line in lines):
        return None
    pairs = pairwise(lines)
    inked = max((above.descent + below.ascent for above, below in pairs), default=0.0)
    pitch = round(max(size * ruler.typesetter.lettering.leading, inked + _CLEAR * size))
    height = lines[0].ascent + pitch * (len(lines) - 1) + lines[-1].descent
    if height > limits.height:
        return None
    hyphened = frozenset(number for number, (_, hyphened, _) in enumerate(texts) if hyphened)
    widest = max(line.width for line in lines)
    return TextBlock(lines, size, pitch, widest, height, lines[0].ascent, hyphened)


def _cut(
    paragraph: str, size: float, widest: float, ruler: _StretchRuler, inside: bool
) -> list[tuple[str, bool]] | None:
    """The lines of a paragraph: as few as it needs, and then even. None: a word is too wide."""
    ends = ruler.ends(paragraph, size, widest, inside)
    places = [0, *(end.at for end in ends)]
    stretches = [paragraph[start:end] for start, end in pairwise(places)]
    upto = [0.0]
    for part in stretches:
        upto.append(upto[-1] + ruler.width(part, size))
    blank = ruler.width(" ", size)
    # A blank at a line's end takes no room.
    trailing = [0.0, *(blank if part.endswith(" ") else 0.0 for part in stretches)]

    hyphen = ruler.width(_HYPHEN, size)
    hyphens = [0.0, *(hyphen if end.cost >= INSIDE_WORD else 0.0 for end in ends)]

    def width(first: int, last: int) -> float:
        return upto[last] - upto[first] - trailing[last] + hyphens[last]

    filled = _filled(len(ends), widest, width)
    if filled is None:
        return None
    if len(filled) > 1 and len(ends) <= _EVEN_ENDS:
        filled = _evened(ends, len(filled), widest, width)
    found: list[tuple[str, bool]] = []
    first = 0
    for last in filled:
        found.append(_shown(paragraph[places[first] : places[last]], ends[last - 1], paragraph))
        first = last
    return found


def _shown(line: str, end: LineEnd, paragraph: str) -> tuple[str, bool]:
    """A line as it is set, and whether with a hyphen: where a word is cut. Soft ones are not seen."""
    line = line.strip(" ")
    hyphen = line.endswith(SOFT_HYPHEN) and end.at < len(paragraph)
    if end.cost >= INSIDE_WORD:
        hyphen = _has_case(line[-1]) and _has_case(paragraph[end.at])
    shown = line.replace(SOFT_HYPHEN, "").replace(ZERO_SPACE, "")
    return (shown + _HYPHEN, True) if hyphen else (shown, False)


def _has_case(char: str) -> bool:
    """Whether it is a letter of a script whose words are cut with a hyphen."""
    return char.lower() != char.upper()


def _filled(count: int, widest: float, width: Callable[[int, int], float]) -> list[int] | None:
    """Each line as full as it can be."""
    found, first = [], 0
    while first < count:
        last = first
        while last < count and width(first, last + 1) <= widest:
            last += 1
        if last == first:
            return None
        found.append(last)
        first = last
    return found


def _evened(
    ends: Sequence[LineEnd], lines: int, widest: float, width: Callable[[int, int], float]
) -> list[int]:
    """The cuts of that many lines that make them most alike, and read best."""
    target = width(0, len(ends)) / lines
    best: list[tuple[float, list[int]] | None] = [(0.0, [])] + [None] * len(ends)
    for number in range(lines):
        reached: list[tuple[float, list[int]] | None] = [None] * (len(ends) + 1)
        for first, known in enumerate(best):
            if known is None:
                continue
            for last in range(first + 1, len(ends) + 1):
                wide = width(first, last)
                if wide > widest:
                    break
                end = ends[last - 1]
                cost = known[0] + ((wide - target) / widest) ** 2
                if number < lines - 1:
                    cost += _READING * min(end.cost, 10.0) / 10.0 + 0.05 * (end.cost >= HELD)
                held = reached[last]
                if held is None or cost < held[0]:
                    reached[last] = (cost, [*known[1], last])
        best = reached
    final = best[len(ends)]
    return final[1] if final else _filled(len(ends), widest, width) or []
