"""Every request that the fake Vast had, whole: for tests that ask what was sent, when, and what never was."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class JournalEntry:
    """One request. `at` is the fake's time; `key` says who asked: "account", "instance 12" or "nobody".

    `status` is what was answered: None when the connection was dropped instead, or the answer is on its way.

    Threads: the one of its request; others read.
    Raises: nothing.
    """

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    route: str = "unknown"
    key: str = "nobody"
    status: int | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """As people write it: PUT /api/v0/asks/7000001/."""
        return f"{self.method} {self.path}"


class RequestJournal:
    """The requests in the order in which they came.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[JournalEntry] = []

    def add(self, entry: JournalEntry) -> None:
        """Note one, before anything is done about it."""
        with self._lock:
            self._entries.append(entry)

    def entries(self, route: str | None = None) -> list[JournalEntry]:
        """All of them, or those to one route."""
        with self._lock:
            return [entry for entry in self._entries if route in (None, entry.route)]

    def lines(self) -> list[str]:
        """Method and path of each."""
        return [entry.line for entry in self.entries()]

    def find(self, secret: str) -> list[str]:
        """The requests with these characters in address or body; how they are authorized does not count."""
        wanted = secret.encode()
        return [
            entry.line
            for entry in self.entries()
            if wanted in entry.body or secret in entry.path or secret in "".join(entry.query.values())
        ]
