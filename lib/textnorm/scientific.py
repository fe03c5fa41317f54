"""Numbers with a power of ten: "3e8 m/s", "1.6e-19", "6.02 × 10²³"."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lib.textnorm import number_words as w
from lib.textnorm.capitals import RAISED
from lib.textnorm.numbers import ANY, numeral
from lib.textnorm.rule import TokenRule
from lib.textnorm.units import UNIT, unit_names


def _times_ten(match: re.Match[str]) -> str:
    """A number times a power of ten, as it is printed: "6.02 × 10²³"."""
    raised = match["r"] or ""
    exponent = match["e"] or "".join(str(unicodedata.digit(char)) for char in raised.lstrip("⁻"))
    return _said(match, bool(match["m"]) or raised.startswith("⁻"), int(exponent))


def _power_of_ten(match: re.Match[str]) -> str | None:
    if match["letter"] == "E" and not match["sign"] and "." not in match["n"]:
        return None  # a room, a part: 2E4
    return _said(match, match["sign"] in ("-", "−"), int(match["e"]))


def _said(match: re.Match[str], is_minus: bool, exponent: int) -> str:
    power = f"minus {w.cardinal(exponent)}" if is_minus else w.ordinal(exponent)
    said = f"ten to the {power}" if match["n"] == "1" else f"{numeral(match['n'])} times ten to the {power}"
    if match["u"]:
        said += f" {unit_names(match['u'])[1]}"
    if match["d"]:
        said += f" per {unit_names(match['d'])[0]}"
    return said


_OF: Final = rf"(?: ?(?P<u>{UNIT})(?:/(?P<d>{UNIT}))?(?![\w/]))?"
SCIENTIFIC: Final = (
    TokenRule(
        "number",
        rf"(?<![\w.])(?P<n>{ANY}) ?[x×·*] ?10(?:\^(?P<m>[-−]?)(?P<e>\d{{1,3}})|(?P<r>⁻?[{RAISED}]{{1,3}}))"
        rf"(?![\d{RAISED}]){_OF}",
        _times_ten,
    ),
    TokenRule(
        "number",
        r"(?<![\w.])(?P<n>\d{1,15}(?:\.\d{1,15})?)(?P<letter>[eE])(?P<sign>[-−+]?)(?P<e>\d{1,3})"
        rf"{_OF}(?!\w|\.\d)",
        _power_of_ten,
    ),
)
