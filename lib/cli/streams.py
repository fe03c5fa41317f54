"""Makes standard streams usable that are closed, full, without a reader, or not of UTF-8.

None of that ends a program: what cannot be written goes nowhere, or is written with what there is.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Final, TextIO

_POORER: Final = "job-runner.poorer"  # the name under which codecs know `_poorer`
_STAND_INS: Final = {
    "…": "...",
    "–": "-",
    "—": "-",
    "─": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "→": "->",
    "×": "x",
    "\xa0": " ",
}


def ready_streams() -> None:
    """Make the standard streams fit to be written to, whatever the caller made of them."""
    open_missing()
    speak_poorly()


def speak_poorly() -> None:
    """Let stdout and stderr that are not UTF-8 write `...` for `…` and `?` for what they lack."""
    codecs.register_error(_POORER, _poorer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not is_unicode(stream):
            stream.reconfigure(errors=_POORER)


def is_unicode(stream: TextIO) -> bool:
    """True when every character can be written to `stream`."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def _poorer(error: UnicodeError) -> tuple[str | bytes, int]:
    """What codecs ask for a stretch that they cannot encode: its replacement, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_STAND_INS.get(char, "?") for char in lacking), error.end


def open_missing() -> None:
    """Open the null device for a stream that the caller closed (`>&-`), lest every write fail."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:  # a file that is opened later must not take its place
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))


def tell(stream: TextIO, text: str) -> None:
    """Write and flush words for people. A failure is ignored: result and exit status still tell."""
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        point_at_nothing(stream)


def point_at_nothing(stream: TextIO) -> None:
    """Point `stream` at the null device: Python flushes it once more on exit, and that must not fail."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (OSError, ValueError):
        pass
