"""What stands around a token: the words before and after it, and what they tell."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm.tables import word_set

_REACH: Final = 40
_BEFORE: Final = re.compile(r"([^\W_]+(?:['’.-][^\W_]+)*)\.?[\s(\"“]*$")
_AFTER: Final = re.compile(r"[\s]?([^\W\d_]+(?:['’][^\W\d_]+)*)")
_ENDS: Final = ".!?…:\n"
_CLOSING: Final = "\"'”’»)] "

#: Words that sentences often begin with; as the next word with a capital they tell that one has ended.
STARTERS: Final = word_set("""
    The A An He She It They We I You In On At But And So Then There This That These Those When While If
    As After Before His Her Its Their Our My Your What Who Why How Where Nobody Everybody Someone No Not
    Yes For From With By To Now Later Soon One Two Some Most Many All Each Every Once Although Because
    Since Until Here Both Meanwhile However Perhaps Please Let Do Did Is Are Was Were Has Have Had Can
    Could Will Would Should""")
#: Lower-case words that are no nouns, so that nothing before them is said as part of a compound.
FUNCTION_WORDS: Final = word_set("""
    a an the and or but nor so yet if as at by for from in into of off on onto out over per since than
    that then this these those till to until up upon via was were is are be been being has have had
    having does did do done will would shall should can could may might must not no its his hers ours
    yours theirs us him her them they he she it we you i who whom whose which what when where why how
    there here ago away apart later earlier long high tall wide deep thick across around above below
    under behind ahead before after between more less each every both all some any just only also too
    very once again always perhaps plus minus times total left right yes please because while during
    within without against along among about down through towards toward across instead unless whereas
    though although however still even ever never already now today tonight yesterday tomorrow soon
    sometimes besides afterwards upwards downwards onwards north south east west old wide heavy square
    faster slower longer shorter higher lower better worse""")
#: Before a number with a letter that is a name of something: "Gate 4B", "flat 12A".
LABELLED: Final = word_set("""
    apt apartment flat room rm gate seat row platform bay bus route unit suite ste section sec figure fig
    figs table appendix exhibit chapter page class grade form level block lot box bin plate part model
    question exercise step item building bldg house stand pier ward""")
_PLURALS: Final = word_set("people men women children feet teeth mice sheep cattle police fish staff")
_NO_PLURALS: Final = ("ss", "us", "is", "ous")
ARTICLES: Final = word_set("a an the this that each every another one our his her its their your my")


def word_before(text: str, at: int) -> str:
    """The word that ends before `at`, without its dot; empty where a line begins or a mark parts them."""
    match = _BEFORE.search(text[max(0, at - _REACH) : at])
    return match.group(1) if match else ""


def words_before(text: str, at: int, reach: int = 60) -> list[str]:
    """The words of the sentence before `at`, in lower case."""
    stretch = text[max(0, at - reach) : at]
    cut = max(stretch.rfind(mark) for mark in ".!?\n")
    return re.findall(r"[a-z'’]+", stretch[cut + 1 :].lower())


def word_after(text: str, at: int) -> str:
    """The word that begins at `at` or after one blank."""
    match = _AFTER.match(text, at)
    return match.group(1) if match else ""


def is_sentence_start(text: str, at: int) -> bool:
    """Whether a sentence or line begins at `at`."""
    before = text[max(0, at - _REACH) : at].rstrip(_CLOSING + "“‘«([")
    return before == "" if at <= _REACH else before[-1:] in _ENDS


def ends_sentence(text: str, at: int) -> bool:
    """Whether a dot that ends at `at` also ends the sentence: the text does, or the next word begins one."""
    rest = text[at : at + _REACH].lstrip("\"'”’»)]")
    if not rest.strip() or rest.lstrip(" ").startswith("\n"):
        return True
    word = word_after(text, at + (len(text[at : at + _REACH]) - len(rest)))
    return word in STARTERS


def is_plural(word: str) -> bool:
    """Whether a lower-case word looks like a plural noun."""
    if not word.islower() or word in FUNCTION_WORDS:
        return False
    return word in _PLURALS or (len(word) > 3 and word.endswith("s") and not word.endswith(_NO_PLURALS))


def is_attributive(text: str, start: int, end: int) -> bool:
    """Whether a quantity describes the noun after it: "a 20 foot container", "40 foot boxes"."""
    after = word_after(text, end) if text[end : end + 1] in (" ", "-") else ""
    if not after.islower() or after in FUNCTION_WORDS:
        return False
    return word_before(text, start).lower() in ARTICLES or is_plural(after)
