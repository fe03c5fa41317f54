"""Reads facts out of the rows that Vast sends. A fact that is missing or odd is never replaced by a guess."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from lib.units import MICROS

Row = Mapping[str, Any]

_UNPRINTABLE: Final = re.compile(r"[^ -~\u00a0-\uffff]+")


class Unreadable(ValueError):
    """An answer lacks a fact, or has it in a form that cannot be read."""


def as_row(value: object, what: str) -> Row:
    """`value` as a row.

    Raises:
        Unreadable: it is none.
    """
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is no object")
    return value


def number(row: Row, name: str) -> float:
    """A finite number, written as one or as text.

    Raises:
        Unreadable: there is none.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable(f"{name} is no number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is no number") from None
    if not math.isfinite(found):
        raise Unreadable(f"{name} is not finite")
    return found


def amount(row: Row, name: str) -> float:
    """A number that is not negative.

    Raises:
        Unreadable: there is none.
    """
    found = number(row, name)
    if found < 0:
        raise Unreadable(f"{name} is negative")
    return found


def whole(row: Row, name: str) -> int:
    """A whole number.

    Raises:
        Unreadable: there is none.
    """
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = number(row, name)
    if found != int(found):
        raise Unreadable(f"{name} is not whole")
    return int(found)


def identity(row: Row, name: str) -> int:
    """The number that something is known by.

    Raises:
        Unreadable: there is none.
    """
    found = whole(row, name)
    if found <= 0:
        raise Unreadable(f"{name} is no id")
    return found


def text(row: Row, name: str) -> str:
    """A text that is not empty, without blanks around it.

    Raises:
        Unreadable: there is none.
    """
    found = optional_text(row, name)
    if not found:
        raise Unreadable(f"{name} is no text")
    return found


def optional_text(row: Row, name: str) -> str:
    """A text without blanks around it; "" where there is none.

    Raises:
        Unreadable: there is something else.
    """
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is no text")
    return value.strip()


def micros(dollars: float) -> int:
    """Dollars as whole micro-dollars, rounded up: a price is never taken for a lower one."""
    return math.ceil(round(dollars * MICROS, 3))


def for_people(words: object, most: int = 300) -> str:
    """Words of others, fit for one line: what does not print is left out, and the end of what is too long."""
    line = " ".join(_UNPRINTABLE.sub(" ", str(words)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
