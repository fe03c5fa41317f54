"""From JSON bytes to plain values with line numbers.

Strict JSON (RFC 8259): no comments, no trailing commas, no NaN. A key that stands twice is a flaw behind
which reading goes on; a break of the grammar ends it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any, Final, NoReturn

from lib.foreign import DEEPEST
from lib.jobspec.files.encoding import encoding_fault
from lib.jobspec.files.jsonadvice import JsonFault, json_fault, string_fault
from lib.jobspec.files.yamltree import Flaw, LinedDict, LinedList, Path, Tree
from lib.jobspec.problems import BROKEN, shown

_LONGEST_NUMBER: Final = 400  # digits; no field and no JSON number of use is longer
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS: Final = {"true": True, "false": False, "null": None}


def read_json(data: bytes) -> Tree:
    """Read one JSON value of UTF-8 bytes. Never raises for any bytes; `flaws` says what is wrong."""
    fault = encoding_fault(data)
    if fault is not None:
        return Tree(complete=False, flaws=[Flaw(fault[0], (), fault[1], fault[2])])
    reader = _JsonReader(data.decode("utf-8-sig"))
    try:
        reader.read()
    except _JsonStop:
        reader.tree.complete = False
    return reader.tree


class _JsonStop(Exception):
    """Reading cannot go on; the flaw has been noted."""


class _JsonReader:
    """Reads by descent, at most `DEEPEST` deep. `_at` is the next character."""

    def __init__(self, text: str) -> None:
        self.tree = Tree()
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def read(self) -> None:
        """Read the whole text into the tree."""
        self._skip()
        self.tree.line = self._line()
        self.tree.root = self._value(())
        self._skip()
        if self._at < len(self._text):
            self._stop("something stands behind the end of the value", ())

    def _value(self, path: Path) -> Any:
        start = self._text[self._at : self._at + 1]
        if start == '"':
            return self._string(path)
        if start == "{":
            return self._object(path)
        if start == "[":
            return self._array(path)
        if start and start in "-0123456789":
            return self._number(path)
        return self._word(path)

    def _object(self, path: Path) -> LinedDict:
        found = LinedDict(self._line())
        self._enter(path)
        while not self._closed("}", path, first=not found.lines):
            line = self._line()
            if self._peek() != '"':
                self._stop("a key in quotes is missing", path)
            key = self._string(path)
            self._skip()
            if self._peek() != ":":
                self._stop(f'a ":" is missing behind the key {shown(key)}', path)
            self._at += 1
            self._skip()
            value = self._value((*path, key))
            if key in found.lines:
                message = f"stands twice in the same object, first in line {found.lines[key]}"
                self.tree.flaws.append(Flaw(line, (*path, key), message))
            else:
                found[key] = value
                found.lines[key] = line
        return found

    def _array(self, path: Path) -> LinedList:
        found = LinedList(self._line())
        self._enter(path)
        while not self._closed("]", path, first=not found):
            found.lines.append(self._line())
            found.append(self._value((*path, len(found))))
        return found

    def _enter(self, path: Path) -> None:
        if len(path) >= DEEPEST:
            self._flaw(f"is nested deeper than {DEEPEST} levels", path)
            raise _JsonStop
        self._at += 1

    def _closed(self, end: str, path: Path, *, first: bool) -> bool:
        """Step over the end, or over the comma before the next member."""
        self._skip()
        char = self._peek()
        if char == end:
            self._at += 1
            return True
        if first:
            return False
        if char != ",":
            self._stop(f'a "," or "{end}" is missing', path)
        self._at += 1
        self._skip()
        if self._peek() == end:
            self._stop(f'nothing follows the last ","; take it away before "{end}"', path)
        return False

    def _string(self, path: Path) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            self._refuse(string_fault(self._text, self._at), path)
        self._at = match.end()
        token = match[0]
        return str(json.loads(token)) if "\\" in token else token[1:-1]

    def _number(self, path: Path) -> Any:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            self._stop('a "-" stands without a number', path)
        self._at = match.end()
        if len(match[0]) > _LONGEST_NUMBER:
            self._flaw(f"is a number of more than {_LONGEST_NUMBER} digits", path)
            return BROKEN
        return float(match[0]) if match[1] or match[2] else int(match[0])

    def _word(self, path: Path) -> Any:
        match = _WORD.match(self._text, self._at)
        if match is None:
            char = self._peek()
            self._stop(f"{shown(char)} is no value" if char else "it ends in the middle", path)
        if match[0] not in _WORDS:
            self._stop(f"{shown(match[0])} is no JSON value; texts stand in quotes", path)
        self._at = match.end()
        return _WORDS[match[0]]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _line(self) -> int:
        return bisect_left(self._ends, self._at) + 1

    def _flaw(self, message: str, path: Path) -> None:
        self.tree.flaws.append(Flaw(self._line(), path, message))

    def _stop(self, message: str, path: Path) -> NoReturn:
        """Refuse what stands here, in words about what was meant where that is known, else by `message`."""
        fault = json_fault(self._text, self._at)
        if fault is not None:
            self._refuse(fault, path)
        self._flaw(f"is no valid JSON: {message}", path)
        raise _JsonStop

    def _refuse(self, fault: JsonFault, path: Path) -> NoReturn:
        flaw = Flaw(self._line(), path, f"is no valid JSON: {fault.message}", fault.suggestion)
        self.tree.flaws.append(flaw)
        raise _JsonStop
