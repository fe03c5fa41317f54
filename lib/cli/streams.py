"""Standard streams that are closed, full or without a reader: what is written goes nowhere, quietly."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_missing() -> None:
    """Where the caller closed a stream (`>&-`), open one that leads nowhere, lest everything fail."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:  # a file that is opened later must not take its place
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))


def tell(stream: TextIO, text: str) -> None:
    """Write and flush words for people. Their loss ends nothing: result and exit status still tell."""
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        point_at_nothing(stream)


def point_at_nothing(stream: TextIO) -> None:
    """Let go of where `stream` leads: Python flushes it once more on exit, and that must not fail aloud."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (OSError, ValueError):
        pass
