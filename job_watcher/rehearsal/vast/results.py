"""Texts that Vast makes while the client waits: logs, and what commands said, each at an address."""

from __future__ import annotations

import secrets

from job_watcher.rehearsal.vast.refusal import ApiRefusal


class ResultShelf:
    """Texts by a name that cannot be guessed; the first few times they are asked for they are not there yet.

    Threads: whoever holds the lock of the fake.
    Raises: ApiRefusal.
    """

    def __init__(self, misses: int = 2) -> None:
        self.misses = misses
        self._texts: dict[str, tuple[str, list[int]]] = {}

    def put(self, text: str) -> str:
        """Keep a text; returns its name."""
        name = secrets.token_hex(16)
        self._texts[name] = (text, [self.misses])
        return name

    def get(self, name: str) -> str:
        """The text, once it is there."""
        text, left = self._texts.get(name, ("", [1]))
        if left[0] > 0:
            left[0] -= 1 if name in self._texts else 0
            raise ApiRefusal(404, "NoSuchKey", "The specified key does not exist.")
        return text
