"""Which watchers live: by when they were seen, and on this machine by whether their process is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lib.jobqueue import Snapshot, WatcherInfo
from lib.processes import has_ended


@dataclass(frozen=True, slots=True)
class SeenWatchers:
    """A snapshot in which no watcher lives that has ended; `ended` are those that did so unannounced."""

    snapshot: Snapshot
    ended: frozenset[str]


def seen_watchers(snapshot: Snapshot, gone: Callable[[object], bool] = has_ended) -> SeenWatchers:
    """Take out of the living those whose process on this machine is gone: a killed one cannot say goodbye.

    `gone` judges what a watcher told of its process when it registered.
    """
    ended = frozenset(watcher.name for watcher in snapshot.watchers if gone(watcher.data.get("process")))
    watchers = tuple(
        replace(watcher, live=watcher.live and watcher.name not in ended) for watcher in snapshot.watchers
    )
    owner = next((watcher.name for watcher in watchers if watcher.live), None)
    return SeenWatchers(replace(snapshot, watchers=watchers, lock_owner=owner), ended)


def without_machines(watchers: Iterable[WatcherInfo]) -> str | None:
    """Why none of the living watchers can have anything done, in the words of one; None: one can.

    Those that stand by have no machines of their own, and so no say in it.
    """
    working = [watcher.data for watcher in watchers if watcher.live and watcher.data.get("role") != "standby"]
    told = [found for data in working if isinstance(found := data.get("no_machine"), str) and found]
    return told[0] if told and len(told) == len(working) else None
