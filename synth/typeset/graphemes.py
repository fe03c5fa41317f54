"""What a reader takes for one letter: a base with its marks, a syllable of Hangul, a flag, a family of emoji.

The rules of extended grapheme clusters, by general categories instead of the property tables that Python
lacks. Source: https://www.unicode.org/reports/tr29/ (GB6 to GB13).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_JOINER: Final = "\u200d"
_SKINS: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)
_FLAGS: Final = range(0x1F1E6, 0x1F200)
_LEADS: Final = (range(0x1100, 0x1160), range(0xA960, 0xA97D))
_VOWELS: Final = (range(0x1160, 0x11A8), range(0xD7B0, 0xD7C7))
_TAILS: Final = (range(0x11A8, 0x1200), range(0xD7CB, 0xD7FC))
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_WITHOUT_TAIL: Final = 28  # every 28th syllable is one that a tail may follow
#: Signs that join the consonant behind them to the one before: viramas, and Khmer's coeng.
_STACKERS: Final = frozenset(
    "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0c4d\u0ccd\u0d4d\u1039\u17d2\u1a60\u1b44\ua9c0\uaaf6"
)
#: Letters that Thai and Lao write after their base; no line begins with one.
_AFTER_BASE: Final = frozenset("\u0e30\u0e32\u0e33\u0e45\u0e46\u0e2f\u0eb0\u0eb2\u0eb3\u0ec6\u0eaf")
#: Vowels that Thai and Lao write before their consonant; no line ends with one.
_BEFORE_BASE: Final = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")


def clusters(text: str) -> list[str]:
    """The text in its letters; joined again they are the text."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _belongs(text, start, at):
            found.append(text[start:at])
            start = at
    return found if text else []


def _belongs(text: str, start: int, at: int) -> bool:
    """Whether the character at `at` goes on the letter that begins at `start`."""
    before, char = text[at - 1], text[at]
    if before < "\u0300" and char < "\u0300":
        return False
    if before in "\n\r\t" or char in "\n\r\t":
        return False
    if is_extending(char) or char in _AFTER_BASE or before in _BEFORE_BASE:
        return True
    if before == _JOINER:
        return unicodedata.category(char) == "So"
    if ord(char) in _FLAGS:
        run = text[start:at]
        return len(run) % 2 == 1 and all(ord(one) in _FLAGS for one in run)
    if _stacks(text, start, at):
        return True
    return _is_syllable_going_on(ord(before), ord(char))


@lru_cache(maxsize=8192)
def is_extending(char: str) -> bool:
    """Whether it is drawn on, or changes how one draws, the character before it."""
    code = ord(char)
    return char == _JOINER or code in _SKINS or code in _TAGS or unicodedata.category(char)[0] == "M"


def _stacks(text: str, start: int, at: int) -> bool:
    """Whether a sign before it, behind which other marks may stand, joins it to the letter."""
    if not unicodedata.category(text[at]).startswith("L"):
        return False
    back = at - 1
    while back > start and text[back] not in _STACKERS and is_extending(text[back]):
        back -= 1
    return back > start and text[back] in _STACKERS


def _is_syllable_going_on(before: int, code: int) -> bool:
    has_vowel = any(code in part for part in _VOWELS)
    has_tail = any(code in part for part in _TAILS)
    if any(before in part for part in _LEADS):
        return has_vowel or code in _SYLLABLES or any(code in part for part in _LEADS)
    if before in _SYLLABLES and (before - _SYLLABLES.start) % _WITHOUT_TAIL == 0:
        return has_vowel or has_tail
    if before in _SYLLABLES or any(before in part for part in _TAILS):
        return has_tail
    return any(before in part for part in _VOWELS) and (has_vowel or has_tail)
