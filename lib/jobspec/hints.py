"""What was probably meant by a value that is no number or no time, and how to write it."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[ ,_'\u00a0\u202f][0-9]{3})+")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]{1,2}")
_WITH_UNIT: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]{1,8})")
_CLOCK: Final = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-5][0-9])")
_TIME_OF_DAY: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("k", "khz"), 1000.0),
    **dict.fromkeys(("hz", "x", "db", "dbfs", "lufs", "lu", "px"), 1.0),
    "ms": 0.001,
    "%": 0.01,
}
_MINUS_LIKE: Final = ("\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212")  # hyphens, dashes, minus
_LAST_SECOND: Final = 253_402_300_799
# What a count since 1970 is counted in when it is too large for seconds: one for each step of a thousand.
_FINER: Final = (("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000))
_LARGEST_COUNT: Final = 1e25  # no count of nanoseconds is larger, and an endless number fits no float
_FIRST_LIKELY: Final = 946_684_800  # 2000-01-01: nobody writes an earlier moment
_LAST_LIKELY: Final = 4_102_444_800  # 2100-01-01


def number_hint(value: object) -> str | None:
    """How to write a number that was given as text, or None where it is none."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text[:1] in _MINUS_LIKE and _NUMBER.fullmatch(text[1:]):
        return f"write -{text[1:]}, with an ordinary minus sign"
    if _NUMBER.fullmatch(text):
        return _bare(text)
    if _GROUPED.fullmatch(text):
        return f"write {re.sub(r'[^0-9+-]', '', text)}, without marks between the digits"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}, with a point"
    clock = _CLOCK.fullmatch(text)
    if clock:
        seconds = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
        return f"write {seconds} if that means so many seconds"
    unit = _WITH_UNIT.fullmatch(text)
    if unit and unit[2].lower() in _UNITS:
        return f"write {_plain(float(unit[1]) * _UNITS[unit[2].lower()])}, without a unit"
    return None


def _bare(text: str) -> str:
    """For a text that is a number to people. YAML takes `10` for one, but neither `089` nor `1e3`."""
    if re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", text):
        return "leave the quotes away"
    number = float(text)
    if not math.isfinite(number):
        return "write it out in digits"
    digits = text.lstrip("+-")
    if digits[:1] == "0" and digits[1:2].isdecimal():
        return f"write {_plain(number)}, without zeros in front and without quotes"
    return f"write {_plain(number)}, without quotes"


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"


def count_hint(value: int | float) -> str | None:
    """What a number too large for seconds since 1970 counts instead, and its seconds."""
    if not -_LARGEST_COUNT < value < _LARGEST_COUNT:
        return None
    for unit, per_second in _FINER:
        seconds = value / per_second
        if _FIRST_LIKELY <= seconds <= _LAST_LIKELY:
            whole = int(seconds)
            moment = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return f"it looks like {unit}: write {whole}, or {moment}"
    return None


def time_hint(value: object) -> str | None:
    """How to write a moment that lacks a part, or None where that cannot be told."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return _with_an_hour(value.isoformat())
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        count = float(text)
        if count > _LAST_SECOND:
            return count_hint(count)
        return "leave the quotes away" if text.isdecimal() else None
    if _DAY.fullmatch(text):
        return _with_an_hour(text)
    if _TIME_OF_DAY.fullmatch(text):
        return "write the day before it and the zone behind it"
    if re.match(r"\d{4}-\d{2}-\d{2}[Tt ]\d:", text):
        return "write the hour with two digits"
    if text != value:
        return "leave the blanks around it away"
    return None


def _with_an_hour(day: str) -> str:
    return f"write the hour, too: {day}T00:00:00Z for its start in UTC"
