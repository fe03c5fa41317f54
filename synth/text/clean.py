"""Take out of a text what can be neither seen nor spoken."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LINE_ENDS: Final = re.compile(r"\r\n?|\v|\f|\x85|\u2028")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_PARAGRAPH: Final = re.compile(r" ?\n ?(?:\n ?)+")


def clean_text(text: str) -> str:
    """NFC, one kind of line end, no control, format or unassigned characters, single blanks.

    Line ends stay; a blank line (a paragraph's end) stays as exactly one.
    """
    text = _LINE_ENDS.sub("\n", text).replace("\u2029", "\n\n").replace("\t", " ")
    if not (text.isascii() and text.replace("\n", "").isprintable()):
        text = unicodedata.normalize("NFC", "".join(_visible(char) for char in text))
    return _PARAGRAPH.sub("\n\n", _BLANKS.sub(" ", text)).strip()


def _visible(char: str) -> str:
    """The character; a blank for one that separates words; nothing for one that only formats."""
    if char == "\n":
        return char
    category = unicodedata.category(char)
    if category in ("Cf", "Cs", "Co", "Cn"):
        # A zero-width space separates words; joiners, marks of direction and the like do not.
        return " " if char == "\u200b" else ""
    return " " if category == "Cc" or category.startswith("Z") else char
