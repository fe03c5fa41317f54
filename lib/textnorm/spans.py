"""From one day or month to another: "Mon-Fri", "Jan.–Mar.", "Dec. 24-Jan. 2"."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import ends_sentence
from lib.textnorm.rule import TokenRule
from lib.textnorm.tables import word_list
from lib.textnorm.times import MONTHS, month_name

_DAYS: Final = word_list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_SHORT_DAYS: Final = {day[:3]: day for day in _DAYS} | {
    "Tues": "Tuesday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
}
_SHORT_MONTHS: Final = [*(month[:3] for month in MONTHS), "Sept"]


def _alternatives(names: list[str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_DAY: Final = _alternatives([*_DAYS, *_SHORT_DAYS])
_MONTH: Final = _alternatives([*MONTHS, *_SHORT_MONTHS])
#: A dash between two of them, for the scan.
DASH_BETWEEN: Final = rf"[-–](?:(?<=[a-z]-)|(?<=[a-z]–))(?=(?:{_DAY}|{_MONTH})(?![\w'’-]))"


def _span(match: re.Match[str]) -> str | None:
    first, last = match["first"], match["last"]
    are_whole = first in MONTHS and last in MONTHS
    if are_whole and match["dash"] == "-" and "May" in (first, last):
        return None  # a May-December romance
    is_short = last in _SHORT_DAYS or (last in _SHORT_MONTHS and last != "May")
    is_end = match[0].endswith(".") and (not is_short or ends_sentence(match.string, match.end()))
    return f"{_name(first)} to {_name(last)}{'.' if is_end else ''}"


def _name(text: str) -> str:
    return _SHORT_DAYS.get(text) or month_name(text)


def _dates(match: re.Match[str]) -> str | None:
    first, last = int(match["d1"]), int(match["d2"])
    if not (1 <= first <= 31 and 1 <= last <= 31):
        return None
    return f"{_name(match['first'])} {w.ordinal(first)} to {_name(match['last'])} {w.ordinal(last)}"


SPANS: Final = (
    TokenRule(
        "date",
        rf"(?<![\w'’-])(?P<first>{_MONTH})\.? (?P<d1>\d{{1,2}})(?:st|nd|rd|th)? ?[-–] ?"
        rf"(?P<last>{_MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\w%:$€£]|[.,/]\d)",
        _dates,
    ),
    TokenRule(
        "date",
        rf"(?<![\w'’-])(?P<first>{_DAY})\.?(?P<dash> ?[-–] ?)(?P<last>{_DAY})(?![\w'’-])\.?",
        _span,
    ),
    TokenRule(
        "date",
        rf"(?<![\w'’-])(?P<first>{_MONTH})\.?(?P<dash> ?[-–] ?)(?P<last>{_MONTH})(?![\w'’-])(?:\.(?!\d))?",
        _span,
    ),
)
