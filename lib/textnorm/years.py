"""Years and decades: when four digits are a year, and how it is said."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import is_plural, word_after, word_before
from lib.textnorm.rule import FOLLOWS, TokenRule, compiled
from lib.textnorm.tables import word_set

YEARLY: Final = word_set("""
    in since until till by circa c ca around before after during year years early late mid spring summer
    autumn fall winter from between january february march april may june july august september october
    november december christmas easter born died fy ad""")
_COUNTED: Final = word_set("about over under nearly almost some exactly only roughly than least most")


def is_year(text: str) -> bool:
    """Whether the digits can be a year."""
    return len(text) == 4 and text.isdecimal() and 1100 <= int(text) <= 2099


def _year(match: re.Match[str]) -> str | None:
    before = word_before(match.string, match.start()).lower()
    after = (
        word_after(match.string, match.end()) if match.string[match.end() : match.end() + 1] == " " else ""
    )
    if before not in YEARLY and (is_plural(after) or before in _COUNTED or before in _COUNTED_THINGS):
        return None
    return w.year(int(match["y"])) + ("'s" if match["own"] else "")


_COUNTED_THINGS: Final = word_set("no nos number numbers room page pages flight extension box")


def _early_year(match: re.Match[str]) -> str | None:
    """A year of the eleventh century, where a word or other years tell that it is one: "in 1066"."""
    text, start = match.string, match.start()
    row = compiled(r"([a-z]+) (?:\d{3,4}(?:,| and| or|, and|, or| to) ){0,6}$").search(
        text[max(0, start - 60) : start].lower()
    )
    after = word_after(text, match.end()) if text[match.end() : match.end() + 1] == " " else ""
    last = match["last"]
    is_life = last and text[start - 1 : start] == "(" and int(last) - int(match["y"]) <= _LONGEST_LIFE
    is_alone = text[start - 1 : start] == "(" and text[match.end() : match.end() + 1] == ")"
    until = _TO_YEAR.match(text, match.end()) if row and row[1] in ("from", "between") else None
    goes_on = until is not None and not is_plural(word_after(text, until.end()))
    if is_plural(after) or not (is_life or is_alone or goes_on or (row and row[1] in _CERTAINLY)):
        return None
    said = w.year(int(match["y"])) + (f" to {w.year(int(last))}" if last else "")
    return f"{said}'s" if match["own"] else said


_TO_YEAR: Final = re.compile(r" (?:to|and) (?:1[1-9]|20)\d\d(?![\w%]|[.,]\d)")
_LONGEST_LIFE: Final = 110
#: Before a year that could be a number as well: "in 1066", not "from 1024".
_CERTAINLY: Final = word_set("in since until till by circa year spring summer autumn winter born died ad")


def _decade(match: re.Match[str]) -> str:
    number, rest = int(match["y"]), int(match["y"][2:])
    if rest:
        century = "twenty" if number >= 2000 else w.cardinal(number // 100)
        return f"{century} {w.plural(w.cardinal(rest))}"
    return w.plural(w.year(number))


def _short_decade(match: re.Match[str]) -> str | None:
    number = int(match["d"])
    if number % 10:
        return None
    return "two thousands" if number == 0 else w.plural(w.cardinal(number))


def _short_year(match: re.Match[str]) -> str:
    return w.two_digits(int(match["d"]))


def _season(match: re.Match[str]) -> str | None:
    """A year and the next: "the 2020/21 season"."""
    first, last = int(match["y"]), int(match["d"])
    return f"{w.year(first)} {w.two_digits(last)}" if (first + 1) % 100 == last else None


YEARS: Final = (
    TokenRule(
        "year",
        r"(?<![\w.,$€£])(?P<y>10\d\d)(?:[-–](?P<last>1\d\d\d))?(?P<own>['’]s)?(?![\w%°$€£])(?!,\d)(?!\.\d)(?![/–-]\d)",
        _early_year,
        bare=True,
    ),
    TokenRule("year", r"(?<![\w.,/])(?P<y>1[1-9]\d\d|20\d\d)/(?P<d>\d\d)(?![\w/]|\.\d)", _season),
    TokenRule("year", r"(?<![\w.,])(?<!\d-)(?P<y>1[1-9]\d0|20\d0)['’]?s" + FOLLOWS, _decade),
    TokenRule("year", r"(?<!\w)['’](?P<d>\d0)['’]?s" + FOLLOWS, _short_decade),
    TokenRule("year", r"(?<![\w.,])(?P<d>[1-9]0)s" + FOLLOWS, _short_decade),
    TokenRule("year", r"(?<!\w)['’](?P<d>\d\d)(?![\w'’\"])", _short_year),
    TokenRule(
        "year",
        r"(?<![\w.,$€£])(?P<y>1[1-9]\d\d|20\d\d)(?P<own>['’]s)?(?![\w%°$€£])(?!,\d)(?!\.\d)(?![/–-]\d)",
        _year,
        bare=True,
    ),
)
