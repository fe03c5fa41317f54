"""The commas that end an unquoted value between { and }, so that the rest of a text comes as keys.

A rest without a colon is a key without a value, which is seen while the file is read (`Commas`). One with a
colon is a key like any other, and seen only once nobody knows a field of that name (`WholeTexts`).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from lib.jobspec.files.yamladvice import BREAK
from lib.jobspec.problems import NO_FIELD, FieldFinding, shown

_WHOLE_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_ENOUGH: Final = 100  # characters of what stands behind a comma; errors show fewer
_DIGITS: Final = re.compile(r"[0-9]+")
_SENTENCES: Final = ("text", "prompt")
_MOST_PIECES: Final = 50
_LOOKED_AT: Final = 200  # lines from the text's first on
_ENDS: Final = "between { and } a comma ends a text without quotes"
_ADVICE: Final = "put quotes around the whole text"


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
        message = f"ends before {shown(rest)}: {_ENDS}"
        advice = _ADVICE
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


class WholeTexts:
    """Tells of unknown fields of a job whether they are the rest of the text before them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines: list[str] | None = None

    def told(
        self, findings: Sequence[FieldFinding], raw: Mapping[Any, Any], lines: Mapping[Any, int]
    ) -> list[FieldFinding]:
        """The findings; where unknown fields are the rest of a text without quotes, one about the text.

        `lines` are those of the fields in `raw`. A field that looks like a known one is left as it is, for
        it is rather that one, spelled wrong.
        """
        unknown = {item.path[0]: item for item in findings if _may_be_a_rest(item)}
        if not unknown:
            return list(findings)
        names, instead = list(raw), dict[Any, FieldFinding | None]()
        for text in (name for name in _SENTENCES if isinstance(raw.get(name), str) and raw[name]):
            behind = names[names.index(text) + 1 :]
            pieces = list(itertools.takewhile(unknown.__contains__, behind))[:_MOST_PIECES]
            rest, count = _rest_of(text, raw[text], pieces, self._from(lines[text]))
            if count:
                instead |= dict.fromkeys(pieces[:count])
                instead[pieces[0]] = FieldFinding((text,), f"ends before {shown(rest)}: {_ENDS}", _ADVICE)
        told = [instead.get(item.path[0], item) if _may_be_a_rest(item) else item for item in findings]
        return [item for item in told if item is not None]

    def _from(self, line: int) -> str:
        """The lines of the file from that one on, as many as a text may have."""
        if self._lines is None:
            self._lines = BREAK.split(self._data.decode("utf-8-sig", "replace"))
        return "\n".join(self._lines[line - 1 :][:_LOOKED_AT])


def _may_be_a_rest(finding: FieldFinding) -> bool:
    return len(finding.path) == 1 and (finding.message, finding.suggestion) == (NO_FIELD, None)


def _rest_of(field: str, text: str, pieces: Sequence[object], source: str) -> tuple[str, int]:
    """What stands behind the unquoted text in its lines, as far as it is of these keys, and of how many.

    Only in the source it shows whether there were quotes, and braces.
    """
    pattern, rest, count = _words(text), "", 0
    for piece in pieces:
        pattern += rf"\s*,\s*{_words(str(piece))}\s*:\s[^,{{}}\[\]]*"
        match = re.match(rf"[^\n]*?\b{field}[\"']?\s*:\s+({pattern})", source)
        if match is None:
            break
        rest, count = " ".join(match[1].split())[len(" ".join(text.split())) :], count + 1
    return rest, count


def _words(text: str) -> str:
    """A pattern for the text, however its lines are broken."""
    return r"\s+".join(map(re.escape, text.split()))
