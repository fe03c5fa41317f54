"""How the threads of a worker tell its loop that there is something to do."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class WakeBell:
    """Whoever waits is woken, also by a ring that came just before.

    Threads: any ring, one waits.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """Wait for a ring, so long at most."""
        self._rung.wait(seconds)
        self._rung.clear()


class Mailbox(Generic[T]):
    """Messages from any thread to the one that empties it, with a ring for each.

    Threads: any put, one takes.
    Raises: nothing.
    """

    def __init__(self, bell: WakeBell) -> None:
        self._bell = bell
        self._lock = threading.Lock()
        self._mail: list[T] = []

    def put(self, letter: T) -> None:
        """Leave a message."""
        with self._lock:
            self._mail.append(letter)
        self._bell.ring()

    def take(self) -> list[T]:
        """All that came since the last time, in order."""
        with self._lock:
            mail, self._mail = self._mail, []
        return mail
