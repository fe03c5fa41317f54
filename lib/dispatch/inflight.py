"""Keeps the jobs that are leased and not settled, for the loop, the claimer and the lease renewer."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from lib.jobqueue import Failure, Lease
from lib.spool import Phase

#: A model of some GB over a slow line; a download that hangs ends before that by itself.
_LONGEST_LOAD_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class HandBack:
    """The decision to hand a job back to the queue; `alone`: it is to run by itself next time."""

    reason: str
    alone: bool = False


@dataclass(slots=True)
class InFlightJob:
    """One leased job on its way through a worker. Times are monotonic seconds.

    Threads: the claimer makes it, may put it under another lease, and ends one that no spool can hold; the
    loop changes everything else; any may read.
    Raises: nothing.
    """

    entry: str  # its name in the host's spool; of this lease, or of an earlier one whose work was adopted
    lease: Lease
    host: str
    placed_at: float
    phase: Phase = Phase.INBOX  # where its entry lay when its host was last looked at
    began_at: float | None = None  # when the worker took it up; stays when it goes on under another lease
    loaded_at: float = 0.0  # until when its worker loaded a model for it, as far as was seen
    begin_told: bool = False  # whether the queue knows that of this lease
    retry_at: float = 0.0  # before this the store is not tried again
    store_refusals: int = 0
    ending: Failure | HandBack | None = None  # decided, not yet said to the queue

    @property
    def request_id(self) -> str:
        """The job's request id."""
        return self.lease.request_id

    @property
    def counts_from(self) -> float | None:
        """Since when its limits of time are counted; None: it was not begun."""
        return None if self.began_at is None else max(self.began_at, self.loaded_at)

    def note_loading(self, now: float) -> None:
        """Note that its worker still loads a model, which does not count, unless it takes too long."""
        if self.began_at is not None and now - self.began_at <= _LONGEST_LOAD_S:
            self.loaded_at = now

    def note_begin(self, now: float) -> None:
        """Note that the queue was told that a worker began the job."""
        self.begin_told = True
        if self.began_at is None:
            self.began_at = now


@dataclass(slots=True)
class InFlightJobs:
    """Keeps the in-flight jobs by spool entry.

    Threads: any. The claimer adds, the loop changes and removes, the lease renewer reads and marks lost ones.
    Raises: nothing.
    """

    _jobs: dict[str, InFlightJob] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _by_host: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, job: InFlightJob) -> None:
        """Take a job into the books."""
        with self._lock:
            self._remove(job.entry)
            self._jobs[job.entry] = job
            self._by_host[job.host] += 1

    def give(self, entry: str, lease: Lease) -> None:
        """Put the job under another lease of ours, of which the queue was told nothing yet."""
        with self._lock:
            job = self._jobs.get(entry)
            if job is not None:
                job.lease, job.begin_told = lease, False
                self._lost.discard(entry)

    def drop(self, entry: str) -> None:
        """Strike a job that is settled, handed back or lost."""
        with self._lock:
            self._remove(entry)

    def _remove(self, entry: str) -> None:
        job = self._jobs.pop(entry, None)
        self._lost.discard(entry)
        if job is not None:
            self._by_host[job.host] -= 1

    def all(self) -> list[InFlightJob]:
        """A copy, in the order of the claims."""
        with self._lock:
            return list(self._jobs.values())

    def on(self, host: str) -> list[InFlightJob]:
        """Those on one host, in the order of the claims."""
        with self._lock:
            return [job for job in self._jobs.values() if job.host == host]

    def get(self, entry: str) -> InFlightJob | None:
        """The job of that spool entry."""
        with self._lock:
            return self._jobs.get(entry)

    def of(self, request_id: str) -> InFlightJob | None:
        """The job of that request id."""
        with self._lock:
            return next((job for job in self._jobs.values() if job.request_id == request_id), None)

    def count(self, host: str) -> int:
        """How many are on one host."""
        with self._lock:
            return self._by_host[host]

    def mark_lost(self, leases: list[Lease]) -> None:
        """Note that the queue gave these jobs to somebody else, or that they were canceled."""
        fences = {(lease.request_id, lease.fence) for lease in leases}
        with self._lock:
            self._lost |= {
                entry for entry, job in self._jobs.items() if (job.request_id, job.lease.fence) in fences
            }

    def lost(self) -> list[InFlightJob]:
        """Those whose lease is gone; the loop stops their work and drops them."""
        with self._lock:
            return [self._jobs[entry] for entry in self._lost if entry in self._jobs]

    def __len__(self) -> int:
        with self._lock:
            return len(self._jobs)
