"""Numbers in words, as they are said in English: no hyphens, no "and" within a number."""

from __future__ import annotations

from typing import Final

from lib.textnorm.tables import word_list

_ONES: Final = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS: Final = word_list("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES: Final = word_list(
    "_ thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion "
    "decillion"
)
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MOST_DIGITS: Final = 15  # of a number that is said as one; longer ones are numbers of things, said by digits
_FRACTIONS: Final = {2: ("half", "halves"), 4: ("quarter", "quarters")}


def cardinal(number: int) -> str:
    """The number in words; at most 36 digits."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < 1000:
        return _below_thousand(number)
    parts, scale = [], 0
    while number:
        number, group = divmod(number, 1000)
        if group:
            parts.append(f"{_below_thousand(group)} {_SCALES[scale]}" if scale else _below_thousand(group))
        scale += 1
    return " ".join(reversed(parts))


def _below_thousand(number: int) -> str:
    words = []
    if number >= 100:
        words += [_ONES[number // 100], "hundred"]
        number %= 100
        if not number:
            return " ".join(words)
    if number >= 20:
        words.append(_TENS[number // 10])
        number %= 10
        if not number:
            return " ".join(words)
    words.append(_ONES[number])
    return " ".join(words)


def ordinal(number: int) -> str:
    """first, twenty third, one hundredth."""
    return ordinal_of(cardinal(number))


def ordinal_of(words: str) -> str:
    """The ordinal of a number in words."""
    head, blank, last = words.rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = f"{last[:-1]}ieth"
    else:
        last = f"{last}h" if last.endswith("t") else f"{last}th"
    return f"{head}{blank}{last}"


def digits(text: str) -> str:
    """Each digit by its name; all else is passed over."""
    return " ".join(_ONES[int(char)] for char in text if char.isdecimal())


def year(number: int) -> str:
    """A year of four digits in pairs, another one as a number."""
    if not 1010 <= number <= 2099 or 2000 <= number <= 2009 or number % 1000 == 0:
        return cardinal(number)
    century, rest = divmod(number, 100)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {two_digits(rest)}"


def two_digits(number: int) -> str:
    """05 as "oh five", 45 as "forty five"."""
    return f"oh {_ONES[number]}" if number < 10 else cardinal(number)


def integer(text: str) -> str:
    """Digits, with or without separators, as a number, or one by one where they are no quantity."""
    plain = "".join(str(int(char)) for char in text if char.isdecimal())
    if len(plain) > _MOST_DIGITS and not any(mark in text for mark in ", '’"):
        return digits(plain)
    if len(plain) > 36 or (len(plain) > 1 and plain[0] == "0"):
        return digits(plain)
    return cardinal(int(plain))


def number(text: str) -> str:
    """A number with an optional fraction after its last dot: "1,234.05", ".75"."""
    whole, dot, fraction = text.partition(".")
    if not dot or not fraction:
        return integer(whole)
    said = integer(whole) + " " if whole else ""
    return f"{said}point {digits(fraction)}"


def fraction(above: int, below: int) -> str:
    """Three quarters, one half, five sixteenths."""
    one, many = _FRACTIONS.get(below) or (ordinal(below), f"{ordinal(below)}s")
    return f"{cardinal(above)} {one if above == 1 else many}"


def plural(words: str) -> str:
    """The plural of a number in words: nineties, hundreds, sixes."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("x") else f"{words}s"
