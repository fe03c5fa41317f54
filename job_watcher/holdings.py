"""The jobs a watcher holds at this moment, shared between its loop and its renewal thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from lib.jobqueue import Failure, Lease


@dataclass(slots=True)
class Holding:
    """One leased job on its way through the resident worker."""

    entry: str  # its name in the spool
    lease: Lease
    began_at: float | None = None  # monotonic seconds at which the worker took it up
    retry_at: float = 0.0  # monotonic seconds before which the store is not tried again
    store_refusals: int = 0
    ending: Failure | str | None = (
        None  # decided, not yet said to the queue: how it failed, or why it goes back
    )


@dataclass(slots=True)
class Holdings:
    """Holdings by spool entry. The loop adds and removes; the renewal thread reads and marks lost ones."""

    _held: dict[str, Holding] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, holding: Holding) -> None:
        """Take a job into the books."""
        with self._lock:
            self._held[holding.entry] = holding

    def drop(self, entry: str) -> None:
        """The job is settled, handed back or lost."""
        with self._lock:
            self._held.pop(entry, None)
            self._lost.discard(entry)

    def all(self) -> list[Holding]:
        """A copy, in the order of the claims."""
        with self._lock:
            return list(self._held.values())

    def get(self, entry: str) -> Holding | None:
        """The holding of that spool entry."""
        with self._lock:
            return self._held.get(entry)

    def mark_lost(self, leases: list[Lease]) -> None:
        """Note that the queue gave these jobs to somebody else, or that they were canceled."""
        tokens = {lease.token for lease in leases}
        with self._lock:
            self._lost |= {entry for entry, held in self._held.items() if held.lease.token in tokens}

    def lost(self) -> list[Holding]:
        """The holdings whose lease is gone; the loop stops their work and drops them."""
        with self._lock:
            return [self._held[entry] for entry in self._lost if entry in self._held]

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)
