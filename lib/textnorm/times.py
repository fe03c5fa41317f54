"""Times of day and dates."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.context import FUNCTION_WORDS, ends_sentence, word_after, word_before, words_before
from lib.textnorm.rule import DASH, TokenRule
from lib.textnorm.tables import word_list, word_set

MONTHS: Final = word_list(
    "January February March April May June July August September October November December"
)
_SHORT: Final = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
_MONTH: Final = "|".join([*MONTHS, "Sept", *(month[:3] for month in MONTHS)])
_HALF: Final = r"(?: ?(?P<half>[AaPp])(?:\. ?[Mm]\.|[Mm](?!\w))(?![\w]))"


def month_name(text: str) -> str:
    """The whole name of a month that may be shortened."""
    name = text.rstrip(".").capitalize()
    return _SHORT.get(name, name)


def _half(match: re.Match[str], group: str = "half") -> str:
    half = match[group]
    if not half:
        return ""
    dot = "." if match[0].endswith(".") and ends_sentence(match.string, match.end()) else ""
    return f" {half.upper()} M{dot}"


def _clock(hours: str, minutes: str | None, has_half: bool) -> str | None:
    hour = int(hours)
    if hour > 24 or (minutes is not None and int(minutes) > 59):
        return None
    if minutes is None:
        return w.cardinal(hour)
    if int(minutes) == 0:
        if has_half:
            return w.cardinal(hour)
        if hours.startswith("0") or hour > 12 or hour == 0:
            return f"{'zero' if hour == 0 else 'oh ' * hours.startswith('0') + w.cardinal(hour)} hundred"
        return f"{w.cardinal(hour)} o'clock"
    return f"{w.cardinal(hour)} {w.two_digits(int(minutes))}"


def _time(match: re.Match[str]) -> str | None:
    said = _clock(match["h"], match["m"], bool(match["half"]))
    if said is None or (match["s"] and int(match["s"]) > 59):
        return None
    if match["s"]:
        if match["m"] == "00":
            said = w.cardinal(int(match["h"])) + " zero zero"
        said += f" and {w.cardinal(int(match['s']))} seconds"
    return said + _half(match)


def _lasts(match: re.Match[str]) -> str | None:
    """Hours, minutes and seconds that something takes: "a marathon in 2:01:09", where no time of day is."""
    before = words_before(match.string, match.start())
    last, after = before[-1] if before else "", word_after(match.string, match.end())
    is_race = bool(_RACING.intersection([*before[-8:], after])) or before[-2:-1] == ["time"]
    if last in _AT_TIMES or not (last in _TAKING or int(match["h"]) > 24 or is_race):
        return None
    return ", ".join(
        f"{w.number(value)} {name if int(float(value)) == 1 and '.' not in value else name + 's'}"
        for value, name in (
            (_bare(match["h"]), "hour"),
            (_bare(match["m"]), "minute"),
            (_bare(match["s"]) + (match["f"] or ""), "second"),
        )
        if value != "0"
    )


def _minutes(match: re.Match[str]) -> str | None:
    """Minutes and seconds, where no clock shows so many or the words say it: "at 45:00", "12:34 long"."""
    if int(match["m"]) <= 24 and word_after(match.string, match.end()) != "long":
        return None
    said = f"{w.cardinal(int(match['m']))} {'minute' if int(match['m']) == 1 else 'minutes'}"
    seconds = int(match["s"])
    return f"{said}, {w.cardinal(seconds)} {'second' if seconds == 1 else 'seconds'}" if seconds else said


def _bare(digits: str) -> str:
    return str(int(digits))


_AT_TIMES: Final = word_set("at by until till since around before after")
_TAKING: Final = word_set(
    "in took takes take taking of lasted lasts last lasting ran runs within under for length"
)
_RACING: Final = word_set("""
    marathon race raced runner runners finished finishes finish record runtime duration lap laps stage
    film album playing swim ride cyclist ironman triathlon""")


def _french(match: re.Match[str]) -> str | None:
    """An hour with an h: a time of day, or how long something takes: "at 17h30", "in 1h45"."""
    hour, minute = int(match["h"]), int(match["m"])
    if hour > 24:
        return None
    if word_before(match.string, match.start()).lower() in _AT_HOURS or hour > 12:
        return _clock(match["h"], match["m"], False)
    hours = f"{w.cardinal(hour)} {'hour' if hour == 1 else 'hours'}"
    return f"{hours} {w.cardinal(minute)} {'minute' if minute == 1 else 'minutes'}" if minute else hours


_AT_HOURS: Final = word_set("at by until till from since around before after to and")


def _times(match: re.Match[str]) -> str | None:
    first = _clock(match["h1"], match["m1"], bool(match["half1"] or match["half"]))
    second = _clock(match["h2"], match["m2"], bool(match["half"]))
    if first is None or second is None:
        return None
    half1 = f" {match['half1'].upper()} M" if match["half1"] else ""
    return f"{first}{half1} to {second}{_half(match)}"


def _said_year(text: str | None) -> str:
    if not text:
        return ""
    if len(text) == 2:
        return f" {w.two_digits(int(text))}"
    return f" {w.year(int(text))}"


def _day_month(match: re.Match[str]) -> str | None:
    day = int(match["d"])
    if not 1 <= day <= 31:
        return None
    the = "" if word_before(match.string, match.start()).lower() == "the" else "the "
    if match["d2"]:
        return (
            f"{the}{w.ordinal(day)} to the {w.ordinal(int(match['d2']))} "
            f"of {month_name(match['mon'])}{_said_year(match['y'])}"
        )
    return f"{the}{w.ordinal(day)} of {month_name(match['mon'])}{_said_year(match['y'])}"


def _month_day(match: re.Match[str]) -> str | None:
    day = int(match["d"])
    if not 1 <= day <= 31:
        return None
    last = f" to {w.ordinal(int(match['d2']))}" if match["d2"] else ""
    return f"{month_name(match['mon'])} {w.ordinal(day)}{last}{_said_year(match['y'])}"


def _month_year(match: re.Match[str]) -> str:
    return f"{month_name(match['mon'])}{_said_year(match['y'])}"


def _date(year: str | None, month: int, day: int, *, day_first: bool = False) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if day_first:
        return f"the {w.ordinal(day)} of {MONTHS[month - 1]}{_said_year(year)}"
    return f"{MONTHS[month - 1]} {w.ordinal(day)}{_said_year(year)}"


def _iso(match: re.Match[str]) -> str | None:
    said = _date(match["y"], int(match["m"]), int(match["d"]))
    if said is None or not match["h"]:
        return said
    clock = _clock(match["h"], match["min"], False)
    return None if clock is None else f"{said}, {clock}"


def _numeric(match: re.Match[str]) -> str | None:
    first, second, year = int(match["a"]), int(match["b"]), match["y"]
    if match["mark"] != "/" or first > 12:
        return _date(year, second, first, day_first=True)
    return _date(year, first, second)


def _short_date(match: re.Match[str]) -> str | None:
    """A month and a day without a year, where "on" or a weekday says that it is one: "on 12/25"."""
    before, after = word_before(match.string, match.start()), word_after(match.string, match.end())
    if (before.lower() != "on" or after in ("of", "a", "an", "the")) and before not in _WEEKDAYS:
        return None
    if after and after not in FUNCTION_WORDS:
        return None
    first, second = int(match["a"]), int(match["b"])
    if (first, second) in ((9, 11), (24, 7)):
        return None
    return _date(None, second, first, day_first=True) if first > 12 else _date(None, first, second)


_WEEKDAYS: Final = word_set("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_DAY: Final = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:,? (?P<y>1\d{3}|20\d\d)(?![\w%]|[.,]\d))?"

TIMES: Final = (
    TokenRule(
        "date",
        r"(?<![\w.-])(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ](?P<h>\d\d):(?P<min>\d\d)"
        r"(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])",
        _iso,
    ),
    TokenRule(
        "date",
        r"(?<![\w./-])(?P<a>\d{1,2})(?P<mark>[/.-])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4}|(?<=/)\d\d)"
        r"(?![\w/-])(?!\.\d)",
        _numeric,
        bare=True,
    ),
    TokenRule(
        "date", r"(?<![\w./-])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\w/%]|[.,]\d| ?[a-z]{1,3}\.)", _short_date
    ),
    TokenRule(
        "date",
        rf"(?<![\w.,$€£-]){_DAY}(?: ?{DASH} ?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?)? (?:of "
        rf")?(?P<mon>{_MONTH})\b(?!['’])\.?(?! \d{{1,2}}\b(?! ?[-\d])){_YEAR}",
        _day_month,
    ),
    TokenRule(
        "unit",
        r"(?<![\w.:,])(?P<h>\d{1,3}):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?P<f>\.\d{1,3})?(?! ?[ap]\.?m\b)(?![\w:])",
        _lasts,
    ),
    TokenRule("unit", r"(?<![\w.:,])(?P<m>\d{1,3}):(?P<s>[0-5]\d)(?![\w:]|[.,]\d|[-–]\d)", _minutes),
    TokenRule("time", r"(?<![\w.:,])(?P<h>\d{1,2})h(?P<m>[0-5]\d)(?!\w)", _french),
    TokenRule(
        "time",
        rf"(?<![\w.:,])(?P<h1>\d{{1,2}})(?:[:.](?P<m1>\d\d))?(?: ?(?P<half1>[ap])"
        rf"\.?m\.?)? ?(?:{DASH}|to) ?(?P<h2>\d{{1,2}})(?:[:.](?P<m2>\d\d))?{_HALF}",
        _times,
    ),
    TokenRule(
        "time",
        rf"(?<![\w.:,])(?P<h1>\d{{1,2}}):(?P<m1>\d\d) ?(?:{DASH}) ?(?P<h2>\d{{1,2}}):(?P<m2>\d\d)"
        rf"(?P<half1>)(?P<half>)(?![\w:])",
        _times,
    ),
    TokenRule("time", rf"(?<![\w.:,])(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?{_HALF}?(?![\d:])", _time),
    TokenRule("time", rf"(?<![\w.:,])(?P<h>\d{{1,2}})(?:\.(?P<m>[0-5]\d))?(?P<s>){_HALF}", _time),
)
MONTH_DATES: Final = (
    TokenRule(
        "date",
        rf"(?P<mon>{_MONTH})\.? {_DAY}(?: ?{DASH} ?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?)?(?![\w%:$€£]|"
        rf"[.,/]\d){_YEAR}",
        _month_day,
    ),
    TokenRule("date", rf"(?P<mon>{_MONTH})\.?,? (?P<y>1\d{{3}}|20\d\d)(?![\w%]|[.,]\d)", _month_year),
)
