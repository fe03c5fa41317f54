"""Characters that look like others to people and are something else to a parser: blanks, quotes, letters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Blanks that are no space: the no-break space of web pages, those of typesetting, and what has no width.
ODD_BLANKS: Final = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_ODD_BLANK: Final = re.compile(f"[{ODD_BLANKS}]")
_QUOTES: Final = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_STRIPPED: Final = re.compile(f"^[\\s{ODD_BLANKS}{_QUOTES}]+|[\\s{ODD_BLANKS}{_QUOTES}]+$")


def named(character: str) -> str:
    """A character for an error, by number and name: `the character U+00A0 (no-break space)`."""
    name = unicodedata.name(character, "").lower()
    return f"the character U+{ord(character):04X}{f' ({name})' if name else ''}"


def odd_blank_in(text: str) -> str | None:
    """The first blank of a text that is no space, or None."""
    found = _ODD_BLANK.search(text)
    return found[0] if found else None


def stripped(text: str) -> str:
    """The text without blanks of any kind and typographic quotes around it."""
    return _STRIPPED.sub("", text)


def quotes_hint(text: str) -> str | None:
    """What to do about typographic quotes that stand around a value; None when there are none."""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        return f'{text[0]} and {text[-1]} are letters to YAML and JSON; leave them away, or write " instead'
    return None


def key_fault(key: str, known: tuple[str, ...]) -> tuple[str, str] | None:
    """What is wrong with a key that looks like a known one, and what mends it; None when it does not."""
    if key.isascii():
        return None
    bare = stripped(key)
    blank = odd_blank_in(key)
    if bare in known:
        if blank is not None:
            return f"holds {named(blank)}, which is no space", f"write {bare} with ordinary spaces around it"
        return "has typographic quotes, which are letters here", f"write {bare} without them"
    strange = next((character for character in bare if not character.isascii()), None)
    likely = next((name for name in known if _same_shape(bare, name)), None)
    if strange is not None and likely is not None:
        return f"is not {likely}: it holds {named(strange)}, which only looks alike", f"type {likely} anew"
    return None


def _same_shape(word: str, name: str) -> bool:
    """Whether the two differ only where `word` has letters of another script."""
    return len(word) == len(name) and all(
        given == meant or not given.isascii() for given, meant in zip(word, name, strict=True)
    )
