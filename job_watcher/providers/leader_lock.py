"""The leader's lock of a watcher that drives machines, and the end of the term that a predecessor left."""

from __future__ import annotations

from job_watcher.providers.last_term import LastTerm
from job_watcher.providers.wiring import Given
from lib.leadership.lock import LEASE_S, LeaderLock, open_leader_lock


def leader_lock(given: Given) -> LeaderLock:
    """The lock's lease is shorter than the jobs': who takes over finds them still leased, and adopts them.

    Raises:
        Unavailable: Redis does not answer.
    """
    lease_s = min(LEASE_S, given.parts.limits.lease_ms / 3000)
    prefix = given.settings.jobs_prefix
    lock = open_leader_lock(given.url, owner=given.parts.name, prefix=prefix, lease_s=lease_s)
    given.stack.callback(lock.close)
    return lock


def end_last_term(given: Given, lock: LeaderLock) -> LastTerm:
    """A predecessor in this folder is gone, or we would not have its lock: nobody waits for its lease."""
    last = LastTerm(given.slot.folder)
    term = last.read()
    if term is not None:
        lock.end(term)
        last.write(None)
    return last
