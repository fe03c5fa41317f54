"""Finds processes of this computer by what they were started with, at whatever moment one looks."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_ENVIRON: Final = slice(47, 49)  # in stat, after the name: where the environment begins and ends
_BETWEEN_S: Final = 1.0  # longer than the kernel needs to lay out a program


def carrying(line: bytes) -> list[int]:
    """The processes with that line ("NAME=value") in their environment, but for this one.

    Looked for until no new process is there: one that starts another and ends is not taken for both.
    """
    found, seen = list[int](), {os.getpid()}
    while new := _numbers() - seen:
        for pid in sorted(new):
            if line in environment_of(pid).split(b"\0"):
                found.append(pid)
        seen |= new
    return found


def environment_of(pid: int, patience_s: float = _BETWEEN_S) -> bytes:
    """What a process was started with; b"" for one that has ended, or may not be looked at.

    While the kernel lays out a new program for a process it shows no environment of it, so one that shows
    none is looked at again for so long, unless it was given none.
    """
    give_up = time.monotonic() + patience_s
    while not (found := _read(pid, "environ")):
        if _was_given_none(pid) or not _has_program(pid) or time.monotonic() > give_up:
            break
        time.sleep(0.001)
    return found


def _read(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / name).read_bytes()
    return b""


def _was_given_none(pid: int) -> bool:
    """Whether its environment has a place, and no room there."""
    place = _read(pid, "stat").rpartition(b")")[2].split()[_ENVIRON]
    return len(place) == 2 and place[0] == place[1] != b"0"


def _has_program(pid: int) -> bool:
    """False for a thread of the kernel, for one that has ended, and for one of another user."""
    try:
        os.readlink(_PROC / str(pid) / "exe")
    except OSError:
        return False
    return True


def _numbers() -> set[int]:
    return {int(name) for name in os.listdir(_PROC) if name.isdigit()}
