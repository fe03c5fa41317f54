"""Full stops that end no sentence: abbreviations and initials, by what may follow them.

A text that comes here has most of its abbreviations written out already; this holds for what is left, and
for texts that nobody wrote out.
"""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Before a name, and only with a capital: "Dr. Smith", "Ft. Worth"; "one more rep. Then" ends.
_BEFORE_NAMES: Final = _words(
    """adm atty brig br capt cmdr col cpl cpt det dr fr ft gen gov hon insp lt maj messrs mlle mme mr mrs ms
    msgr mt mts pres prof pt pvt rep rev sen sgt sra srta st ste supt"""
)
#: Parts of a date, with a capital.
_DATES: Final = _words("jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri")
#: Names of roads, with a capital. Some of them stand before names too.
_ROADS: Final = _words("st dr ave blvd rd ln sq hwy pkwy pl ct")
#: Only before a number: "No. 5", "c. 1890"; "He said no. She left." ends.
_BEFORE_NUMBERS: Final = _words(
    "no nos nr p pp fig figs vol vols ch chap op pt pts ed eds sec sect art par para eq eqs bk"
    " ca c b d r fl n"
)
#: In the middle of a sentence, whatever follows.
_INSIDE: Final = _words("v vs cf viz al ca approx esp incl excl resp eg ie")
#: Of firms and persons, which end a sentence where a capital follows: "at Acme Inc. The rest".
_ENDS_TOO: Final = _words("etc inc ltd co corp llc plc bros jr sr dept assn univ est")
_ALL: Final = _BEFORE_NAMES | _DATES | _ROADS | _BEFORE_NUMBERS | _INSIDE | _ENDS_TOO
#: Words that begin sentences and no names.
_STARTERS: Final = _words(
    """A After All An And As At Before But By For From He Her Here His How I If In It Its My No Nobody Not Now
    Of On One Or Our She So Some Soon That The Their Then There These They This Those Though To Today We What
    When Where While Who Why With Yet You Your"""
)
_NUMERAL: Final = re.compile(r"\d|[IVXLCDM]+\b")
_FIRST_WORD: Final = re.compile(r"\w+")


def is_abbreviation(word: str, before: str, after: str) -> bool:
    """Whether the full stop behind `word` ends no sentence. `before` and `after` are the rest of the line."""
    single = len(word) == 1
    if not single and "." not in word and word.casefold() not in _ALL:
        return False  # nearly every word
    following = _first_word(after)
    if single and word.isupper():
        return word != "I" and following not in _STARTERS  # an initial; "plan B. The" ends
    if "." in word and all(len(part) == 1 for part in word.split(".")):
        # e.g. and i.e.; "at 5 p.m. The" ends, "the U.S. Army" does not
        return not following[:1].isupper() or (word.isupper() and following not in _STARTERS)
    return _is_known(word, before, following)


def _first_word(text: str) -> str:
    """The first word, with its full stop where it is an initial: "A. Milne" begins with no article."""
    found = _FIRST_WORD.search(text)
    if found is None:
        return ""
    end = found.end()
    return (
        text[found.start() : end + 1]
        if len(found.group()) == 1 and text[end : end + 1] == "."
        else found.group()
    )


def _is_known(word: str, before: str, following: str) -> bool:
    folded = word.casefold()
    if word[:1].isupper():
        if folded in _ROADS and following in _STARTERS:
            return not _follows_a_name(before)
        if folded in _BEFORE_NAMES or folded in _ROADS:
            return True
        if folded in _DATES:
            return following not in _STARTERS
    if folded in _BEFORE_NUMBERS and _NUMERAL.match(following):
        return True
    if folded in _ENDS_TOO:
        return not following[:1].isupper()
    return folded in _INSIDE


def _follows_a_name(before: str) -> bool:
    """Whether the word in front could name a road: "Main St. The" and "42nd St. The", not "near St. In"."""
    words = before.rsplit(None, 1)
    last = words[-1] if words else ""
    return (last[:1].isupper() and last not in _STARTERS) or last[:1].isdigit()
