"""Books of the Bible with chapter and verse: "1 Cor. 13:4-7", "Ps. 23", "John 3:16"."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.rule import TokenRule, compiled
from lib.textnorm.tables import word_list, word_set

#: Of several books that one name has, and of single ones: the name and how it is shortened.
_NUMBERED: Final = """
    Samuel Sam|Kings Kgs|Chronicles Chron Chr|Corinthians Cor|Thessalonians Thess|Timothy Tim|
    Peter Pet|John Jn|Maccabees Macc|Esdras Esd"""
_SINGLE: Final = """
    Genesis Gen Gn|Exodus Exod Exo Ex|Leviticus Lev|Numbers Num|Deuteronomy Deut Dt|Joshua Josh|
    Judges Judg|Ruth|Ezra|Nehemiah Neh|Esther Esth|Job|Psalm Ps Psa|Psalms Pss|Proverbs Prov|
    Ecclesiastes Eccles Eccl|Isaiah Isa|Jeremiah Jer|Lamentations Lam|Ezekiel Ezek|Daniel Dan|
    Hosea Hos|Joel|Amos|Obadiah Obad|Jonah Jon|Micah Mic|Nahum Nah|Habakkuk Hab|Zephaniah Zeph|
    Haggai Hag|Zechariah Zech|Malachi Mal|Matthew Matt Mt|Mark Mk|Luke Lk|Acts|Romans Rom|
    Galatians Gal|Ephesians Eph|Philippians Phil|Colossians Col|Titus Tit|Philemon Philem Phlm|
    Hebrews Heb|James Jas|Jude|Revelation Rev|Tobit Tob|Judith Jdt|Wisdom Wis|Sirach Sir|Baruch Bar"""
#: Other words too, so that a dot or a number before them has to tell that they are books.
_OTHERWISE: Final = word_set(
    "Sam Tim Dan Jon Mic Mal Hag Phil Gal Col Rev Ex Mt Sir Bar Tit Lam Hab Jas Jer Tob Song"
)
#: Shortened, they stand before numbers of other things: "Col. 3", "Num. 5".
_OF_OTHERS: Final = word_set("Col Rev Ex Num Mt Sir Bar Job Acts Gal Dan Sam Tim Phil Song")
#: Names of people and rulers, who may be counted: "2 Kings", "3 Peters".
_COUNTED: Final = word_set("Kings John Peter")


def _names(table: str) -> dict[str, str]:
    return {name: book[0] for book in map(word_list, table.split("|")) for name in book}


_BOOKS: Final = (
    _names(_NUMBERED)
    | _names(_SINGLE)
    | {name: name for name in ("Song of Songs", "Song of Solomon", "Song")}
)
_HOW_MANY: Final = {"John": 3, "Maccabees": 4}  # of that name; two of all others
_MANY: Final = frozenset(_names(_NUMBERED))
_ORDINALS: Final = {"1": "First", "2": "Second", "3": "Third", "4": "Fourth"} | {
    "I": "First",
    "II": "Second",
    "III": "Third",
}


def _alternatives(names: frozenset[str] | dict[str, str]) -> str:
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


_WHICH: Final = rf"(?:(?P<which>[1-4]|I{{1,3}}) (?={_alternatives(_MANY)}))?"
_VERSES: Final = r"\d{1,3}:\d{1,3}[a-c]?(?:[-–](?:\d{1,3}:)?\d{1,3}[a-c]?)?"
_END: Final = r"(?![\w:]|[.,]\d| ?[ap]\.?m\b)"
_BACK: Final = rf"(?<![\w.])(?:I{{1,3}} )?(?:{_alternatives(_BOOKS)})\.? $"
_REACH: Final = 22  # characters of the longest name with its number


def _passage(match: re.Match[str]) -> str | None:
    name, which = match["book"], match["which"]
    if not which and not match["dot"] and name in _OTHERWISE:
        return None
    said = re.sub(_VERSES, lambda verses: _verses(verses[0]), match["at"].replace(", ", "; "))
    return f"{_book(match)} {said}"


def _book(match: re.Match[str]) -> str:
    book = _BOOKS[match["book"]]
    return f"{_ORDINALS[match['which']]} {book}" if match["which"] else book


def _verses(text: str) -> str:
    """ "13:4-7" as "thirteen, four to seven"; a chapter and a verse are parted by a breath."""
    first, _, last = text.replace("–", "-").partition("-")
    return _verse(first) + (f" to {_verse(last)}" if last else "")


def _verse(text: str) -> str:
    return ", ".join(_number(part) for part in text.split(":"))


def _number(text: str) -> str:
    return w.integer(text.rstrip("abc")) + (f" {text[-1].upper()}" if text[-1].isalpha() else "")


def _chapter(match: re.Match[str]) -> str | None:
    """A book with a chapter alone: "1 Cor. 13", "Ps. 23", but "Col. 3" is a column."""
    name, which = match["book"], match["which"]
    if not which and (not match["dot"] or name in _OF_OTHERS or name in _MANY):
        return None
    return f"{_book(match)} {w.integer(match['at'])}"


def _one_of_many(match: re.Match[str]) -> str | None:
    names_a_person = re.match(" [A-Z]", match.string[match.end() : match.end() + 2])  # 2 Samuel Adams
    if (
        match["book"] in _COUNTED
        or names_a_person
        or int(match["which"]) > _HOW_MANY.get(_BOOKS[match["book"]], 2)
    ):
        return None
    return _book(match)


_TITLE: Final = rf"(?<![\w.]){_WHICH}(?P<book>{_alternatives(_BOOKS)})(?!\w)(?P<dot>\.?)"

SCRIPTURE: Final = (
    TokenRule("number", rf"{_TITLE} (?P<at>{_VERSES}(?:(?:[,;]| and| or) {_VERSES}){{0,9}}){_END}", _passage),
    TokenRule(
        "number",
        rf"{_TITLE} (?P<at>\d{{1,3}})(?![\w:%$€£/]|[.,]\d|[-–]\d| (?:hundred|thousand|million|billion)\b)",
        _chapter,
    ),
    TokenRule(
        "number",
        rf"(?<![\w.])(?P<which>[1-4]) (?P<book>{_alternatives(_MANY)})(?!\w)(?P<dot>\.?)",
        _one_of_many,
    ),
)
#: What a dot behind tells of, for the scan.
SHORTENED: Final = frozenset(name.lower() for name, book in _BOOKS.items() if name != book)


def book_before(text: str, at: int, done: int) -> int | None:
    """Where the name of a book begins that a chapter and verse at `at` stand behind."""
    if ":" not in text[at + 1 : at + 4]:
        return None
    match = compiled(_BACK).search(text, max(done, at - _REACH), at)
    return match.start() if match else None


def is_book_number(text: str, at: int) -> bool:
    """Whether an "I" at `at` numbers a book: "I Cor. 13:4"."""
    return any(rule.read(text, at) is not None for rule in SCRIPTURE[:2])
