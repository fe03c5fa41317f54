"""The shape of a text: characters that cannot be seen, line ends, blanks, words broken at a line's end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from lib.textnorm.edits import Edit
from lib.textnorm.tables import word_set

_PLAIN: Final = re.compile(r"[\x20-\x7e\n]*")
_LINE_ENDS: Final = {"\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n", "\r": "\n"}
_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_UNSEEN: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACES: Final = re.compile(r"(?<=[a-z])-[ ]*\n[ ]*(?=[a-z])|[ ]*\n[ \n]*| {2,}|\A +| +\Z")
#: First parts that keep their hyphen where a line ends at it.
_HYPHENED: Final = word_set("""
    well self ill half high low long short old new twenty thirty forty fifty sixty seventy eighty ninety
    one two three four five six seven eight nine ten ex non all co cross mid multi pre post semi so
    mother father sister brother son daughter first second third left right hard soft open deep full
    good bad north south east west much ever never black white red blue green broad far fast free great
    quick sea time world life""")
_WORD: Final = re.compile(r"[a-z]+$")


def character_edits(text: str) -> list[Edit]:
    """Edits that leave only what can be seen: one kind of line end and of blank, composed letters."""
    if _PLAIN.fullmatch(text):
        return []
    odd = {char: said for char in set(text) if (said := _seen(char)) != char}
    marks = {char for char in set(text) if unicodedata.combining(char) and char not in odd}
    edits = []
    alternatives = [r"\r\n"] if "\r" in odd else []
    if marks:
        alternatives.append(f"[^{_class(marks)}][{_class(marks)}]+")
    if odd:
        alternatives.append(f"[{_class(odd)}]")
    if not alternatives:
        return []
    for match in re.finditer("|".join(alternatives), text, re.DOTALL):
        found = match.group()
        said = "\n" if found == "\r\n" else odd.get(found, found)
        if said == found:
            said = "".join(odd.get(char, char) for char in unicodedata.normalize("NFC", found))
        if said != found:
            edits.append(Edit(match.start(), match.end(), said))
    return edits


def _class(chars: Iterable[str]) -> str:
    return "".join(re.escape(char) for char in sorted(chars))


def _seen(char: str) -> str:
    """The character; a blank for one that separates; nothing for one that only formats."""
    if " " <= char <= "~" or char == "\n":
        return char
    if char in _LINE_ENDS:
        return _LINE_ENDS[char]
    category = unicodedata.category(char)
    if category in _UNSEEN:
        return " " if char == "\u200b" else ""
    if category == "Cc" or category.startswith("Z"):
        return " "
    if "\ufe00" <= char <= "\ufe0f":  # how an emoji is drawn
        return ""
    return _plain(char, category)


def _plain(char: str, category: str) -> str:
    """Letters and digits in another dress: full width, bold, ligatures, lowered digits."""
    if "₀" <= char <= "₉":
        return char.translate(_SUBSCRIPTS)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if (category in ("Ll", "Lu") and char > "\u00ff") or "\u2460" <= char <= "\u24ff":
        plain = unicodedata.normalize("NFKC", char)
        if plain != char and plain.isascii() and plain.isalnum() and not "⁰" <= char <= "⁹":
            return plain if category[0] == "L" else f" {plain} "
    return char


def line_edits(text: str) -> list[Edit]:
    """Edits that join the lines of a paragraph, and words broken between them; one blank line between
    paragraphs.

    A line end that becomes a blank changes no offsets and comes with the others all the same.
    """
    edits = []
    for match in _SPACES.finditer(text):
        found = match.group()
        if found[0] == "-":
            edits.append(_joined(text, match))
            continue
        if match.start() == 0 or match.end() == len(text):
            said = ""
        else:
            said = "\n\n" if found.count("\n") > 1 else " "
        if said != found:
            edits.append(Edit(match.start(), match.end(), said))
    return edits


def _joined(text: str, match: re.Match[str]) -> Edit:
    first = _WORD.search(text[max(0, match.start() - 30) : match.start()])
    if first and first.group() in _HYPHENED:
        return Edit(match.start(), match.end(), "-")
    return Edit(match.start(), match.end(), "", "lines")
