"""Reads the bytes of a file of jobs, or of standard input, before anybody makes something of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from lib.jobspec.missing import near_miss
from lib.jobspec.model import InvalidJobFile
from lib.jobspec.problems import Problem, printable
from lib.units import MIB

MAX_FILE_BYTES: Final = 64 * MIB
#: The path that stands for standard input, as in other commands.
STANDARD_INPUT: Final = Path("-")


def source_name(path: Path) -> str:
    """What a file is called in errors."""
    return "standard input" if path == STANDARD_INPUT else printable(str(path))


def read_source(path: Path) -> bytes:
    """The bytes of a file, one more than `MAX_FILE_BYTES` at most; `-` is standard input, which is read once.

    Raises:
        InvalidJobFile: it cannot be read.
    """
    name = source_name(path)
    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        with open(path, "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no usable path"
        hint = near_miss(str(path), os.curdir) if isinstance(error, FileNotFoundError) else None
        raise InvalidJobFile(name, [Problem(f"cannot be read: {reason}", name, suggestion=hint)]) from None
