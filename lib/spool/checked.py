"""JSON from the other side, read with suspicion: bounded, of the right shape, or refused with a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from lib.spool.errors import InvalidSpoolData


def parse_object(data: bytes, what: str) -> Mapping[str, Any]:
    """The JSON object in `data`; `what` names it in the sentence.

    Raises:
        InvalidSpoolData: no JSON, no object, NaN or infinity, or nested too deeply.
    """
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidSpoolData(f"{what} is no valid JSON.") from None
    if not isinstance(value, dict):
        raise InvalidSpoolData(f"{what} must be a JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class Checked:
    """The fields of one object, each taken with its type."""

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self._values = values
        self._what = what

    def refuse(self, field: str, problem: str) -> NoReturn:
        """Raise InvalidSpoolData for `field`."""
        raise InvalidSpoolData(f"{self._what}: {field} {problem}.")

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

    def whole(self, field: str, *, least: int = 0, most: int = 2**53) -> int:
        """An integer in its range; `true` is none."""
        value = self._values.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(field, f"must be a whole number from {least} to {most}")
        return value

    def number(self, field: str) -> float:
        """A finite number that is not negative."""
        value = self._values.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.refuse(field, "must be a number")
        if not math.isfinite(value) or not 0 <= value < 1e15:
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
