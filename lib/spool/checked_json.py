"""Checks JSON of the other side: bounded and of the right shape, or refused with a sentence."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from lib.spool.errors import InvalidSpoolData

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_DEEPEST: Final = 64  # levels; far below what readers and stores of JSON allow


def parse_object(data: bytes, what: str) -> Mapping[str, Any]:
    """The JSON object in `data`; `what` names it in the sentence.

    Raises:
        InvalidSpoolData: no JSON in UTF-8, no object, a number that is not finite, half a surrogate pair,
            or nested more than 64 levels deep. Whatever passes can be written as JSON again.
    """
    try:
        text = data.decode("utf-8")
        value = _READER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # a whole pair has become one character
    except (ValueError, RecursionError):
        raise InvalidSpoolData(f"{what} is no valid JSON.") from None
    if not isinstance(value, dict):
        raise InvalidSpoolData(f"{what} must be a JSON object.")
    if text.count("{") + text.count("[") > _DEEPEST and _is_deeper(value, _DEEPEST):
        raise InvalidSpoolData(f"{what} is nested deeper than {_DEEPEST} levels.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):  # 1e400
        raise ValueError(f"{digits} is too large")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested more than `levels` deep. Looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


#: Made once: `json.loads` with hooks makes one for each text, which takes as long as reading a short one.
_READER: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


class Checked:
    """The fields of one object, each taken with its type."""

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self._values = values
        self._what = what

    def refuse(self, field: str, problem: str) -> NoReturn:
        """Raise InvalidSpoolData for `field`."""
        raise InvalidSpoolData(f"{self._what}: {field} {problem}.")

    def has(self, field: str) -> bool:
        """Whether something stands there."""
        return self._values.get(field) is not None

    def text(self, field: str, *, longest: int) -> str:
        """A string of at most `longest` characters."""
        value = self._values.get(field)
        if not isinstance(value, str):
            self.refuse(field, "must be a text")
        if len(value) > longest:
            self.refuse(field, f"is longer than {longest} characters")
        return value

    def optional_text(self, field: str, *, longest: int) -> str | None:
        """Such a string, or None when it is null or missing."""
        return None if self._values.get(field) is None else self.text(field, longest=longest)

    def flag(self, field: str) -> bool:
        """True or false."""
        value = self._values.get(field)
        if not isinstance(value, bool):
            self.refuse(field, "must be true or false")
        return value

    def whole(self, field: str, *, least: int = 0, most: int = 2**53) -> int:
        """An integer in its range; `true` is none."""
        value = self._values.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(field, f"must be a whole number from {least} to {most}")
        return value

    def number(self, field: str) -> float:
        """A finite number that is not negative."""
        return self._number_from(field, 0.0)

    def optional_number(self, field: str) -> float | None:
        """A finite number, negative or not, or None when it is null or missing."""
        return None if self._values.get(field) is None else self._number_from(field, -1e15)

    def _number_from(self, field: str, least: float) -> float:
        value = self._values.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.refuse(field, "must be a number")
        if not least <= value < 1e15:  # compared before it is converted: a whole number has no upper end
            self.refuse(field, "is out of range")
        return float(value)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """A JSON object."""
        value = self._values.get(field)
        if not isinstance(value, dict):
            self.refuse(field, "must be an object")
        return value

    def items(self, field: str, *, most: int) -> list[Any]:
        """A list of at most `most` items; missing is empty."""
        value = self._values.get(field, [])
        if not isinstance(value, list) or len(value) > most:
            self.refuse(field, f"must be a list of at most {most} items")
        return value
