"""The in-memory registry of watchers. The caller holds the lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lib.jobqueue.codec import to_json
from lib.jobqueue.model import WATCHER_LIVE_S, WatcherInfo


class WatcherBook:
    """Who is registered, since when, and when last seen; times in milliseconds by `now_ms`."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._entries: dict[str, tuple[int, int, dict[str, Any]]] = {}

    def seen(self, name: str, data: Mapping[str, Any] | None) -> None:
        """Enter a watcher, or note that it is alive; None keeps its data."""
        now = self._now_ms()
        started, _, known = self._entries.get(name, (now, now, {}))
        self._entries[name] = (started, now, known if data is None else json.loads(to_json(data)))

    def remove(self, name: str) -> None:
        """Take one out, if it is there."""
        self._entries.pop(name, None)

    def all(self) -> list[WatcherInfo]:
        """The longest running first."""
        now = self._now_ms()
        found = [
            WatcherInfo(name, started / 1000, seen / 1000, now - seen <= WATCHER_LIVE_S * 1000, data)
            for name, (started, seen, data) in self._entries.items()
        ]
        return sorted(found, key=lambda item: (item.started_at, item.name))
