"""A process that dies just before one of its calls to the system."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

_CALLS: Final = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
_KILLED: Final = 9


def dies_at(call: int, act: Callable[[], object]) -> bool:
    """Act in a child that ends without a word just before its `call`th call; whether it got there."""
    child = os.fork()
    if child == 0:
        _count_calls(call)
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, _KILLED)
    return os.waitstatus_to_exitcode(status) == _KILLED


def _count_calls(last: int) -> None:
    seen = 0

    def count(how_many_bytes: int = 0) -> None:
        nonlocal seen
        seen += 1
        if seen == last:
            os._exit(_KILLED)

    real_write, real_fsync = os.write, os.fsync

    def torn_write(fd: int, data: memoryview) -> int:
        if seen + 1 == last:
            real_write(fd, data[: len(data) // 2])
        count()
        return real_write(fd, data)

    def counted_fsync(fd: int) -> None:
        count()
        real_fsync(fd)

    os.write, os.fsync = torn_write, counted_fsync  # type: ignore[assignment]  # in the child only
    sys.addaudithook(lambda event, args: count() if event in _CALLS else None)
