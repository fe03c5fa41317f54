"""Takes out of a text what can be neither seen nor spoken: controls, formats, odd blanks and line ends."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LINE_ENDS: Final = re.compile(r"\r\n?|\v|\f|\x85|\u2028")
_BLANKS: Final = re.compile(r" {2,}")
_REMEMBERED: Final = 0x3000  # of code points; all there are would fill the memory
_PARAGRAPH: Final = re.compile(r" ?\n ?(?:\n ?)+")


def clean_text(text: str) -> str:
    """NFC, one kind of line end, no control, format or unassigned characters, single blanks.

    Line ends stay; a blank line (a paragraph's end) stays as exactly one.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\u2029", "\n\n").replace("\t", " ")
    if not (text.isascii() and text.replace("\n", "").isprintable()):
        text = unicodedata.normalize("NFC", text.translate(_VISIBLE))
    if "  " in text:  # no other blank is left
        text = _BLANKS.sub(" ", text)
    return _PARAGRAPH.sub("\n\n", text).strip()


class _Visible(dict[int, str]):
    """What is seen of each character, for `str.translate`; what was found once is looked up."""

    def __missing__(self, code: int) -> str:
        seen = _visible(chr(code))
        if code < _REMEMBERED:
            self[code] = seen
        return seen


def _visible(char: str) -> str:
    """The character; a blank for one that separates words; nothing for one that only formats."""
    if char == "\n":
        return char
    category = unicodedata.category(char)
    if category in ("Cf", "Cs", "Co", "Cn"):
        # A zero-width space separates words; joiners, marks of direction and the like do not.
        return " " if char == "\u200b" else ""
    return " " if category == "Cc" or category.startswith("Z") else char


_VISIBLE: Final = _Visible()
