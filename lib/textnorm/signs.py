"""Signs: what each is called; what has no name in speech is left out and told."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.capitals import RAISED
from lib.textnorm.context import FUNCTION_WORDS
from lib.textnorm.rule import TokenRule, compiled
from lib.textnorm.tables import word_list, word_set

#: Between operands and before one: "3 ≤ 5", "≈ 4".
_RELATIONS: Final = {
    "=": ("equals", "equals"),
    "≠": ("is not equal to", "not equal to"),
    "<": ("is less than", "less than"),
    ">": ("is greater than", "greater than"),
    "≤": ("is less than or equal to", "at most"),
    "≥": ("is greater than or equal to", "at least"),
    "≦": ("is less than or equal to", "at most"),
    "≧": ("is greater than or equal to", "at least"),
    "≈": ("is approximately", "approximately"),
    "≅": ("is approximately", "approximately"),
    "~": ("is approximately", "approximately"),
    "≡": ("is identical to", "identical to"),
    "∝": ("is proportional to", "proportional to"),
    "∈": ("is in", "in"),
    "<=": ("is less than or equal to", "at most"),
    ">=": ("is greater than or equal to", "at least"),
    "!=": ("is not equal to", "not equal to"),
    "==": ("equals", "equals"),
}
_NAMES: Final = {
    "&": "and",
    "@": "at",
    "%": "percent",
    "‰": "per mille",
    "+": "plus",
    "−": "minus",
    "±": "plus or minus",
    "×": "times",
    "÷": "divided by",
    "√": "the square root of",
    "∛": "the cube root of",
    "∞": "infinity",
    "∑": "sum",
    "∫": "integral",
    "∂": "partial",
    "∆": "delta",
    "°": "degrees",
    "§": "section",
    "¶": "paragraph",
    "©": "copyright",
    "®": "registered",
    "™": "trademark",
    "№": "number",
    "→": "to",
    "⇒": "implies",
    "⟶": "to",
    "➔": "to",
    "➜": "to",
    "←": "from",
    "↑": "up",
    "↓": "down",
    "↔": "to and from",
    "\\": "backslash",
    "^": "caret",
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "¥": "yen",
    "¢": "cent",
    "₹": "rupee",
    "₿": "bitcoin",
    "#": "hash",
    "/": "slash",
    "♯": "sharp",
    "♭": "flat",
    "½": "one half",
    "∅": "the empty set",
    "∴": "therefore",
    "∩": "intersection",
    "∪": "union",
    "′": "prime",
    "″": "double prime",
    "ℓ": "litre",
    "℃": "degrees Celsius",
    "℉": "degrees Fahrenheit",
    "Ω": "ohm",
    "µ": "micro",
}
_GREEK: Final = word_list(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
    "sigma sigma tau upsilon phi "
    "chi psi omega"
)
#: Left out without a word: they only shape the page.
SILENT: Final = frozenset('"“”„«»‹›•·‣◦▪●○■□◆|*_`¿¡†‡{}[]\u00ad─━│')


def _relation(match: re.Match[str]) -> str:
    text, start = match.string, match.start()
    before = text[max(0, start - 3) : start].rstrip(" ")
    is_between = bool(before) and (before[-1].isalnum() or before[-1] in ")%°²³")
    return _RELATIONS[match[0]][0 if is_between else 1]


def _sign(match: re.Match[str]) -> str | None:
    return _NAMES.get(match[0])


def _greek(match: re.Match[str]) -> str | None:
    letter = match[0].lower()
    index = ord(letter) - ord("α")
    return _GREEK[index] if 0 <= index < len(_GREEK) else None


def _operator(match: re.Match[str]) -> str:
    return {"*": "times", "/": "divided by"}.get(match[0], "minus")


def _raised(match: re.Match[str]) -> str:
    """A raised number that is a power of what it stands behind."""
    exponent = "".join(str(unicodedata.digit(char)) for char in match[0])
    return {"2": "squared", "3": "cubed"}.get(exponent) or f"to the power of {w.integer(exponent)}"


def _is_reference(text: str, start: int, run: str) -> bool:
    """Whether it refers to a note: behind a mark or a word, but for units, functions and variables."""
    before = text[max(0, start - 30) : start]
    if not before or before[-1].isspace() or before[-1] in ".!?,;:\"'”’…]":
        return True
    if before[-1] == ")":
        return bool(compiled(r"[^\W\d_]{3,}[^()]*\)$").search(before))
    word = compiled(r"(?<![^\W\d_])[^\W\d_]+(?:['’][^\W\d_]+)*$").search(before)
    if word is None:
        return False
    if len(word[0]) < 3:
        is_word = word[0].lower() in FUNCTION_WORDS and word[0].lower() not in ("in", "a", "i")
        return is_word or (run == "¹" and len(word[0]) > 1)
    return word[0] not in _RAISABLE


#: Words of three and more letters that are raised to a power: units and functions.
_RAISABLE: Final = word_set("""
    sin cos tan cot sec csc log exp mol bar metre metres meter meters kilometre kilometres centimetre
    centimetres foot feet inch inches mile miles yard yards second seconds""")


RAISED_SIGNS: Final = (
    TokenRule(
        "markup",
        f"[{RAISED}]+(?:[,–-][{RAISED}]+)*",
        lambda m: "" if _is_reference(m.string, m.start(), m[0]) else None,
    ),
    TokenRule("sign", f"[{RAISED}]+", _raised),
)
SIGNS: Final = (
    TokenRule("sign", r"[<>=!]=(?!=)|[=≠<>≤≥≦≧≈≅≡∝∈]|~(?= ?\d)", _relation),
    TokenRule(
        "sign",
        r"(?:(?<=\d )(?P<o>[*/−–-])(?= \d{1,9}(?:\.\d+)? =)|(?<=\d)(?P<minus>[−–-])(?=\d{1,9}(?:\.\d+)? ?=)"
        r"|(?<=\d)(?P<o2>\*)(?=\d))",
        _operator,
    ),
    TokenRule("sign", r"(?<![Ͱ-Ͽ])[Α-Ωα-ω](?![Ͱ-Ͽ])", _greek),
    TokenRule("sign", "[" + "".join(re.escape(sign) for sign in _NAMES) + "]", _sign),
)
