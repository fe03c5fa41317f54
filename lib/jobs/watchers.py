"""Which watchers live: by when they were seen, and on this machine by whether their process is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lib.jobqueue import Snapshot, WatcherInfo, WatcherRole, drains, role_of
from lib.processes import has_ended
from lib.units import seconds_text

_NAMED: Final = 8
_RECENT_S: Final = 600.0  # by then what a dead watcher held was taken back, or counts as a stale lease
_WORDS: Final = {WatcherRole.WORKS: "works", WatcherRole.LEADS: "leads", WatcherRole.STANDBY: "stands by"}


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


def named_watchers(snapshot: Snapshot, watchers: Iterable[WatcherInfo]) -> Sequence[str]:
    """Each watcher in a few words, where there is more to tell than one's name; the missing ones come first.

    One that is not heard of any more is told while jobs that it held may still be its own.
    """
    now, seen = snapshot.server_time, tuple(watchers)
    missing = [watcher for watcher in seen if _is_missed(snapshot, watcher)]
    live = [watcher for watcher in seen if watcher.live]
    if not missing and len(live) < 2:
        return ()
    told = [_missing(watcher, now) for watcher in missing] + [_living(watcher, now) for watcher in live]
    more = len(told) - _NAMED
    return told if more <= 0 else [*told[:_NAMED], f"{more} more: job-watcher status"]


def _is_missed(snapshot: Snapshot, watcher: WatcherInfo) -> bool:
    if watcher.live or not _held(watcher) or not snapshot.pending:
        return False
    return snapshot.stale_pel > 0 or snapshot.server_time - watcher.last_seen < _RECENT_S


def _missing(watcher: WatcherInfo, now: float) -> str:
    held = _held(watcher)
    jobs = "1 job" if held == 1 else f"{held} jobs"
    return f"{watcher.name} has not been heard of for {_age(watcher, now)}, held {jobs}"


def _living(watcher: WatcherInfo, now: float) -> str:
    does = "drains" if drains(watcher) else _WORDS[role_of(watcher)]
    holds = f", holds {held}" if (held := _held(watcher)) else ""
    return f"{watcher.name} {does}{holds}, heard {_age(watcher, now)} ago"


def _age(watcher: WatcherInfo, now: float) -> str:
    return seconds_text(max(0.0, now - watcher.last_seen))


def _held(watcher: WatcherInfo) -> int:
    held = watcher.data.get("holding")
    return held if isinstance(held, int) and held > 0 else 0
