"""What a watcher says of itself in the registry, beyond its name: its role, and whether it drains."""

from __future__ import annotations

from enum import StrEnum

from lib.jobqueue.model import WatcherInfo


class WatcherRole(StrEnum):
    """How a watcher stands beside the others of its queue."""

    WORKS = "works"  # beside any number of others
    LEADS = "leads"  # drives machines that only one may drive
    STANDBY = "standby"  # leads when the leader is gone


def role_of(watcher: WatcherInfo) -> WatcherRole:
    """The role that a watcher says it has; of an entry without one, as older versions write it, the likely.

    Their stand-bys said so, and whoever drove more than its own machine led.
    """
    said = watcher.data.get("role")
    if isinstance(said, str) and said in set(WatcherRole):
        return WatcherRole(said)
    return WatcherRole.WORKS if watcher.data.get("provider") in (None, "local") else WatcherRole.LEADS


def drains(watcher: WatcherInfo) -> bool:
    """Whether it says that it takes nothing new and ends when the work at hand is done."""
    return watcher.data.get("draining") is True
