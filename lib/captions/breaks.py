"""Where a line of text may be cut, and how well it reads when it is cut there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: What a cut costs. Under `HELD` places differ in how well they read; at or over it a cut is for texts only
#: that have no other place.
SENTENCE, CLAUSE, BEFORE_PHRASE, BLANK, AFTER_LINK = 0.0, 1.0, 3.0, 4.0, 8.0
HELD: Final = 1_000.0  # inside a number, a name, an abbreviation and what it belongs to
INSIDE_WORD: Final = 100_000.0
_LONGEST_NAME: Final = 5  # words with capitals; more of them are a headline, whose capitals say nothing


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class BreakPlace:
    """The text may be cut so that `at` begins the next part."""

    at: int
    cost: float


_ENDING: Final = re.compile(r"[.!?…。！？][\"'”’»)\]」』]*$")
_PAUSING: Final = re.compile(r"[,;:—–)\]、，；：][\"'”’»」』]*$")
_PHRASES: Final = _words(
    """and or but nor so yet because although though while when whenever where wherever whereas if unless
    until since before after that which who whom whose whether in on at by for from with without into
    onto over under through during across along among around behind between beyond near off to toward
    towards upon within against about above below beneath beside despite except inside outside past as
    than"""
)
_LINKING: Final = _PHRASES | _words(
    """the a an of my your his her its our their this these those very no not is are was were be been has
    have had will would can could should may might must do does did"""
)
_TITLES: Final = _words(
    """adm atty brig capt cmdr col cpl dr fr ft gen gov hon insp lt maj messrs mlle mme mr mrs ms msgr mt
    pres prof pvt rep rev sen sgt sr sra st ste supt no nos vol fig p pp ch vs v cf ca e.g i.e jr"""
)
_BETWEEN: Final = _words("e.g i.e vs v cf")
_PARTICLES: Final = _words("""van von de da di del der den du la le of bin ibn al el y""")
_MEASURES: Final = _words(
    """hundred thousand million billion trillion dozen percent per a.m p.m am pm bc ad bce ce january
    february march april may june july august september october november december jan feb mar apr jun
    jul aug sep sept oct nov dec kg g mg t km m cm mm ft mi lb lbs oz l ml h min ms hz khz mhz ghz
    kw mw °c °f k kb mb gb tb mph km/h euros dollars pounds cents yen"""
)
_COUNTED: Final = re.compile(r"[(\[\"'“‘«]*[-+−]?[$€£¥]?\d")
_CURRENCY: Final = _words("""$ € £ ¥ USD EUR GBP CHF""")
_WORD: Final = re.compile(r"\S+")
_OPENING: Final = "([{\"'“‘«„¿¡「『（《〈【"
_CLOSING: Final = ")]}\"'”’»,.;:!?…、。，．；：！？」』）》〉】ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々〜～·"
_JOINER: Final = "\u200d"
#: What belongs to the sign before it: how it is drawn, and the tones of skins.
_DRESS: Final = frozenset("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def places(text: str, widest: int, held: Sequence[tuple[int, int]] = ()) -> list[BreakPlace]:
    """Every place where `text` may be cut, in order; words wider than `widest` inside too.

    `held` are stretches that belong together beside those that the text itself shows.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    kept = _held_blanks(text, words)
    found: list[BreakPlace] = []
    for index, (start, end) in enumerate(words):
        if index:
            cost = HELD if index in kept else _cost(text[slice(*words[index - 1])], text[start:end])
            found.append(BreakPlace(start, cost))
        found += _inner(text, start, end, widest)
    return [_within(place, held) for place in found] if held else found


def width(text: str) -> int:
    """How wide it stands: a letter of Chinese, Japanese or Korean as two."""
    return len(text) if text.isascii() else sum(map(_wide, text))


def blank_between(before: str, after: str) -> str:
    """What parts two sentences: a blank, but nothing in a script that has none."""
    return "" if _is_ideograph(before[-1]) and _is_ideograph(after[0]) else " "


@lru_cache(maxsize=4096)
def _wide(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _within(place: BreakPlace, held: Iterable[tuple[int, int]]) -> BreakPlace:
    inside = any(start < place.at < end for start, end in held)
    return BreakPlace(place.at, max(place.cost, HELD)) if inside else place


def _cost(before: str, after: str) -> float:
    if _ENDING.search(before):
        return SENTENCE
    if _PAUSING.search(before):
        return CLAUSE
    if before.casefold() in _LINKING:
        return AFTER_LINK
    return BEFORE_PHRASE if after.casefold() in _PHRASES else BLANK


def _held_blanks(text: str, words: Sequence[tuple[int, int]]) -> set[int]:
    """The words, by number, that belong to the one before them."""
    found = set()
    capitals = _runs_of_capitals(text, words)
    for index in range(1, len(words)):
        before, after = text[slice(*words[index - 1])], text[slice(*words[index])]
        if index in capitals or _belong(before, after):
            found.add(index)
    return found


def _belong(before: str, after: str) -> bool:
    """Whether two words are one number, or a title and its name."""
    bare = after.strip(f"{_OPENING}{_CLOSING}")
    stem = before.lstrip(_OPENING).removesuffix(".")
    counted = _COUNTED.match(after) is not None
    if before[-1].isdigit() and _COUNTED.match(before):
        return counted or bare.casefold() in _MEASURES or after in _CURRENCY or after[0] in "%°€"
    if counted and (before in _CURRENCY or (before[0].isupper() and before[-1].isalnum())):
        return True  # Apollo 11, May 20
    if before.endswith(".") and stem:
        is_title = stem.casefold() in _TITLES or (len(stem) == 1 and stem.isupper() and stem != "I")
        return is_title and (
            bare[:1].isupper() or counted or stem.casefold() in ("e.g", "i.e", "vs", "v", "cf")
        )
    # 20 May, 2024
    return counted and before.endswith(",") and before[:-1].isdigit() and len(before) <= 3


def _runs_of_capitals(text: str, words: Sequence[tuple[int, int]]) -> set[int]:
    """The words, by number, that go on a name which the one before began: New York, Ludwig van Beethoven."""
    found: set[int] = set()
    run: list[int] = []
    for index in range(len(words) + 1):
        goes_on = index < len(words) and (bool(run) and _goes_on(text, words, index))
        if goes_on:
            run.append(index)
            continue
        if 1 < len(run) <= _LONGEST_NAME:
            found.update(run[1:])
        run = [index] if index < len(words) and _is_capital(text[slice(*words[index])]) else []
    return found


def _goes_on(text: str, words: Sequence[tuple[int, int]], index: int) -> bool:
    before, here = text[slice(*words[index - 1])], text[slice(*words[index])]
    if _PAUSING.search(before) or (_ENDING.search(before) and not _is_initial(before)):
        return False
    if _is_capital(here):
        return True
    if here not in _PARTICLES or index + 1 >= len(words):
        return False
    return _is_capital(text[slice(*words[index + 1])])


def _is_initial(word: str) -> bool:
    stem = word.lstrip(_OPENING).removesuffix(".")
    return stem.casefold() in _TITLES or (len(stem) == 1 and stem.isupper() and stem != "I")


def _is_capital(word: str) -> bool:
    return word.lstrip(_OPENING)[:1].isupper()


def _inner(text: str, start: int, end: int, widest: int) -> Iterator[BreakPlace]:
    """The places inside a word: between the letters of scripts without blanks; all in what is too wide."""
    word = text[start:end]
    if word.isascii() and end - start <= widest:
        return
    is_wide = width(word) > widest
    for at in range(start + 1, end):
        before, after = text[at - 1], text[at]
        if before == _JOINER or _clings(after):
            continue
        if _parts(before, after):
            yield BreakPlace(at, _cost_between(before))
        elif is_wide:
            yield BreakPlace(at, INSIDE_WORD / (2 if before in "-/._?&=" else 1))


@lru_cache(maxsize=4096)
def _clings(char: str) -> bool:
    """Whether it is drawn over the sign before it."""
    return char in _DRESS or unicodedata.category(char)[0] == "M"


def _parts(before: str, after: str) -> bool:
    """Whether a line may end between two letters where no blank stands."""
    if not (_is_ideograph(before) or _is_ideograph(after)):
        return False
    return not (before in _OPENING or after in _CLOSING or before.isdigit())


def _cost_between(before: str) -> float:
    if _ENDING.search(before):
        return SENTENCE
    return CLAUSE if _PAUSING.search(before) else BLANK


@lru_cache(maxsize=4096)
def _is_ideograph(char: str) -> bool:
    """Of Chinese and Japanese, with their marks; Korean has blanks."""
    if char < "\u2e80":
        return False
    name = unicodedata.name(char, "")
    return unicodedata.east_asian_width(char) in "WF" and not name.startswith(("HANGUL", "VARIATION"))
