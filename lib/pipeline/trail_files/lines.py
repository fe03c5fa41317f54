"""A file of JSON lines that each carry a position: it only grows, and its last line says how far it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lib.foreign import parse_json

_BLOCK: Final = 1 << 16
#: Made once: `json.dumps` with options makes one for each call.
_COMPACT: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_SPACED: Final = json.JSONEncoder(ensure_ascii=False)


class Lines:
    """An open file of lines, of which the caller is the only writer (`lib.files.alone_at`).

    A line that was cut off, by a process that was killed or a machine that lost its power, is taken away
    before anything is added: what is whole stays, what is torn is written again by whoever brings the file
    up to date.
    """

    def __init__(self, descriptor: int) -> None:
        """Look where the file ends; a torn last line is cut off.

        Raises:
            OSError: it cannot be read or cut.
        """
        self._descriptor = descriptor
        self.position, end = _last(descriptor)
        if os.fstat(descriptor).st_size != end:
            os.ftruncate(descriptor, end)
        self._end = end

    def append(self, lines: Iterable[tuple[int, str]]) -> None:
        """Add lines, each with its position, behind the last: those that are not in the file yet.

        The position rises from line to line.

        Raises:
            OSError: the disk refuses; what was written of it is cut off by the next who comes.
        """
        fresh = [line for line in lines if line[0] > self.position]
        if not fresh:
            return
        rest = memoryview("".join(f"{text}\n" for _, text in fresh).encode())
        while rest:
            written = os.pwrite(self._descriptor, rest, self._end)
            self._end += written
            rest = rest[written:]
        self.position = fresh[-1][0]


def line_of(value: Mapping[str, Any]) -> tuple[int, str]:
    """The position that a value carries, and its line without the end of it."""
    return value["position"], _COMPACT.encode(value)


def page_of(value: Mapping[str, Any]) -> str:
    """A value as a file for people: each member, and of its lists each element, on a line of its own.

    The encoder that indents is none of C, and costs five times as much.
    """
    members = [f"  {_SPACED.encode(name)}: {_member(member)}" for name, member in value.items()]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _member(member: Any) -> str:
    if not isinstance(member, list) or not member:
        return _SPACED.encode(member)
    return "[\n" + ",\n".join(f"    {_SPACED.encode(element)}" for element in member) + "\n  ]"


def _last(descriptor: int) -> tuple[int, int]:
    """The position that the last whole line carries, and where that line ends; 0 and 0 without one."""
    end = os.fstat(descriptor).st_size
    tail = b""
    begin = end
    while begin:
        step = min(_BLOCK, begin)
        begin -= step
        tail = os.pread(descriptor, step, begin) + tail
        while (newline := tail.rfind(b"\n")) >= 0:
            before = tail.rfind(b"\n", 0, newline)
            if before < 0 and begin:
                break  # the line begins further up
            position = _position(tail[before + 1 : newline])
            if position is not None:
                return position, begin + newline + 1
            tail = tail[:newline]  # a line that is none: what a lost power left
    return 0, 0


def _position(line: bytes) -> int | None:
    try:
        found = parse_json(line)["position"]
    except (ValueError, TypeError, KeyError):
        return None
    return found if isinstance(found, int) else None
