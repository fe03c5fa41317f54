"""What the commands that take ids, topics and files of jobs have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lib.errors import BadInput, UsageError


def require_any(words: Sequence[str] | None, file: Path | None, *, or_else: str = "") -> None:
    """See that some job is named. `or_else` is another way to name some, as the end of a sentence.

    Raises:
        UsageError: none is.
        BadInput: a word holds bytes that are no text, so that no server could be asked for it.
    """
    for word in words or ():
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise BadInput(f"{word!r} is no request id: it holds bytes that are not UTF-8")
    if not words and file is None:
        raise UsageError(f"name jobs by their ids, a topic with topic/, or a file with --file FILE{or_else}")


def is_one(words: Sequence[str], file: Path | None) -> bool:
    """Whether a single job is asked for by its id: the answer is then that job, not a list."""
    return file is None and len(words) == 1 and not words[0].endswith("/")
