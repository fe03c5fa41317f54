"""What the in-memory queue holds, and its transitions. The caller holds the lock."""

from __future__ import annotations

import json
import math
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.jobqueue.codec import Intake, spec_of
from lib.jobqueue.errors import LeaseLost
from lib.jobqueue.lifecycle import STATE_AFTER, JobEvent, advance
from lib.jobqueue.memory.priority_turns import turns
from lib.jobqueue.model import (
    PRIORITIES,
    TERMINAL,
    ErrorClass,
    Event,
    FinishedJob,
    JobRecord,
    JobState,
    Lease,
)
from lib.jobqueue.options import QueueOptions

HANDED_BACK: Final = 0  # as a lease's expiry: goes to whoever asks first
_IN_PLACE: Final = (JobEvent.BEGUN, JobEvent.ADOPTED, JobEvent.EXCUSED)  # the job's state is as old as before


@dataclass(slots=True)
class Job:
    """A row of the Redis queue, with what lies under other keys there. Times in milliseconds."""

    item: Intake
    state: JobState
    enqueued: int
    since: int
    lease_no: int = 0
    attempt: int = 0
    excused: int = 0
    lost: int = 0
    poisoned: int = 0
    token: str = ""
    phase: str = ""
    consumer: str | None = None
    started: int | None = None
    due: int | None = None
    progress: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    failure: dict[str, Any] | None = None
    host: str = ""
    spool_entry: str = ""
    killed: tuple[str, ...] = ()
    alone: bool = False
    order: int = 0
    revision: int = 1


class Store:
    """Jobs, streams, leases, history and events, and every way they change together."""

    def __init__(self, options: QueueOptions, now_ms: Callable[[], int]) -> None:
        self.options = options
        self.now_ms = now_ms
        self.ttl_ms = round(options.result_ttl_s * 1000)
        self.changed = threading.Condition()
        self.jobs: dict[str, Job] = {}
        self.streams: dict[str, dict[str, None]] = {name: {} for name in PRIORITIES}  # in order of insertion
        self.leases: dict[str, int] = {}
        self.history: dict[str, int] = {}
        self.revisions: dict[str, list[FinishedJob]] = {}
        self.events: deque[Event] = deque(maxlen=options.events_max)
        self.paused = False
        self._order = 0
        self._told = 0
        self._turn = 0

    def move(self, request_id: str, event: JobEvent, data: Mapping[str, Any] | None = None) -> Job:
        """Take a job to its next state by the transition table, and tell."""
        job = self.jobs[request_id]
        state = advance(job.state, event)
        assert state is not None, "only forgetting leads to no state, and that deletes"
        if state is not job.state or event not in _IN_PLACE:
            job.since = self.now_ms()
        job.state = state
        if state is not JobState.RUNNING:
            job.host, job.spool_entry = "", ""
        self.tell(event.value, request_id, STATE_AFTER.get(event.value), data)
        return job

    def tell(
        self,
        kind: str,
        request_id: str | None = None,
        state: JobState | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an event and wake who waits."""
        self._told += 1
        at = self.now_ms() / 1000
        self.events.append(Event(f"{self._told}-0", kind, at, request_id, state, dict(data or {})))
        self.changed.notify_all()

    def held(self, lease: Lease) -> Job:
        """The job, if this lease is its present one.

        Raises:
            LeaseLost: it is not.
        """
        job = self.holding(lease)
        if job is None:
            raise LeaseLost(lease.request_id, lease.lease_no, lease.consumer)
        return job

    def holding(self, lease: Lease) -> Job | None:
        """As `held`; None for a lease that is lost."""
        job = self.jobs.get(lease.request_id)
        fits = job and (job.lease_no, job.token) == (lease.lease_no, lease.token)
        return job if job and fits and job.state is JobState.RUNNING else None

    def repeated(self, lease: Lease, phase: str) -> Job | None:
        """The job, if this lease ended it that way already."""
        job = self.jobs.get(lease.request_id)
        same = job and (job.lease_no, job.token, job.phase) == (lease.lease_no, lease.token, phase)
        return job if same else None

    def first_state(self, item: Intake) -> JobState:
        """Where a new job begins."""
        later = isinstance(item.due_ms, int) and item.due_ms > self.now_ms()
        return JobState.DELAYED if later else JobState.WAITING

    def known(self, request_id: str) -> Job | None:
        """The job of that id, unless its record's time is over."""
        job = self.jobs.get(request_id)
        return None if job is None or self.outlived(job) else job

    def take_orders(self, count: int) -> int:
        """The next numbers of the order of asking; returns the first."""
        first = max(self._order + 1, self.now_ms())
        self._order = first + count - 1
        return first

    def accept(self, item: Intake, order: int) -> None:
        """Add a new job, in place of one whose record's time is over."""
        if item.request_id in self.jobs:
            self.forget(item.request_id)
        now, state = self.now_ms(), self.first_state(item)
        event = JobEvent.CREATED if state is JobState.WAITING else JobEvent.DEFERRED
        assert advance(None, event) is state
        self.jobs[item.request_id] = Job(item, state, now, now, order=order)
        self.line_up(item.request_id)
        self.tell(event.value, item.request_id, state)

    def requeue(self, request_id: str) -> None:
        """Put a job that ended badly back, before its time among the delayed ones."""
        later = self.first_state(self.jobs[request_id].item) is JobState.DELAYED
        self.jobs[request_id].order = self.take_orders(1)
        self.move(request_id, JobEvent.DEFERRED if later else JobEvent.RETRIED)
        self.line_up(request_id)

    def line_up(self, request_id: str) -> None:
        """Give a job its place: among the delayed ones, or at the end of its stream."""
        job = self.jobs[request_id]
        if job.state is JobState.DELAYED:
            job.due = int(job.item.due_ms)
        else:
            self.streams[job.item.priority][request_id] = None

    def give(self, consumer: str, count: int, lease_ms: int) -> list[Lease]:
        """Lease jobs as the claim script does: due ones become waiting, then expired leases, then turns."""
        if self.paused:
            return []
        self._promote()
        now = self.now_ms()
        expired = sorted((at, request_id) for request_id, at in self.leases.items() if at <= now)[:count]
        ready = [request_id for _, request_id in expired if self._take_back(request_id)]
        missing = count - len(ready)
        for name in turns(self._turn, missing, {key: len(ids) for key, ids in self.streams.items()}):
            request_id = next(iter(self.streams[name]))
            del self.streams[name][request_id]
            ready.append(request_id)
            self._turn += 1
        return [self._lease(request_id, consumer, lease_ms) for request_id in ready]

    def _promote(self) -> None:
        now = self.now_ms()
        due = [(job.due, key) for key, job in self.jobs.items() if job.due is not None and job.due <= now]
        for _, request_id in sorted(due):
            job = self.move(request_id, JobEvent.DUE)
            job.due = None
            self.streams[job.item.priority][request_id] = None

    def _take_back(self, request_id: str) -> bool:
        """Count a lease that ran out; False when that was once too often."""
        job = self.jobs[request_id]
        if job.state is JobState.RUNNING and job.phase == "begun":
            job.lost, job.excused = job.lost + 1, job.excused + 1
        if job.lost < self.options.lost_limit:
            return True
        message = f"{job.lost} workers were lost while working on it; the last was {job.consumer}"
        poison = ErrorClass.POISON.value
        self.end_badly(request_id, JobEvent.FAILED, {"class": poison, "message": message}, {"class": poison})
        return False

    def _lease(self, request_id: str, consumer: str, lease_ms: int) -> Lease:
        job = self.jobs[request_id]
        event = JobEvent.RECLAIMED if job.state is JobState.RUNNING else JobEvent.CLAIMED
        job.lease_no, job.token = job.lease_no + 1, secrets.token_urlsafe(16)
        job.phase = "leased"
        return self._give_to(consumer, request_id, event, lease_ms)

    def release(self, request_id: str, reason: str, *, alone: bool = False) -> None:
        """Hand a running job back, to be given out first."""
        job = self.jobs[request_id]
        if job.phase == "begun":
            job.excused += 1
        job.phase, job.progress, job.alone = "released", None, job.alone or alone
        self.leases[request_id] = HANDED_BACK
        self.move(request_id, JobEvent.RELEASED, {"reason": reason})

    def release_unplaced(self, consumer: str, known: Collection[str], reason: str) -> list[str]:
        """Hand back what this consumer leased, and neither placed nor began."""
        found = [
            request_id
            for request_id in self.leases.keys() - known
            if (job := self.jobs[request_id]).state is JobState.RUNNING
            and (job.consumer, job.phase, job.host) == (consumer, "leased", "")
        ]
        for request_id in sorted(found):
            self.release(request_id, reason)
        return found

    def adopt(self, consumer: str, hosts: set[str], lease_ms: int) -> list[Lease]:
        """Take over the running jobs of others whose work lies there; their phase stays."""
        found = [
            request_id
            for request_id, job in self.jobs.items()
            if job.state is JobState.RUNNING and job.host in hosts - {""} and job.consumer != consumer
        ]
        leases = []
        for request_id in sorted(found, key=lambda name: (self.leases[name], name)):
            job = self.jobs[request_id]
            job.lease_no, job.token = job.lease_no + 1, secrets.token_urlsafe(16)
            leases.append(self._give_to(consumer, request_id, JobEvent.ADOPTED, lease_ms))
        return leases

    def _give_to(self, consumer: str, request_id: str, event: JobEvent, lease_ms: int) -> Lease:
        job = self.jobs[request_id]
        job.consumer = consumer
        expiry = self.leases[request_id] = self.now_ms() + lease_ms
        self.move(request_id, event, {"lease_no": job.lease_no, "consumer": consumer})
        return Lease(
            request_id=request_id,
            lease_no=job.lease_no,
            token=job.token,
            consumer=consumer,
            spec=spec_of(job.item.payload),
            attempt=job.attempt,
            excused=job.excused,
            expires_at=expiry / 1000,
            enqueued_at=job.enqueued / 1000,
            host=job.host,
            spool_entry=job.spool_entry,
            killed=job.killed,
            alone=job.alone,
            revision=job.revision,
        )

    def finish(self, request_id: str, result: str) -> None:
        """Record a result, JSON."""
        job = self.jobs[request_id]
        if job.phase != "begun":
            job.attempt, job.started = job.attempt + 1, self.now_ms()
        job.phase, job.result = "done", json.loads(result)
        self.move(request_id, JobEvent.DONE)
        self._leave(request_id)

    def end_badly(
        self, request_id: str, event: JobEvent, error: dict[str, Any], data: Mapping[str, Any] | None = None
    ) -> None:
        """Record a failure or a cancellation."""
        self.jobs[request_id].failure = error
        self.move(request_id, event, data)
        self._leave(request_id)

    def _leave(self, request_id: str) -> None:
        """Out of every place where unfinished jobs stand, into the history."""
        job = self.jobs[request_id]
        self.streams[job.item.priority].pop(request_id, None)
        self.leases.pop(request_id, None)
        job.due, job.progress, job.error = None, None, None
        job.killed, job.alone = (), False
        self.history[request_id] = job.since

    def outlived(self, job: Job) -> bool:
        """Finished for longer than records are kept."""
        return job.state in TERMINAL and job.since + self.ttl_ms <= self.now_ms()

    def forget(self, request_id: str) -> None:
        """Remove a finished job."""
        advance(self.jobs[request_id].state, JobEvent.FORGOTTEN)
        del self.jobs[request_id]
        del self.history[request_id]
        self.revisions.pop(request_id, None)

    def earlier(self, request_id: str) -> list[FinishedJob]:
        """Its finished earlier revisions whose time is not over."""
        oldest = self.now_ms() - self.ttl_ms
        kept = [item for item in self.revisions.get(request_id, ()) if item.finished_at * 1000 > oldest]
        self.revisions[request_id] = kept
        return list(kept)

    def trim(self, budget: int) -> None:
        """Retention: forget the oldest records, a few at a time."""
        is_full = len(self.history) > self.options.history_max
        if not is_full and min(self.history.values(), default=math.inf) + self.ttl_ms > self.now_ms():
            return  # as at nearly every ending, where sorting the whole history would cost most
        oldest = sorted(self.history, key=lambda key: (self.history[key], key))
        expired = [key for key in oldest if self.outlived(self.jobs[key])][:budget]
        surplus = min(len(oldest) - len(expired) - self.options.history_max, budget)
        keep_from = len(expired) + max(0, surplus)
        for request_id in oldest[:keep_from]:
            self.forget(request_id)

    def ends(self, job: Job | None) -> float | None:
        """When a finished job's id is forgotten, seconds since the epoch."""
        if job is None or job.state not in TERMINAL:
            return None
        return (job.since + self.ttl_ms) / 1000

    def record(self, request_id: str) -> JobRecord:
        """What is known about one job, without progress and last error."""
        job = self.jobs[request_id]
        running = job.state is JobState.RUNNING
        return JobRecord(
            request_id=request_id,
            state=job.state,
            priority=job.item.priority,
            fingerprint=job.item.fingerprint,
            max_attempts=job.item.max_attempts,
            attempt=job.attempt,
            excused=job.excused,
            lost=job.lost,
            poisoned=job.poisoned,
            lease_no=job.lease_no,
            enqueued_at=job.enqueued / 1000,
            since=job.since / 1000,
            consumer=job.consumer,
            expires_at=self.leases[request_id] / 1000 if running else None,
            due_at=None if job.due is None else job.due / 1000,
            dedup_until=self.ends(job),
            host=job.host,
            order=job.order,
            revision=job.revision,
        )

    def finished(self, request_id: str) -> FinishedJob:
        """The record of a finished job."""
        job = self.jobs[request_id]
        return FinishedJob(
            request_id=request_id,
            state=job.state,
            finished_at=job.since / 1000,
            enqueued_at=job.enqueued / 1000,
            started_at=None if job.started is None else job.started / 1000,
            attempt=job.attempt,
            lost=job.lost,
            lease_no=job.lease_no,
            consumer=job.consumer,
            result=job.result,
            error=job.failure,
            order=job.order,
            revision=job.revision,
        )
