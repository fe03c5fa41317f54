"""`callback_data`: a JSON object that travels with the job and comes back with its result."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from lib.foreign import DEEPEST
from lib.jobspec.problems import BROKEN, Broken, Refused, shown
from lib.jobspec.rules import Rule, as_text

MAX_CALLBACK_BYTES: Final = 64 * 1024
_WIDEST_INTEGER: Final = 2**64
_QUOTE_IT: Final = "put quotes around it"

Path = tuple[str | int, ...]


def callback_rule() -> Rule:
    """A JSON object. Its size is judged after merging, by `check_size`."""
    return Rule("a JSON object, at most 64 KiB after merging", {"type": "object"}, check_callback)


def check_callback(value: object) -> dict[str, Any]:
    """Return a plain copy of a JSON object.

    Raises:
        Refused: not a mapping, or something in it is not JSON; `path` leads to it, `others` are the rest.
    """
    if not isinstance(value, Mapping):
        raise Refused(f"must be a mapping (a JSON object), not {shown(value)}")
    copier = _Copier()
    copied = copier.mapping(value, ())
    if copier.refusals:
        first = copier.refusals[0]
        first.others = tuple(copier.refusals[1:])
        raise first
    return copied


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge deeply: mappings merge, anything else of `above` replaces. Neither argument changes."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def check_size(value: Mapping[str, Any]) -> None:
    """Refuse an object of more than 64 KiB as compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)  # str: what is BROKEN
    size = len(text.encode())
    if size > MAX_CALLBACK_BYTES:
        raise Refused(f"is {size} bytes of JSON after merging; at most {MAX_CALLBACK_BYTES} are allowed")


class _Copier:
    """Copies JSON values and notes what is none. The budget ends what shares or contains itself."""

    def __init__(self) -> None:
        self.refusals: list[Refused] = []
        self._budget = MAX_CALLBACK_BYTES  # characters; a value's JSON is never shorter than what is spent

    def mapping(self, value: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        self._enter(path)
        for key, item in value.items():
            if isinstance(key, str):
                self._spend(len(key))
                self._text(key, path)
                copied[key] = self._value(item, (*path, key))
            else:
                self._refuse(f"has the key {shown(key)}; keys must be text", path, _QUOTE_IT)
        return copied

    def _value(self, value: object, path: Path) -> Any:
        if isinstance(value, str):
            self._spend(len(value))
            return self._text(value, path)
        if value is None or isinstance(value, bool) or value is BROKEN:
            self._spend(4)
            return value
        if isinstance(value, int | float):
            return self._number(value, path)
        if isinstance(value, Mapping):
            return self.mapping(value, path)
        if isinstance(value, list | tuple):
            self._enter(path)
            return [self._value(item, (*path, index)) for index, item in enumerate(value)]
        hint = _QUOTE_IT if isinstance(value, date) else None
        return self._refuse(f"must be JSON, which {shown(value)} is not", path, hint)

    def _number(self, value: int | float, path: Path) -> object:
        self._spend(1)
        if isinstance(value, float) and not math.isfinite(value):
            return self._refuse(f"must be a finite number, not {shown(value)}", path)
        if isinstance(value, int) and not -_WIDEST_INTEGER < value < _WIDEST_INTEGER:
            return self._refuse(f"must fit 64 bits, which {shown(value)} does not", path, "write it as text")
        return value

    def _text(self, value: str, path: Path) -> object:
        try:
            return as_text(value)
        except Refused as refused:
            return self._refuse(refused.message, path, refused.suggestion)

    def _refuse(self, message: str, path: Path, suggestion: str | None = None) -> Broken:
        self.refusals.append(Refused(message, suggestion, path))
        return BROKEN

    def _enter(self, path: Path) -> None:
        self._spend(2)
        if len(path) >= DEEPEST:
            raise Refused(f"is nested deeper than {DEEPEST} levels")

    def _spend(self, characters: int) -> None:
        self._budget -= characters
        if self._budget < 0:
            raise Refused(f"is larger than {MAX_CALLBACK_BYTES} bytes of JSON")
