"""Numbers with a power of ten behind an e: "3e8 m/s", "1.6e-19"."""

from __future__ import annotations

import re
from typing import Final

from lib.textnorm import words as w
from lib.textnorm.numbers import numeral
from lib.textnorm.rule import TokenRule
from lib.textnorm.units import UNIT, unit_names


def _power_of_ten(match: re.Match[str]) -> str | None:
    exponent = int(match["e"])
    if match["letter"] == "E" and not match["sign"] and "." not in match["n"]:
        return None  # a room, a part: 2E4
    power = f"minus {w.cardinal(exponent)}" if match["sign"] in ("-", "−") else w.ordinal(exponent)
    said = f"ten to the {power}" if match["n"] == "1" else f"{numeral(match['n'])} times ten to the {power}"
    if match["u"]:
        said += f" {unit_names(match['u'])[1]}"
    if match["d"]:
        said += f" per {unit_names(match['d'])[0]}"
    return said


SCIENTIFIC: Final = (
    TokenRule(
        "number",
        r"(?<![\w.])(?P<n>\d{1,15}(?:\.\d{1,15})?)(?P<letter>[eE])(?P<sign>[-−+]?)(?P<e>\d{1,3})"
        rf"(?: (?P<u>{UNIT})(?:/(?P<d>{UNIT}))?(?![\w/]))?(?!\w|\.\d)",
        _power_of_ten,
    ),
)
