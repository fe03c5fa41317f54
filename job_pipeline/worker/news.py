"""How the threads of a worker tell its loop that there is something to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from lib.clock import Clock

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
    """Messages from any thread to the one that empties it, with a ring for the first of those that lie in it.

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
            is_first = len(self._mail) == 1
        if is_first:  # else who empties it has been rung for, and has not come yet
            self._bell.ring()

    def take(self) -> list[T]:
        """All that came since the last time, in order."""
        with self._lock:
            mail, self._mail = self._mail, []
        return mail


class GatheredNews(Generic[T]):
    """Messages that wait for others, so that whoever hears of them is woken once for all of them.

    Threads: one.
    Raises: nothing.
    """

    def __init__(self, told: Callable[[T], None], clock: Clock) -> None:
        self._told, self._clock = told, clock
        self._news: list[T] = []
        self.since = 0.0  # monotonic; when the first of those that wait came

    def __bool__(self) -> bool:
        return bool(self._news)

    def add(self, news: T) -> None:
        """Keep one until `tell`."""
        if not self._news:
            self.since = self._clock.monotonic()
        self._news.append(news)

    def tell(self) -> None:
        """Tell all, in their order."""
        news, self._news = self._news, []
        for each in news:
            self._told(each)
