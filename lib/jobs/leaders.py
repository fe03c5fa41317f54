"""Who leads the watchers that drive machines, as the lock says and as people are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lib.clock import rfc3339
from lib.jobqueue import JobQueue, WatcherInfo, WatcherRole, drains, role_of
from lib.units import seconds_text

if TYPE_CHECKING:  # it brings the connection to Redis, which who only tells of a leader does without
    from lib.leadership.lock import Leader


def leader_json(leader: Leader | None) -> dict[str, Any] | None:
    """The `leader` of `--json`; None where nobody ever led."""
    if leader is None:
        return None
    return {
        "owner": leader.owner,
        "epoch": leader.epoch,
        "since": rfc3339(leader.since),
        "live": leader.live,
        "lease_left_seconds": round(leader.left_s, 3),
    }


def draining_of(queue: JobQueue) -> list[str]:
    """The names of the live watchers that take nothing new. Raises Unavailable."""
    return [watcher.name for watcher in queue.watchers() if watcher.live and drains(watcher)]


def role_text(watcher: WatcherInfo) -> str:
    """A watcher's role in a few words: `leads, epoch 4`, `works, draining`, `gone`."""
    if not watcher.live:
        return "gone"
    role, epoch = role_of(watcher), watcher.data.get("epoch")
    words = [role.value]
    if role is WatcherRole.LEADS and isinstance(epoch, int):
        words.append(f"epoch {epoch}")
    return ", ".join([*words, "draining"] if drains(watcher) else words)


def leader_text(leader: Leader | None, watchers: Sequence[WatcherInfo], now: float) -> str | None:
    """A sentence on who leads; None where nothing here needs a leader. `now` is the queue's time.

    A leader that was killed keeps the lock until its lease is over: then a stand-by leads.
    """
    live = [watcher for watcher in watchers if watcher.live and role_of(watcher) is not WatcherRole.WORKS]
    if leader is None:
        return "Nobody has led yet." if live else None
    if not leader.live:
        return f"Nobody leads; {leader.owner} led last, in epoch {leader.epoch}." if live else None
    for_s = seconds_text(max(0.0, now - leader.since))
    if any(_is_of(watcher.name, leader.owner) for watcher in live):
        return f"{leader.owner} leads in epoch {leader.epoch}, for {for_s}."
    return (
        f"{leader.owner} has the leader's lock, in epoch {leader.epoch}, and was not seen lately: its lease "
        f"ends in {seconds_text(leader.left_s)} unless it renews it, and whoever stands by leads then."
    )


def _is_of(name: str, owner: str) -> bool:
    """Whether an entry of the registry is of that process: each term has a number behind its name."""
    return name == owner or name.startswith(f"{owner}.")
