"""Cards: a title or a frame of a storyboard in good letters. It needs no GPU, no network and no money."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from synth.pictures.backend import BadOrder, Picture, PictureOrder, check_order
from synth.pictures.card_grounds import paint_ground
from synth.pictures.card_layout import CardLayout
from synth.pictures.card_text import read_prompt
from synth.pictures.card_themes import THEMES, USUAL_THEME, CardTheme
from synth.typeset.fonts import FontShelf

log = logging.getLogger(__name__)
_PACKED: Final = 6  # of zlib's levels


class CardBackend:
    """Draws the words of a prompt. The same order gives the same bytes while the fonts stay the same.

    Threads: one at a time.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        """`options` may have `theme`, a name of THEMES, `fonts`, further font files and folders, and
        `system_fonts`, False where those of the system are not to be looked at.
        """
        self.name = name
        self._usual = str(options.get("theme") or USUAL_THEME)
        self._fonts: Sequence[Path] = tuple(options.get("fonts") or ())
        self._with_system = bool(options.get("system_fonts", True))
        self._shelf: FontShelf | None = None
        _theme(self._usual)

    def draw(self, order: PictureOrder) -> Picture:
        """Draw a card; some tenths of a second.

        Symbols that no font has are left out and a text that is too long ends in an ellipsis; both are
        logged as warnings.

        Raises:
            BadOrder: it is out of bounds, or its theme is unknown.
            synth.typeset.fonts.MissingLetters: no font has its letters.
            lib.errors.BadConfiguration: a font that a setting names is missing.
        """
        check_order(order)
        started = time.perf_counter()
        theme = _theme(order.theme or self._usual)
        text = read_prompt(order.prompt)
        if not (text.label or text.title or text.body):
            raise BadOrder("the prompt has no letter that can be seen; say what the card is to say")
        if self._shelf is None:
            self._shelf = FontShelf(self._fonts, with_system=self._with_system)
        picture = paint_ground(theme, order.width, order.height, order.seed)
        layout = CardLayout(
            theme, (order.width, order.height), self._shelf, lambda words: log.warning("%s", words)
        )
        layout.draw(picture, text)
        packed = io.BytesIO()
        picture.save(packed, "PNG", compress_level=_PACKED)
        seconds = time.perf_counter() - started
        return Picture(
            packed.getvalue(), order.width, order.height, order.seed, self.name, "card", seconds, 0.0
        )

    def close(self) -> None:
        """Give back the fonts."""
        self._shelf = None


def _theme(name: str) -> CardTheme:
    if name not in THEMES:
        raise BadOrder(f"There is no theme {name[:60]!r}; there are: {', '.join(THEMES)}.")
    return THEMES[name]
