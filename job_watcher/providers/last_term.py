"""Remembers in the watcher's folder which term it leads, so that its successor there need not wait."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from lib.files import write_whole
from lib.foreign import parse_json
from lib.redislink.term import Term


class LastTerm:
    """The file `term` of a watcher's folder. Whoever has locked the folder knows that its writer is gone.

    The token in it proves the term to the queue: the folder is for this user alone.

    Threads: the loop's only.
    Raises: nothing: without the file a successor waits for the lock's lease to run out.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "term"

    def read(self) -> Term | None:
        """The term of a predecessor that did not end it; None where there is none, or it cannot be read."""
        try:
            found = parse_json(self._file.read_bytes())
            return Term(int(found["epoch"]), str(found["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, term: Term | None) -> None:
        """Note the term that begins; None: it ended, and its lock was given back."""
        with contextlib.suppress(OSError):
            if term is None:
                self._file.unlink(missing_ok=True)
            else:
                words = {"epoch": term.epoch, "token": term.token}
                write_whole(self._file, json.dumps(words).encode(), sync=True)
