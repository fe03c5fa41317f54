"""A file of JSON lines that each carry a position: it only grows, and its last line says how far it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lib.foreign import parse_json

_BLOCK: Final = 1 << 16


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

    def append(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Add lines behind the last, those that are not in the file yet; `position` rises from line to line.

        Raises:
            OSError: the disk refuses; what was written of it is cut off by the next who comes.
        """
        fresh = [value for value in values if value["position"] > self.position]
        if not fresh:
            return
        rest = memoryview("".join(f"{line_of(value)}\n" for value in fresh).encode())
        while rest:
            written = os.pwrite(self._descriptor, rest, self._end)
            self._end += written
            rest = rest[written:]
        self.position = fresh[-1]["position"]


def line_of(value: Mapping[str, Any]) -> str:
    """One value as its line has it, without the line's end."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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
