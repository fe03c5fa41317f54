"""The text that a command is given: in words, as a file, or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from lib.cli.output import note
from lib.errors import BadInput, UsageError

_STANDARD_INPUT: Final = "-"
_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024


def given_text(words: str | None, path: Path | None, command: str) -> str:
    """The one text of a command line: its words, or what is in a file; `-` in either place is standard input.

    Raises:
        UsageError: there is none, there are two, or the words are the name of a file.
        BadInput: the file is none, too large, or no UTF-8.
    """
    if (words is None) == (path is None):
        raise UsageError(
            f'Give one text: {command} "Welcome to the show.", or --text-file FILE; - reads standard input.'
        )
    if words is None:
        return read_text(path or Path())
    if words == _STANDARD_INPUT:
        return read_text(Path(words))
    if _is_file(words):
        raise UsageError(f"{words} is a file; for what is written in it say {command} --text-file {words}")
    return words


def _is_file(words: str) -> bool:
    """Whether one word names a file here, so that nobody hears its name instead of its text."""
    try:
        return not any(char.isspace() for char in words) and Path(words).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def read_text(path: Path) -> str:
    """The text of a plain file in UTF-8, its line ends as they are; `-` is standard input.

    Raises:
        BadInput: there is none, it is too large, or it is no UTF-8.
    """
    if str(path) == _STANDARD_INPUT:
        return _standard_input()
    try:
        if not path.is_file():
            raise BadInput(
                f"The text file {path} {'is no plain file' if path.exists() else 'does not exist'}."
            )
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise BadInput(f"The text file {path} is over {_MAX_TEXT_BYTES} bytes.")
        return path.read_bytes().decode("utf-8-sig")  # line ends as they are: the seed comes from the text
    except UnicodeDecodeError as error:
        raise BadInput(f"The text file {path} is not UTF-8 (byte {error.start}).") from None
    except OSError as error:
        raise BadInput(f"The text file {path} cannot be read: {error.strerror}.") from None


def _standard_input() -> str:
    if sys.stdin.isatty():
        note("Type the text; Ctrl-D on a line of its own ends it.")
    data = sys.stdin.buffer.read(_MAX_TEXT_BYTES + 1)
    if len(data) > _MAX_TEXT_BYTES:
        raise BadInput(f"The text on standard input is over {_MAX_TEXT_BYTES} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The text on standard input is not UTF-8 (byte {error.start}).") from None
