"""Cut what is too long for one breath: at marks, before words that begin clauses, then between words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

#: Characters without any mark; more, and a speaker draws breath where a clause begins. About 12 s.
_BREATH: Final = 220
_UNMARKED: Final = re.compile(rf"[^,;:—–()…]{{{_BREATH + 1},}}")
_MARK: Final = re.compile(r"(?<=[,;:—–)…])\s+")
_CONJUNCTION: Final = re.compile(
    r"\s+(?=(?:and|or|but|nor|so|yet|because|although|though|while|when|whenever|where|wherever|whereas|if|unless"
    r"|until|since|before|after|that|which|who|whom|whose|whether)\b)",
    re.IGNORECASE,
)
_PREPOSITION: Final = re.compile(
    r"\s+(?=(?:in|on|at|by|for|from|with|without|into|onto|over|under|through|throughout|during|across|along"
    r"|among|around|behind|between|beyond|near|off|to|towards?|upon|within|against|about|above|below|beneath"
    r"|beside|despite|except|inside|outside|past|as|than)\b)",
    re.IGNORECASE,
)
_LOOKED_AROUND: Final = 200  # characters on each side of the middle
_LOOKED_FIRST: Final = 30  # which is enough for most
_BETTER_FIRST: Final = (_MARK, _CONJUNCTION, _PREPOSITION)
#: Stands in a word that must not be cut behind it.
HELD: Final = "\ue001"


def fit(sentence: str, longest: int) -> Iterator[str]:
    """The sentence in parts of at most `longest` characters, none of them too long without a mark."""
    if len(sentence) <= min(longest, _BREATH):
        if sentence:
            yield sentence
        return
    place = _place_to_cut(sentence, longest)
    if place is None:
        yield sentence
    elif place == 0:
        yield from _cut_anywhere(sentence, longest)
    else:
        yield from fit(sentence[:place].rstrip(), longest)
        yield from fit(sentence[place:].lstrip(), longest)


def _place_to_cut(sentence: str, longest: int) -> int | None:
    """Where a part ends; None when the sentence fits, 0 when it has no blank to be cut at."""
    if len(sentence) > longest:
        first, last = 0, len(sentence)
    else:
        run = _UNMARKED.search(sentence)
        if run is None:
            return None
        first, last = run.span()
    # Not near the ends, so that cutting ends soon and leaves no crumbs.
    middle = (first + last) / 2
    around = min((last - first) // 3, _LOOKED_AROUND)
    for pattern in _BETTER_FIRST:
        for width in (min(_LOOKED_FIRST, around), around):
            begin, end = math.floor(middle - width), math.ceil(middle + width)
            found = [match.start() for match in pattern.finditer(sentence, begin, end)]
            if found:
                return min(found, key=lambda place: abs(place - middle))
    return _nearest_blank(sentence, round(middle)) or (0 if len(sentence) > longest else None)


def _nearest_blank(sentence: str, middle: int) -> int:
    before, after = sentence.rfind(" ", 0, middle), sentence.find(" ", middle)
    if before <= 0 or (after > 0 and after - middle < middle - before):
        return max(after, 0)
    return before


def _cut_anywhere(word: str, longest: int) -> Iterator[str]:
    first = 0
    while first < len(word):
        last = min(first + longest, len(word))
        while last < len(word) and word[last] == HELD and last > first + 1:
            last -= 1
        yield word[first:last]
        first = last
