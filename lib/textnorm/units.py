"""Units of measure: one table of symbols; squares, cubes and quotients follow from it."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm.context import (
    LABELLED,
    ends_sentence,
    is_attributive,
    is_plural,
    word_after,
    word_before,
    words_before,
)
from lib.textnorm.numbers import ANY, VULGAR, fraction_words, numeral
from lib.textnorm.rule import DASH, TokenRule, compiled
from lib.textnorm.tables import word_set

_METRIC: Final = {
    "m": "metre",
    "g": "gram",
    "l": "litre",
    "L": "litre",
    "W": "watt",
    "V": "volt",
    "A": "ampere",
} | {
    "Hz": "hertz",
    "Pa": "pascal",
    "J": "joule",
    "N": "newton",
    "Wh": "watt hour",
    "Ah": "ampere hour",
    "s": "second",
    "B": "byte",
    "Ω": "ohm",
    "F": "farad",
    "eV": "electronvolt",
    "Sv": "sievert",
    "Bq": "becquerel",
    "mol": "mole",
    "cal": "calorie",
    "bps": "bit per second",
    "bar": "bar",
}
_PREFIXES: Final = {
    "m": ("milli", "m g l L W V A Hz Pa J N Ah s Sv mol bar eV F"),
    "µ": ("micro", "m g l L W V A s Sv F mol"),
    "μ": ("micro", "m g l L W V A s Sv F mol"),
    "n": ("nano", "m g s F mol A V"),
    "p": ("pico", "m g s F"),
    "c": ("centi", "m l L g"),
    "d": ("deci", "m l L"),
    "h": ("hecto", "Pa l"),
    "k": ("kilo", "m g W V Hz Pa J N Wh B Ω cal bps eV Bq"),
    "K": ("kilo", "B"),
    "M": ("mega", "W V Hz Pa J Wh B Ω bps eV Bq"),
    "G": ("giga", "W Hz Pa J Wh B bps eV"),
    "T": ("tera", "W Hz J Wh B bps eV"),
    "P": ("peta", "B J W"),
}
#: Symbols whose plural is no plain -s, or that take no prefix: one, many.
_OTHERS: Final = {
    "in": ("inch", "inches"),
    "ft": ("foot", "feet"),
    "yd": ("yard", "yards"),
    "yds": ("yard", "yards"),
    "mi": ("mile", "miles"),
    "nmi": ("nautical mile", "nautical miles"),
    "ly": ("light year", "light years"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "st": ("stone", "stone"),
    "gal": ("gallon", "gallons"),
    "qt": ("quart", "quarts"),
    "pt": ("pint", "pints"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "mcg": ("microgram", "micrograms"),
    "cc": ("c c", "c c"),
    "t": ("tonne", "tonnes"),
    "kt": ("kiloton", "kilotons"),
    "Mt": ("megaton", "megatons"),
    "ha": ("hectare", "hectares"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("second", "seconds"),
    "secs": ("second", "seconds"),
    "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "wk": ("week", "weeks"),
    "wks": ("week", "weeks"),
    "K": ("kelvin", "kelvins"),
    "°": ("degree", "degrees"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "° C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "° F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "℃": ("degree Celsius", "degrees Celsius"),
    "℉": ("degree Fahrenheit", "degrees Fahrenheit"),
    "Hz": ("hertz", "hertz"),
    "mph": ("mile per hour", "miles per hour"),
    "kph": ("kilometre per hour", "kilometres per hour"),
    "kmh": ("kilometre per hour", "kilometres per hour"),
    "mpg": ("mile per gallon", "miles per gallon"),
    "fps": ("frame per second", "frames per second"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bpm": ("beat per minute", "beats per minute"),
    "dpi": ("dot per inch", "dots per inch"),
    "ppm": ("part per million", "parts per million"),
    "psi": ("pound per square inch", "pounds per square inch"),
    "px": ("pixel", "pixels"),
    "dB": ("decibel", "decibels"),
    "hp": ("horsepower", "horsepower"),
    "lm": ("lumen", "lumens"),
    "lx": ("lux", "lux"),
    "kb": ("kilobit", "kilobits"),
    "Kb": ("kilobit", "kilobits"),
    "Mb": ("megabit", "megabits"),
    "Gb": ("gigabit", "gigabits"),
    "kip": ("kip", "kips"),
    "sq ft": ("square foot", "square feet"),
    "sq m": ("square metre", "square metres"),
    "sq km": ("square kilometre", "square kilometres"),
    "sq mi": ("square mile", "square miles"),
    "fl oz": ("fluid ounce", "fluid ounces"),
}
_POWERS: Final = {"²": "square", "³": "cubic", "2": "square", "3": "cubic", "^2": "square", "^3": "cubic"}


def _table() -> dict[str, tuple[str, str]]:
    table = {symbol: (name, f"{name}s") for symbol, name in _METRIC.items()}
    for letter, (prefix, symbols) in _PREFIXES.items():
        for symbol in symbols.split():
            table[letter + symbol] = (prefix + _METRIC[symbol], f"{prefix}{_METRIC[symbol]}s")
    for symbol, (one, many) in table.items():
        if one.endswith("hertz"):
            table[symbol] = (one, one)
        elif one.endswith("bit per second"):
            table[symbol] = (one, many.replace("bit per seconds", "bits per second"))
    return table | _OTHERS


UNITS: Final = _table()
_POWERED: Final = "|".join(
    re.escape(unit) for unit in ("m", "km", "cm", "mm", "dm", "ft", "in", "mi", "yd", "µm", "nm", "s")
)
_SYMBOL: Final = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
UNIT: Final = rf"(?:(?:{_POWERED})(?:[²³]|\^?[23])|{_SYMBOL})"
_AMPERES: Final = word_set("fuse fuses plug plugs current supply socket charger circuit breaker")
_ELECTRIC: Final = _AMPERES | word_set(
    "draw draws drew drawn rated load charge charges charging capacitor amps"
)
_VOLTS: Final = re.compile(r"\d ?[mkM]?[VvW]\b|\bUSB\b")
#: Behind "in" that is inches: "12 in wide.", but "3 in wide halls".
_MEASURED: Final = re.compile(
    r" (?:wide|long|tall|thick|high|deep|across|square|in diameter)(?=[,.;:!?)\n]| and\b| by\b|$)"
)
_DOTTED: Final = word_set(
    "in ft yd mi lb lbs oz gal qt pt hr hrs min mins sec secs yr yrs wk wks tsp tbsp yds"
)


def unit_names(symbol: str) -> tuple[str, str]:
    """One and many of a unit, powers included."""
    power = re.fullmatch(r"(.+?)(²|³|\^?[23])", symbol)
    if power and symbol not in UNITS:
        one, many = UNITS[power[1]]
        if power[1] == "s":
            word = "squared" if power[2] in "²2^2" else "cubed"
            return f"{one} {word}", f"{many} {word}"
        return f"{_POWERS[power[2]]} {one}", f"{_POWERS[power[2]]} {many}"
    return UNITS[symbol]


def _measure(match: re.Match[str]) -> str | None:
    symbol, text, end = match["u"], match.string, match.end()
    spaced = bool(match["gap"])
    if not _is_unit(symbol, match, spaced):
        return None
    one, many = unit_names(symbol)
    if match["d"]:
        per = f" per {_per(match['many'], match['d'])}"
        one, many = one + per, many + per
    said, is_part = _quantity(match["n"])
    if match["b"]:
        said = f"{said} to {numeral(match['b'])}"
    dot = match["dot"] or ""
    if dot and symbol in _DOTTED and not ends_sentence(text, end):
        dot = ""
    single = (
        said in ("one", "minus one")
        or match["gap"] == "-"
        or ((spaced or symbol not in "°") and not dot and _describes(match))
    )
    if is_part:
        if _describes(match):  # a half inch bolt, three quarter inch bolts
            return f"{said.removeprefix('one ').removesuffix('s')} {one}"
        return f"{said} of {'an' if one[0] in 'aeiou' else 'a'} {one}{dot}"
    return f"{said} {one if single else many}{dot}"


def _per(many: str | None, symbol: str) -> str:
    """What a quotient is of: "hour", "one hundred kilometres"."""
    return unit_names(symbol)[0] if not many else f"{numeral(many)} {unit_names(symbol)[1]}"


def _quantity(text: str) -> tuple[str, bool]:
    """A number, mixed or not, and whether it is a part of one."""
    if "/" not in text and text[-1] not in VULGAR and not text[-1] > "\u2150":
        return numeral(text), False
    said = fraction_words(text)
    return said, " and " not in said


def _describes(match: re.Match[str]) -> bool:
    if match["u"] == "A" and word_after(match.string, match.end()) in _AMPERES:
        return True
    return match["u"] not in ("K", "%") and is_attributive(match.string, match.start(), match.end())


def _is_current(match: re.Match[str], after: str) -> bool:
    """Whether the words or other units tell that amperes or farads are meant: "12V 5A", "draws 5A"."""
    text, start, end = match.string, match.start(), match.end()
    near = {*words_before(text, start)[-6:], after}
    return bool(near & _ELECTRIC) or bool(_VOLTS.search(text, max(0, start - 16), end + 16))


def _is_unit(symbol: str, match: re.Match[str], spaced: bool) -> bool:
    text, end = match.string, match.end()
    after = word_after(text, end)
    if len(symbol) == 1 and not spaced and word_before(text, match.start()).lower() in LABELLED:
        return False
    if symbol in "AF" and not spaced and not _is_current(match, after):
        return False  # a house: 10A Downing Street
    if symbol in "NW" and match["dot"] and text[end : end + 1] == " " and not ends_sentence(text, end):
        return False  # a side of the compass: 22 W. 5th Ave.
    if symbol == "m" and is_plural(after) and not match["dot"]:
        return False  # million
    if symbol in ("A", "V", "W", "N", "J", "F", "B", "K") and spaced and after:
        return (symbol in "VWNJ" and not text[end : end + 2].startswith("'")) or after in _AMPERES
    if symbol == "in":
        return bool(match["dot"] or not spaced or match["gap"] == "-" or _MEASURED.match(text, end))
    if symbol == "st" and not spaced:
        return False  # 1st
    if symbol in ("K", "B") and not spaced:
        return False  # thousand, billion
    if symbol == "s" and not spaced:
        return not match["n"].endswith("0")  # the 50s
    return True


def _dimensions(match: re.Match[str]) -> str:
    """Each side with its unit, or with the one of the last: "5 m x 3 m", "8 x 10 in."."""
    parts = re.findall(rf"({ANY})[ -]?({_SIDE})?", match["all"])
    single = is_attributive(match.string, match.start(), match.end())
    said = []
    for number, symbol in parts:
        names = UNITS[_MARKS.get(symbol, symbol)] if symbol else None
        words = numeral(number)
        said.append(f"{words} {names[0 if single or words == 'one' else 1]}" if names else words)
    dot = "." if match["dot"] and ends_sentence(match.string, match.end()) else ""
    return " by ".join(said) + dot


def _duration(match: re.Match[str]) -> str:
    """Hours, minutes and seconds beside each other: "5h 30m", where m is no metre."""
    said = []
    for number, letter in re.findall(r"(\d+) ?([hms])", match[0]):
        one, many = {"h": ("hour", "hours"), "m": ("minute", "minutes"), "s": ("second", "seconds")}[letter]
        words = numeral(number)
        said.append(f"{words} {one if words == 'one' else many}")
    return " ".join(said)


def _feet(match: re.Match[str]) -> str:
    feet, inches = match["f"], match["i"]
    said = f"{numeral(feet)} foot {numeral(inches)}"
    return said if not match["half"] else f"{said} and a half"


def _feet_inches(match: re.Match[str]) -> str:
    """Feet and inches by their symbols, where "in" is no preposition: "5 ft 3 in wide"."""
    single = is_attributive(match.string, match.start(), match.end())
    feet, inches = numeral(match["f"]), numeral(match["i"])
    dot = "." if match[0].endswith(".") and ends_sentence(match.string, match.end()) else ""
    foot = "foot" if single or feet == "one" else "feet"
    return f"{feet} {foot} {inches} {'inch' if single or inches == 'one' else 'inches'}{dot}"


def _foot(match: re.Match[str]) -> str | None:
    names = UNITS["ft" if match["q"] in "'’′" else "in"]
    if match["q"] == '"' and _is_quote(match):
        return None
    said = numeral(match["n"])
    single = said == "one" or is_attributive(match.string, match.start(), match.end())
    return f"{said} {names[0] if single else names[1]}"


def _is_quote(match: re.Match[str]) -> bool:
    """Whether the mark closes a quotation that the paragraph has opened; marks of inches open none."""
    text, start = match.string, match.start()
    begin, is_open = max(text.rfind("\n", 0, start) + 1, start - 600), False
    for before in text[begin:start].split('"')[:-1]:
        if not before[-1:].isdecimal() or (
            is_open and not compiled(r"\d['’′] ?\d{1,2}$").search(before[-6:])
        ):
            is_open = not is_open
    return is_open


def _degrees(match: re.Match[str]) -> str:
    said = [f"{numeral(match['d'])} degrees", f"{numeral(match['m'])} minutes"]
    if match["s"]:
        said.append(f"{numeral(match['s'])} seconds")
    side = {"N": "north", "S": "south", "E": "east", "W": "west"}.get(match["side"] or "", "")
    return " ".join([*said, side]).strip()


def _direction(match: re.Match[str]) -> str:
    side = {"N": "north", "S": "south", "E": "east", "W": "west"}[match["side"]]
    return f"{numeral(match['n'])} degrees {side}"


def _bare(match: re.Match[str]) -> str:
    """A quotient without a number: "in km/h"."""
    return f"{unit_names(match['u'])[1]} per {unit_names(match['d'])[0]}"


#: Marks of feet and inches, and the units of sides that are said with "by" between them.
_MARKS: Final = {"'": "ft", "’": "ft", "′": "ft", '"': "in", "”": "in", "″": "in"}
_SIDE: Final = "cm|mm|km|µm|nm|px|in|ft|yd|mi|m|['’′\"″]"

MEASURES: Final = (
    TokenRule(
        "unit",
        rf"(?<![\w.])(?P<all>{ANY}(?:[ -]?(?:{_SIDE})(?![\w])\.?)?"
        rf"(?: ?[x×] ?{ANY}(?:[ -]?(?:{_SIDE})(?![\w])\.?)?){{0,2}}"
        rf" ?[x×] ?{ANY}[ -]?(?:{_SIDE})(?![\w'’]))(?P<dot>\.(?!\d))?",
        _dimensions,
    ),
    TokenRule(
        "unit",
        r"(?<![\w.])\d{1,3} ?h (?:\d{1,2} ?m(?: \d{1,2} ?s)?)(?!\w)|(?<![\w.])\d{1,3}h\d{1,2}m"
        r"(?:\d{1,2}s)?(?!\w)|(?<![\w.])\d{1,3}m ?\d{1,2}s(?!\w)",
        _duration,
    ),
    TokenRule(
        "unit",
        rf"(?P<d>{ANY})°\s?(?P<m>\d++)['’′]\s?(?:(?P<s>\d++(?:\.\d++)?)[\"”″])?\s?(?P<side>[NSEW]\b)?",
        _degrees,
    ),
    TokenRule("unit", rf"(?P<n>{ANY}) ?° ?(?P<side>[NSEW])\b", _direction),
    TokenRule(
        "unit",
        rf"(?<![\w.])(?P<f>\d{{1,3}}) ?ft\.?,? (?P<i>\d{{1,2}}(?:\.\d+|[{VULGAR}])?) ?in(?![\w/²³])"
        r"(?:\.(?!\d)|(?! (?:the|a|an|my|his|her|its|our|their|your|this|that|\d)\b))",
        _feet_inches,
    ),
    TokenRule("unit", r"(?<![\w.])(?P<f>\d{1,2})['’′] ?(?P<i>\d{1,2})(?P<half>½?)(?:[\"”″]|'')", _feet),
    TokenRule(
        "unit",
        rf"(?P<n>{ANY})(?P<q>['’′](?![\w'’])|[\"″]|”)(?!\w)",
        lambda m: _foot(m) if m["q"] != "”" else None,
    ),
    TokenRule(
        "unit",
        rf"(?P<n>(?:\d{{1,3}}[ -])?\d{{1,2}}/\d{{1,2}}(?= ?[a-zA-Z])|\d*+[{VULGAR}]|{ANY})"
        rf"(?: ?(?:{DASH}|to) ?(?P<b>{ANY}))?(?P<gap>[ -]?)(?P<u>{UNIT})(?:/(?:(?P<many>{ANY}) ?)?"
        rf"(?P<d>{UNIT}))?(?![\w/%])(?P<dot>\.(?!\d))?",
        _measure,
    ),
)
BARE_UNITS: Final = (
    TokenRule(
        "unit",
        r"(?<![\w/])(?!W/L)(?P<u>km|m|mi|g|kg|mg|l|W|MB|GB|Mb|Gb|kB|ft)/(?P<d>h|s|l|L|m²|kg|dl|min|day|hr)(?![\w/])",
        _bare,
    ),
)
