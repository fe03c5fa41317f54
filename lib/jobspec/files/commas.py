"""The commas that end an unquoted value between { and }, so that the rest of a text comes as keys."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from lib.jobspec.files.yamladvice import BREAK
from lib.jobspec.problems import shown

_WHOLE_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_ENOUGH: Final = 100  # characters of what stands behind a comma; errors show fewer
_DIGITS: Final = re.compile(r"[0-9]+")


class Cut(NamedTuple):
    """A value that a comma ended: the key it has, its line, and in words what is wrong."""

    key: Any
    line: int
    message: str
    suggestion: str


class Commas:
    """Tells of a value that is empty whether its key is the rest of the text before it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines: list[str] | None = None
        self._value: Any = None  # that was cut, with its key
        self._key: Any = None
        self._last: Any = None  # the empty value behind its latest piece
        self._rest = ""

    def cut(self, before: Any, key: Any, value: Any, mapping: dict[Any, Any]) -> Cut | None:
        """The value in `mapping` that this empty `value` shows to be cut off.

        `before` and `key` are the scalars that came last, in this order; None where there were none. Called
        again for the further pieces of the same text, it returns the same cut with all of them.
        """
        if before is None or key is None or key.style or not key.value:
            return None
        if ":" in self._between(key.end_mark, value.start_mark):
            return None  # it is written as a key, only without a value
        if before is not self._last:
            is_value = bool(before.value) and not before.style and bool(mapping)
            if not is_value or self._between(before.end_mark, key.start_mark).strip() != ",":
                return None
            self._value, self._key = before, next(reversed(mapping))
            self._rest = ""
        self._last = value
        return self._said(key)

    def _said(self, last_piece: Any) -> Cut:
        start = self._value
        if len(self._rest) < _ENOUGH:  # a text of very many pieces is not put together for each of them
            self._rest = " ".join(self._between(start.end_mark, last_piece.end_mark).split())
        rest = self._rest
        message = f"ends before {shown(rest)}: between {{ and }} a comma ends a text without quotes"
        advice = "put quotes around the whole text"
        decimals = rest.removeprefix(",").strip()
        if _WHOLE_NUMBER.fullmatch(start.value) and _DIGITS.fullmatch(decimals):
            message = f"ends before {shown(rest)}: a comma ends a number"
            advice = f"write {start.value}.{decimals} for the number, with a point"
        return Cut(self._key, start.start_mark.line + 1, message, advice)

    def _between(self, start: Any, end: Any) -> str:
        """What stands between two marks."""
        if self._lines is None:
            self._lines = BREAK.split(self._data.decode("utf-8-sig", "replace"))
        lines = self._lines[start.line : end.line + 1]
        if not lines:
            return ""
        lines[-1] = lines[-1][: end.column]
        lines[0] = lines[0][start.column :]
        return "\n".join(lines)
