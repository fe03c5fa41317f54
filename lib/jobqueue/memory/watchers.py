"""The in-memory registry of watchers. The caller holds the lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lib.jobqueue.codec import to_json
from lib.jobqueue.model import WATCHER_KEPT_S, WATCHER_LIVE_S, WatcherInfo


class WatcherBook:
    """Who is registered, since when, and when last seen; times in milliseconds by `now_ms`."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._entries: dict[str, tuple[int, int, dict[str, Any]]] = {}
        self._left: int | None = None  # when one took itself out

    def seen(self, name: str, data: Mapping[str, Any] | None) -> None:
        """Enter a watcher, or note that it is alive; None keeps its data."""
        now = self._now_ms()
        started, _, known = self._entries.get(name, (now, now, {}))
        self._entries[name] = (started, now, known if data is None else json.loads(to_json(data)))

    def remove(self, name: str) -> None:
        """Take one out, if it is there."""
        if self._entries.pop(name, None):
            self._left = self._now_ms()

    def all(self) -> list[WatcherInfo]:
        """The longest running first, without those silent for long."""
        now = self._now_ms()
        found = [
            WatcherInfo(name, started / 1000, seen / 1000, now - seen <= WATCHER_LIVE_S * 1000, data)
            for name, (started, seen, data) in self._entries.items()
            if now - seen <= WATCHER_KEPT_S * 1000
        ]
        return sorted(found, key=lambda item: (item.started_at, item.name))

    def last_seen(self) -> float | None:
        """The newest sign of life of any, gone ones too, seconds since the epoch."""
        seen = [seen for _, seen, _ in self._entries.values()]
        newest = max(seen if self._left is None else [*seen, self._left], default=None)
        return None if newest is None else newest / 1000
