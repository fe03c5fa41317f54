"""The queue in this process's memory: the same promises, for simulations and tests. Nothing is kept."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.jobqueue.admin.observed import LOOKED_AT, EndedJobs, ListedJobs, PlaceInLine, StretchOfLine
from lib.jobqueue.codec import intake, spec_of, to_json
from lib.jobqueue.errors import LeaseLost
from lib.jobqueue.id_prefixes import MOST_KNOWN, MOST_UNDER, alike, check_known, under
from lib.jobqueue.lifecycle import JobEvent
from lib.jobqueue.memory.blame import count_failure, excuse, next_step
from lib.jobqueue.memory.enqueuer import MemoryEnqueuer
from lib.jobqueue.memory.store import HANDED_BACK, Job, Store
from lib.jobqueue.memory.views import ended, listed, newest, numbers, place, stretch
from lib.jobqueue.memory.watchers import WatcherBook
from lib.jobqueue.model import (
    TERMINAL,
    CancelOutcome,
    Changed,
    EnqueueOutcome,
    ErrorClass,
    Event,
    Failure,
    FinishedJob,
    JobRecord,
    JobState,
    Lease,
    Placement,
    RetryOutcome,
    Snapshot,
    WatcherInfo,
)
from lib.jobqueue.options import QueueOptions
from lib.jobspec import JobSpec
from lib.redislink.term import LeadershipLost, Term

_LOOK_EVERY_S = 0.02  # a lease or a delay runs out without anybody telling


class MemoryQueue:
    """`JobQueue` over dictionaries; `now_ms` and `chance` as for the Redis queue.

    `leads` judges a leader's term, as the lock does there.
    """

    def __init__(
        self,
        options: QueueOptions | None = None,
        *,
        now_ms: Callable[[], int] | None = None,
        chance: Callable[[], float] = random.random,
        leads: Callable[[Term], bool] = lambda term: True,
    ) -> None:
        self._options = options or QueueOptions()
        self._store = Store(self._options, now_ms or (lambda: time.time_ns() // 1_000_000))
        self._chance, self._leads = chance, leads
        self._changed = self._store.changed
        self._watchers = WatcherBook(self._store.now_ms)
        self._enqueuer = MemoryEnqueuer(self._store, self._options)
        self._wakes = 0
        self._wakes_seen: dict[str, int] = {}

    def enqueue(
        self, specs: Sequence[JobSpec], *, changed: Changed = Changed.REFUSE, dry_run: bool = False
    ) -> list[EnqueueOutcome]:
        """Accept the jobs, all or none, once per request id."""
        with self._changed:
            return self._enqueuer.enqueue([intake(spec) for spec in specs], changed, dry_run=dry_run)

    def claim(
        self, consumer: str, *, count: int = 1, block_s: float = 0.0, lease_ms: int | None = None
    ) -> list[Lease]:
        """Lease up to `count` jobs, waiting up to `block_s` for the first."""
        give_up = time.monotonic() + block_s
        with self._changed:
            while True:
                leases = self._store.give(consumer, count, lease_ms or self._options.lease_ms)
                woken = self._wakes != self._wakes_seen.get(consumer, 0)
                self._wakes_seen[consumer] = self._wakes
                left = give_up - time.monotonic()
                if leases or woken or left <= 0:
                    return leases
                self._changed.wait(min(left, _LOOK_EVERY_S))

    def adopt(
        self, term: Term, consumer: str, *, hosts: Collection[str], lease_ms: int | None = None
    ) -> list[Lease]:
        """Take over running jobs whose work lies on these hosts, as the leader of that term."""
        with self._changed:
            if not self._leads(term):
                raise LeadershipLost(consumer, term.epoch)
            return self._store.adopt(consumer, set(hosts), lease_ms or self._options.lease_ms)

    def assign(self, placements: Sequence[Placement]) -> list[Lease]:
        """Note where the work of leases lies; returns those that are lost."""
        lost = []
        with self._changed:
            for item in placements:
                job = self._store.holding(item.lease)
                if job is None:
                    lost.append(item.lease)
                else:
                    job.host, job.spool_entry = item.host, item.spool_entry if item.host else ""
        return lost

    def begin(self, lease: Lease) -> Lease:
        """Say that work begins: one attempt."""
        with self._changed:
            job = self._store.held(lease)
            if job.phase != "begun":
                job.attempt, job.phase, job.started = job.attempt + 1, "begun", self._store.now_ms()
                job.alone = False
                self._store.move(lease.request_id, JobEvent.BEGUN, {"attempt": job.attempt})
            return replace(lease, attempt=job.attempt)

    def renew(self, leases: Sequence[Lease], *, lease_ms: int | None = None) -> list[Lease]:
        """Extend the leases from now; returns those that are lost."""
        lost = []
        with self._changed:
            for lease in leases:
                if self._store.holding(lease) is None:
                    lost.append(lease)
                else:
                    expiry = self._store.now_ms() + (lease_ms or self._options.lease_ms)
                    self._store.leases[lease.request_id] = expiry
        return lost

    def progress(self, lease: Lease, data: Mapping[str, Any]) -> None:
        """Store the latest progress of a running job."""
        with self._changed:
            self._store.held(lease).progress = json.loads(to_json(data))

    def complete(self, lease: Lease, result: Mapping[str, Any]) -> int:
        """Record the result, once and for all."""
        (order,) = self.complete_many([(lease, result)])
        if order is None:
            raise LeaseLost(lease.request_id, lease.lease_no, lease.consumer)
        return order

    def complete_many(self, results: Sequence[tuple[Lease, Mapping[str, Any]]]) -> list[int | None]:
        """Record several results."""
        encoded = [(lease, to_json(result)) for lease, result in results]
        orders: list[int | None] = []
        with self._changed:
            for lease, result in encoded:
                job = self._store.holding(lease)
                if job:
                    self._store.finish(lease.request_id, result)
                else:
                    job = self._store.repeated(lease, "done")
                orders.append(job.order if job else None)
            self._store.trim(2 * len(encoded) + 2)
        return orders

    def fail(self, lease: Lease, failure: Failure) -> JobState:
        """Record a failure and return where the job went."""
        data = {"class": failure.error_class.value}
        error = json.loads(to_json({**data, "message": failure.message, "evidence": dict(failure.evidence)}))
        with self._changed:
            if repeated := self._store.repeated(lease, "failed"):
                return repeated.state
            job = self._store.held(lease)
            count_failure(job, failure)
            event = next_step(job, failure, self._options)
            if event in (JobEvent.FAILED, JobEvent.CANCELED):
                self._store.end_badly(lease.request_id, event, error, data)
            else:
                self._store.move(lease.request_id, event, data)
                job.error, job.progress = error, None
                self._send_back(lease, job)
            self._store.trim(4)
            return job.state

    def _send_back(self, lease: Lease, job: Job) -> None:
        if job.state is JobState.WAITING:
            self._store.leases[lease.request_id] = HANDED_BACK
            return
        job.due = self._store.now_ms() + self._options.retry_pause_ms(lease, self._chance())
        del self._store.leases[lease.request_id]

    def release(self, lease: Lease, reason: str, *, alone: bool = False) -> None:
        """Hand the job back, to be given out first."""
        with self._changed:
            if self._store.repeated(lease, "released"):
                return
            self._store.held(lease)
            self._store.release(lease.request_id, reason, alone=alone)

    def release_unplaced(self, consumer: str, *, known: Collection[str], reason: str) -> list[str]:
        """Hand back what a consumer that is gone had not placed yet."""
        with self._changed:
            return self._store.release_unplaced(consumer, known, reason)

    def excuse(self, request_id: str, host: str) -> bool:
        """Hold a worker's death on that host against the job no more."""
        with self._changed:
            job = self._store.known(request_id)
            excused = job is not None and excuse(job, host)
            if excused:
                self._store.move(request_id, JobEvent.EXCUSED, {"host": host})
            return excused

    def cancel(self, request_id: str) -> CancelOutcome:
        """Withdraw a job that is not finished."""
        with self._changed:
            job = self._store.known(request_id)
            if job is None or job.state in TERMINAL:
                return CancelOutcome(request_id, False, job.state if job else None)
            error = {"class": ErrorClass.CANCELED.value, "message": "canceled by request", "evidence": {}}
            self._store.end_badly(request_id, JobEvent.CANCELED, error)
            self._store.trim(4)
            return CancelOutcome(request_id, True, job.state)

    def retry(self, request_ids: Sequence[str]) -> list[RetryOutcome]:
        """Requeue failed and canceled jobs."""
        with self._changed:
            return [self._retry(request_id) for request_id in request_ids]

    def _retry(self, request_id: str) -> RetryOutcome:
        job = self._store.known(request_id)
        if job is None or job.state not in (JobState.FAILED, JobState.CANCELED):
            return RetryOutcome(request_id, False, job.state if job else None)
        job.excused, job.lost, job.poisoned, job.phase, job.failure = job.attempt, 0, 0, "", None
        del self._store.history[request_id]
        self._store.requeue(request_id)
        return RetryOutcome(request_id, True, job.state)

    def pause(self) -> None:
        """Stop giving out jobs."""
        self._set_paused(True)

    def resume(self) -> None:
        """Give out jobs again."""
        self._set_paused(False)

    def _set_paused(self, paused: bool) -> None:
        with self._changed:
            if self._store.paused is not paused:
                self._store.paused = paused
                self._store.tell("paused" if paused else "resumed")

    def wake(self) -> None:
        """Make every waiting `claim` return; one not yet waiting does not begin to."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def snapshot(self) -> Snapshot:
        """The queue in numbers."""
        with self._changed:
            return numbers(self._store, self._watchers)

    def server_health(self) -> dict[str, Any]:
        """There is no server."""
        return {"name": "memory", "version": "", "place": "this process"}

    def job(self, request_id: str) -> JobRecord | None:
        """What is known about one job."""
        with self._changed:
            job = self._store.known(request_id)
            if job is None:
                return None
            return replace(self._store.record(request_id), progress=job.progress, last_error=job.error)

    def jobs(self, request_ids: Sequence[str]) -> list[JobRecord | None]:
        """What is known about many jobs."""
        with self._changed:
            return [
                replace(self._store.record(request_id), expires_at=None, due_at=None)
                if self._store.known(request_id)
                else None
                for request_id in request_ids
            ]

    def specs(self, request_ids: Sequence[str]) -> list[JobSpec | None]:
        """What was asked for under each id."""
        with self._changed:
            jobs = [self._store.known(request_id) for request_id in request_ids]
            return [
                None if job is None or job.state is JobState.DONE else spec_of(job.item.payload)
                for job in jobs
            ]

    def result(self, request_id: str) -> FinishedJob | None:
        """The record of a finished job."""
        with self._changed:
            job = self._store.known(request_id)
            return self._store.finished(request_id) if job and job.state in TERMINAL else None

    def results(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        """The records of many jobs."""
        return [self.result(request_id) for request_id in request_ids]

    def revisions(self, request_id: str) -> list[FinishedJob]:
        """The records of its earlier revisions."""
        with self._changed:
            return self._store.earlier(request_id) if self._store.known(request_id) else []

    def history(
        self,
        *,
        limit: int = 20,
        status: JobState | None = None,
        since: float | None = None,
        behind: FinishedJob | None = None,
    ) -> list[FinishedJob]:
        """Finished jobs, most recent first."""
        with self._changed:
            return newest(self._store, limit, status, since, behind)

    def place(self, request_id: str) -> PlaceInLine | None:
        """Where a waiting job stands."""
        with self._changed:
            return place(self._store, request_id)

    def look_along(self, behind: str = "", *, count: int = LOOKED_AT) -> StretchOfLine:
        """The batches of a stretch of the line."""
        with self._changed:
            return stretch(self._store, behind, count)

    def listed(self, state: JobState | None, behind: str = "", *, count: int = LOOKED_AT) -> ListedJobs:
        """A page of the ids of jobs in a state."""
        with self._changed:
            return listed(self._store, state, behind, count)

    def ended(self, moments: Sequence[float]) -> list[EndedJobs]:
        """How many had ended before each moment."""
        with self._changed:
            return ended(self._store, moments)

    def ids_under(
        self, prefix: str, *, at_most: int = MOST_UNDER, among: int = MOST_KNOWN
    ) -> tuple[str, ...]:
        """The known ids that begin with `prefix`, in order."""
        with self._changed:
            check_known(len(self._store.jobs), among)
            return under(prefix, filter(self._store.known, self._store.jobs), at_most)

    def nearest(self, request_id: str) -> tuple[str, ...]:
        """Up to three known ids that look alike."""
        with self._changed:
            return alike(request_id, self._store.jobs)

    def last_event_id(self) -> str:
        """The newest event's id."""
        with self._changed:
            return self._store.events[-1].id if self._store.events else "0-0"

    def latest_events(self, count: int) -> list[Event]:
        """The newest events."""
        with self._changed:
            return [*self._store.events][-count:]

    def follow_events(self, after: str, *, block_s: float = 0.0, count: int = 500) -> list[Event]:
        """Events after that id, waiting up to `block_s` for the first."""
        give_up = time.monotonic() + block_s
        number = int(after.partition("-")[0])
        with self._changed:
            while True:
                events = [item for item in self._store.events if int(item.id[:-2]) > number][:count]
                left = give_up - time.monotonic()
                if events or left <= 0:
                    return events
                self._changed.wait(left)

    def register_watcher(self, name: str, data: Mapping[str, Any]) -> None:
        """Enter a watcher into the registry."""
        self.heartbeat_watcher(name, data)

    def heartbeat_watcher(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Say that the watcher is alive."""
        with self._changed:
            self._watchers.seen(name, data)

    def remove_watcher(self, name: str) -> None:
        """Take the watcher out of the registry."""
        with self._changed:
            self._watchers.remove(name)

    def watchers(self) -> list[WatcherInfo]:
        """All registered watchers, the longest running first."""
        with self._changed:
            return self._watchers.all()

    def admin(self) -> None:
        """There is no server to keep up."""

    def close(self) -> None:
        """Nothing to give back."""
