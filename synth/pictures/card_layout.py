"""Where the parts of a card stand, and how they are drawn on its ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from PIL import Image, ImageDraw

from synth.pictures.card_text import CardText
from synth.pictures.card_themes import CardTheme
from synth.typeset.fonts import FontShelf
from synth.typeset.letters import han_family, settable
from synth.typeset.safe_area import safe_area
from synth.typeset.text_block import FitLimits, TextBlock, fit_beginning
from synth.typeset.text_lines import Lettering, Typesetter

#: Sizes and gaps as shares of the shorter side.
_TITLE: Final = (0.135, 0.034, 4)  # largest, smallest, lines
_TITLE_OF_SCENE: Final = (0.078, 0.03, 3)
_STATEMENT: Final = (0.088, 0.018, 60)
_BODY: Final = (0.046, 0.02, 14)
_BODY_OF_SCENE: Final = (0.054, 0.02, 40)
_LABEL: Final = (0.03, 0.018, 1)
_FOOTER: Final = (0.027, 0.016, 2)
_GAP_TITLE, _GAP_BODY, _GAP_BAR = 0.028, 0.042, 0.05
_BAR: Final = (0.085, 0.0065)
_NUMERAL: Final = 0.5
_SMALLEST: Final = 5.0  # pixels; below it letters are no more than dots
_TITLE_SHARE: Final = 0.64  # of the height, where something stands below it
#: A column that is wider than this many of its shorter sides is hard to read, and looks empty.
_COLUMN, _COLUMN_CENTRED = 1.34, 1.25


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of one colour with what parts it from the one above."""

    block: TextBlock
    typesetter: Typesetter
    colour: str
    gap: float


class CardLayout:
    """Draws the parts of one card. `told` gets a sentence about what could not be drawn as it is."""

    def __init__(
        self, theme: CardTheme, size: tuple[int, int], shelf: FontShelf, told: Callable[[str], None]
    ) -> None:
        self._theme, self._size, self._shelf, self._told = theme, size, shelf, told
        self._short = min(size)
        self._area = safe_area(*size)
        # Pillow places letters on whole pixels: small pictures are set larger and made smaller.
        self._scale = 1 if max(size) > 2048 else 2 if max(size) > 1024 else 4 if max(size) > 200 else 8

    def draw(self, picture: Image.Image, text: CardText) -> None:
        """Draw all parts that there are.

        Raises:
            synth.typeset.fonts.MissingLetters: no font has some letters.
        """
        theme, area = self._theme, self._area
        is_scene = text.is_frame
        if text.number and self._short >= 160 and not self._theme.is_centred:
            self._numeral(picture, text.number)
        widest = _COLUMN_CENTRED if theme.is_centred else _COLUMN
        column = min(area.width, widest * self._short)
        footer = self._part(
            text.footer, _FOOTER, 500, theme.muted, (column, area.height * 0.1), theme.body_fonts
        )
        below = footer.block.height + _GAP_BODY * self._short if footer else 0.0
        label = self._part(
            text.label.upper(),
            _LABEL,
            650,
            theme.accent,
            (column, area.height * 0.1),
            theme.body_fonts,
        )
        room = area.height - below - (label.block.height + _GAP_BAR * self._short if label else 0.0)
        parts = [label] if label else []
        parts += self._main(text, column, room, is_scene)
        bar = _BAR[1] + _GAP_BAR * 0.8 if self._has_bar(text) else 0.0
        height = sum(part.block.height + part.gap for part in parts) + bar * self._short
        place = "high" if is_scene and not theme.is_centred else theme.stands
        spare = max(area.height - below - height, 0.0)
        top = area.top + spare * {"high": 0.0, "middle": 0.46, "low": 1.0}[place]
        if place == "high" and not is_scene:
            top += min(spare, 0.06 * self._short)
        self._stack(picture, parts, top, bar)
        if footer:
            self._place(picture, footer, area.bottom - footer.block.height)

    def _main(self, text: CardText, column: float, room: float, is_scene: bool) -> list[_Part]:
        """Title and body, or the body alone."""
        theme, found = self._theme, []
        bar = (_BAR[1] + _GAP_BAR) * self._short if self._has_bar(text) else 0.0
        room -= bar
        if text.title:
            share = _TITLE_SHARE if text.body else 1.0
            title = self._part(
                text.title,
                _TITLE_OF_SCENE if is_scene else _TITLE,
                theme.title_weight,
                theme.text,
                (column, room * share),
                theme.title_fonts,
                leading=1.06,
                gap=_GAP_TITLE if text.label else 0.0,
            )
            found += [title] if title else []
            room -= sum(part.block.height + part.gap for part in found)
        if text.body:
            is_statement = not text.title
            gap = _GAP_BODY if found else (_GAP_TITLE if text.label else 0.0)
            body = self._part(
                text.body,
                _STATEMENT if is_statement else _BODY_OF_SCENE if is_scene else _BODY,
                500 if is_statement else 420,
                theme.text if is_statement else theme.muted,
                (column, room - gap * self._short),
                theme.title_fonts if is_statement else theme.body_fonts,
                leading=1.24 if is_statement else 1.4,
                gap=gap,
            )
            found += [body] if body else []
        return found

    def _has_bar(self, text: CardText) -> bool:
        return bool(text.title) and not text.is_frame

    def _part(
        self,
        text: str,
        sizes: tuple[float, float, int],
        weight: int,
        colour: str,
        box: tuple[float, float],
        families: tuple[str, ...],
        leading: float = 1.25,
        gap: float = 0.0,
    ) -> _Part | None:
        if not text:
            return None
        han = han_family(text)
        families = (*families, han) if han else families
        shown, left_out = settable(text, self._shelf, families)
        if left_out:
            self._told(
                f"No font here has the symbols {' '.join(left_out[:5])}; the card is drawn without them."
            )
        optical = 48.0 if sizes[0] >= _STATEMENT[0] else 24.0
        typesetter = Typesetter(self._shelf, Lettering(families, weight, leading, optical))
        largest = max(sizes[0] * self._short, _SMALLEST)
        smallest = min(max(sizes[1] * self._short, _SMALLEST), largest)
        limits = FitLimits(
            box[0] * self._scale - 2,
            max(box[1], 0.0) * self._scale,
            largest * self._scale,
            smallest * self._scale,
            sizes[2],
        )
        block = fit_beginning(shown, limits, typesetter)
        if block is None or block.is_cut:
            self._told(
                f"A text of {len(shown)} characters does not fit a card of {self._size[0]} by "
                f"{self._size[1]} pixels; it ends in an ellipsis."
                if block
                else "There is no room for all parts of the card; one is left out."
            )
        return _Part(_scaled(block, self._scale), typesetter, colour, gap * self._short) if block else None

    def _stack(self, picture: Image.Image, parts: list[_Part], top: float, bar: float) -> None:
        theme, short = self._theme, self._short
        if bar and parts:
            long, thick = _BAR[0] * short, max(_BAR[1] * short, 1)
            left = self._left(parts[0], long)
            box = (round(left), round(top), round(left + long), round(top + thick))
            picture.paste(theme.accent, box)
            top += bar * short
        for part in parts:
            top += part.gap
            self._place(picture, part, top)
            top += part.block.height

    def _left(self, part: _Part, width: float) -> float:
        return self._area.left + (self._area.width - width) * self._align(part)

    def _align(self, part: _Part) -> float:
        if self._theme.is_centred:
            return 0.5
        return 1.0 if part.block.is_right_to_left else 0.0

    def _place(self, picture: Image.Image, part: _Part, top: float) -> None:
        """Draw a block. Its mask ends at the safe area, so that no ink can stand outside."""
        area, scale = self._area, self._scale
        high = min(ceil(part.block.height) + 2, area.bottom - round(top))
        if high <= 0:
            return
        mask = Image.new("L", (area.width * scale, high * scale))
        large = _scaled(part.block, 1 / scale)
        large.draw(ImageDraw.Draw(mask), part.typesetter, (0, 0), mask.width, self._align(part))
        picture.paste(part.colour, (area.left, round(top)), mask.reduce(scale) if scale > 1 else mask)

    def _numeral(self, picture: Image.Image, number: str) -> None:
        """A scene's number, large and faint, in the low corner."""
        theme, area, scale = self._theme, self._area, self._scale
        typesetter = Typesetter(self._shelf, Lettering(theme.title_fonts, 800, 1.0, 48.0))
        line = typesetter.line(number, _NUMERAL * self._short * scale)
        if line.width > area.width * scale or line.ascent > area.height * scale:
            return
        mask = Image.new("L", (area.width * scale, (ceil(line.ascent / scale) + 1) * scale))
        place = (mask.width - line.width - line.overhang, line.ascent)
        typesetter.draw(ImageDraw.Draw(mask), line, *place)
        small = mask.reduce(scale) if scale > 1 else mask
        faint = small.point([value // 11 for value in range(256)])
        picture.paste(theme.accent, (area.left, area.bottom - faint.height), faint)


def _scaled(block: TextBlock, scale: float) -> TextBlock:
    """The block in other pixels; its lines stay as they were set."""
    return replace(
        block,
        pitch=block.pitch / scale,
        width=block.width / scale,
        height=block.height / scale,
        top=block.top / scale,
    )
