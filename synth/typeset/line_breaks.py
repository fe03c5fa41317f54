"""Where a line may end, in any script: at blanks, between ideographs, inside a word that is too long.

The main rules of https://www.unicode.org/reports/tr14/ with the prohibitions of Japanese and Chinese. How
well a cut reads comes from `lib.captions.breaks`; Thai, Lao, Khmer and Burmese, whose words need a dictionary
to be found, may be cut between any two letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lib.captions.breaks import AFTER_LINK, BLANK, INSIDE_WORD, places
from synth.typeset.graphemes import clusters

_WIDER_THAN_ANY: Final = 1 << 30  # characters; what is too wide is found by measuring
#: No line begins with these, and no line ends with those.
_NOT_FIRST: Final = frozenset(
    ")]}\"'”’»›,.;:!?…%‰°、。，．；：！？」』】）》〉〕〗〙〛｝］｠〟ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ々〻ゝゞヽヾ"
    "〜～·・‥゛゜ｰ｡｣､･ｧｨｩｪｫｬｭｮｯ％‐–៖។៕៙៚၊။།"
)
_NOT_LAST: Final = frozenset("([{“‘«‹„¿¡「『【（《〈〔〖〘〚｛［｟〝$£¥€＄￥￡#＃")
_GLUE: Final = frozenset("\u00a0\u202f\u2007\u2060\ufeff\u2011")
_AFTER: Final = frozenset("-‐–—/\\&=?_|\u00ad\u200b\u2028")
SOFT_HYPHEN: Final = "\u00ad"
ZERO_SPACE: Final = "\u200b"
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
)


@dataclass(frozen=True, slots=True)
class LineEnd:
    """A line may end so that the character at `at` begins the next one."""

    at: int
    cost: float  # as in lib.captions.breaks; INSIDE_WORD only where nothing else is left


def line_ends(text: str) -> list[LineEnd]:
    """Every place in a text of one paragraph, in order; the last is its end.

    Places between any two letters are among them with INSIDE_WORD, for words that no line holds.
    """
    reading = {place.at: place.cost for place in places(text, _WIDER_THAN_ANY)}
    found = list(_ends(text, reading))
    found.append(LineEnd(len(text), 0.0))
    return found


def _ends(text: str, reading: dict[int, float]) -> Iterator[LineEnd]:
    at = 0
    before = ""
    for cluster in clusters(text):
        if before and not cluster.isspace():
            if _is_blank(before[-1]):
                yield LineEnd(at, reading.get(at, BLANK))
            elif _may_part(before, cluster):
                # Of words that no blank parts one is cut in two perhaps: after a blank it reads better.
                yield LineEnd(at, reading.get(at, AFTER_LINK))
            elif _may_split(before, cluster):
                yield LineEnd(at, INSIDE_WORD)
        before = cluster
        at += len(cluster)


def _is_blank(char: str) -> bool:
    return char.isspace() and char not in _GLUE


def _may_split(before: str, cluster: str) -> bool:
    """Whether a word that no line holds may be cut there."""
    return not (
        before[-1] in _GLUE or cluster[0] in _GLUE or cluster[0] in _NOT_FIRST or before[-1] in _NOT_LAST
    )


def _may_part(before: str, cluster: str) -> bool:
    last, first = before[-1], cluster[0]
    if last in _GLUE or first in _GLUE or first in _NOT_FIRST or before[0] in _NOT_LAST:
        return False
    if last in _AFTER:
        # 3-4 and -5 stay whole; a word with a hyphen does not.
        return not first.isdigit() or last in "\u200b\u00ad—"
    return (_parts_freely(before[0]) and _parts_freely(first)) or _is_wide_beside(before[0], first)


def _is_wide_beside(before: str, first: str) -> bool:
    """An ideograph beside a Latin word: a line may end between them, except after an opening bracket."""
    return (_is_ideograph(before) and first.isalnum()) or (before.isalnum() and _is_ideograph(first))


@lru_cache(maxsize=8192)
def _parts_freely(char: str) -> bool:
    """Whether its script has no blanks between words."""
    code = ord(char)
    return _is_ideograph(char) or any(low <= code <= high for low, high in _UNSPACED)


@lru_cache(maxsize=8192)
def _is_ideograph(char: str) -> bool:
    """Chinese, Japanese and their marks, and emoji; Korean has blanks."""
    if char < "\u2e80" or unicodedata.east_asian_width(char) not in "WF":
        return False
    return not unicodedata.name(char, "").startswith("HANGUL")
