"""The queue on Redis Streams."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from lib.clock import Clock, SystemClock
from lib.errors import BadInput, Unavailable
from lib.jobqueue.admin.observed import LOOKED_AT, EndedJobs, ListedJobs, PlaceInLine, StretchOfLine
from lib.jobqueue.codec import spec_of, to_json
from lib.jobqueue.errors import LeaseLost
from lib.jobqueue.id_prefixes import MOST_KNOWN, MOST_UNDER
from lib.jobqueue.model import (
    WATCHER_LIVE_S,
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
from lib.jobqueue.redis.enqueuer import CHUNK_JOBS, Enqueuer
from lib.jobqueue.redis.inspection import Inspector
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.listing import ended, listed
from lib.jobqueue.redis.script_calls import Claimed, RawLease, ScriptCalls
from lib.jobqueue.redis.upkeep import Upkeep
from lib.jobqueue.redis.views import Views
from lib.jobspec import JobSpec
from lib.redislink.term import LeadershipLost, Term
from lib.redislink.transport import Transport, Wait

_COMPLETED_AT_ONCE: Final = 250
_DEAD_CONSUMER_MS: Final = 600_000
_SWEEP_EVERY_S: Final = 60.0
_SWEPT_AT_ONCE: Final = 100


class RedisQueue:
    """`JobQueue` on a Redis or Valkey server; see the port for what each method promises.

    `now_ms` replaces the server's clock, and `chance` the backoff's randomness, in tests.
    """

    def __init__(
        self,
        transport: Transport,
        options: QueueOptions | None = None,
        *,
        now_ms: Callable[[], int] | None = None,
        chance: Callable[[], float] = random.random,
        clock: Clock | None = None,
    ) -> None:
        self._transport = transport
        self._options = options or QueueOptions()
        self._clock = clock or SystemClock()
        self._chance = chance
        self._keys = Keys(self._options.prefix, cluster=transport.cluster)
        self._calls = ScriptCalls(transport, self._keys, self._options, now_ms)
        self._views = Views(transport, self._keys, round(self._options.result_ttl_s * 1000), now_ms)
        self._enqueuer = Enqueuer(self._calls, self._options, self._clock)
        self._wakes = 0
        self._wakes_seen: dict[str, int] = {}
        self._swept = self._clock.monotonic()
        self._lock = threading.Lock()

    def enqueue(
        self, specs: Sequence[JobSpec], *, changed: Changed = Changed.REFUSE, dry_run: bool = False
    ) -> list[EnqueueOutcome]:
        """Accept the jobs, all or none, once per request id."""
        return self._enqueuer.enqueue(specs, changed=changed, dry_run=dry_run)

    def claim(
        self, consumer: str, *, count: int = 1, block_s: float = 0.0, lease_ms: int | None = None
    ) -> list[Lease]:
        """Lease up to `count` jobs, waiting up to `block_s` for the first."""
        give_up = self._clock.monotonic() + block_s
        lease_ms = lease_ms or self._options.lease_ms
        wait: Wait | None = None
        while True:
            reply = self._calls.claim(consumer, min(count, CHUNK_JOBS), lease_ms, wait)
            self._enqueuer.look_after(reply.care)
            self._sweep_if_due()
            leases = [lease for raw in reply.leases if (lease := self._readable(*raw, consumer))]
            left = give_up - self._clock.monotonic()
            if leases or self._woken(consumer) or (left <= 0 and not reply.care):
                return leases
            moved = reply.leases or reply.care  # then look again before sleeping
            wait = None if moved else self._wait_for_work(reply, left)

    def _sweep_if_due(self) -> None:
        if self._clock.monotonic() - self._swept >= _SWEEP_EVERY_S:
            self.sweep()

    def sweep(self) -> tuple[int, int]:
        """The slow safety net, which `claim` uses once a minute.

        Returns how many jobs were given out again that nobody would have found, and how many entries
        were removed that belonged to no job. Each call looks at the next hundred entries of each stream.
        """
        self._swept = self._clock.monotonic()
        return self._calls.sweep(_SWEPT_AT_ONCE)

    def _wait_for_work(self, reply: Claimed, left: float) -> Wait:
        """Until the next entry or ring of the bell, lease to run out or job to be due; at most a slice."""
        longest = self._transport.slice_s
        soon = longest if reply.wait_ms is None else min(longest, reply.wait_ms / 1000)
        keys = self._keys.named(("high", "normal", "low", "bell"))
        return Wait(dict(zip(keys, reply.last_ids, strict=True)), int(min(left, soon) * 1000) + 1)

    def _woken(self, consumer: str) -> bool:
        with self._lock:
            woken = self._wakes != self._wakes_seen.get(consumer, 0)
            self._wakes_seen[consumer] = self._wakes
            return woken

    def _readable(self, raw: RawLease, payload: str, consumer: str) -> Lease | None:
        """A lease with its specification read; a job that cannot be read fails here and now."""
        if not payload:
            return None
        try:
            return raw.lease(spec_of(payload), consumer)
        except (BadInput, ValueError) as error:
            failure = Failure(ErrorClass.BAD_INPUT, f"its specification cannot be read: {error}")
            with suppress(LeaseLost):
                self.fail(raw.lease(_UNREAD, consumer), failure)
            return None

    def adopt(
        self, term: Term, consumer: str, *, hosts: Collection[str], lease_ms: int | None = None
    ) -> list[Lease]:
        """Take over running jobs whose work lies on these hosts, as the leader of that term."""
        names = sorted({host for host in hosts if host})
        leases: list[Lease] = []
        ids = self._calls.held_ids() or [""]  # with nothing to take too, the term is judged
        for start in range(0, len(ids), CHUNK_JOBS):
            page = ids[start : start + CHUNK_JOBS]
            taken = self._calls.adopt(term, consumer, names, page, lease_ms or self._options.lease_ms)
            if taken is None:
                raise LeadershipLost(consumer, term.epoch)
            leases += [lease for raw in taken if (lease := self._readable(*raw, consumer))]
        return leases

    def assign(self, placements: Sequence[Placement]) -> list[Lease]:
        """Note where the work of leases lies; returns those that are lost."""
        lost: list[Lease] = []
        for start in range(0, len(placements), CHUNK_JOBS):
            page = placements[start : start + CHUNK_JOBS]
            lost += [page[index].lease for index in self._calls.assign(page)]
        return lost

    def begin(self, lease: Lease) -> Lease:
        """Say that work begins: one attempt."""
        (attempt,) = self._calls.begin([lease])
        if not attempt:
            raise _lost(lease)
        return replace(lease, attempt=attempt)

    def renew(self, leases: Sequence[Lease], *, lease_ms: int | None = None) -> list[Lease]:
        """Extend the leases from now; returns those that are lost."""
        lost: list[Lease] = []
        for start in range(0, len(leases), CHUNK_JOBS):
            page = leases[start : start + CHUNK_JOBS]
            lost += [page[index] for index in self._calls.renew(page, lease_ms or self._options.lease_ms)]
        return lost

    def progress(self, lease: Lease, data: Mapping[str, Any]) -> None:
        """Store the latest progress of a running job."""
        if not self._calls.progress(lease, to_json(data)):
            raise _lost(lease)

    def complete(self, lease: Lease, result: Mapping[str, Any]) -> int:
        """Record the result, once and for all."""
        (order,) = self.complete_many([(lease, result)])
        if order is None:
            raise _lost(lease)
        return order

    def complete_many(self, results: Sequence[tuple[Lease, Mapping[str, Any]]]) -> list[int | None]:
        """Record several results."""
        encoded = [(lease, to_json(result)) for lease, result in results]
        orders: list[int] = []
        for start in range(0, len(encoded), _COMPLETED_AT_ONCE):
            orders += self._calls.complete(encoded[start : start + _COMPLETED_AT_ONCE])
        return [None if order < 0 else order for order in orders]

    def fail(self, lease: Lease, failure: Failure) -> JobState:
        """Record a failure and return where the job went."""
        pause_ms = self._options.retry_pause_ms(lease, self._chance())
        error = {
            "class": failure.error_class.value,
            "message": failure.message,
            "evidence": dict(failure.evidence),
        }
        state = self._calls.fail(lease, failure, to_json(error), pause_ms)
        if state is None:
            raise _lost(lease)
        return state

    def release(self, lease: Lease, reason: str, *, alone: bool = False) -> None:
        """Hand the job back, to be given out first."""
        if not self._calls.release(lease.request_id, lease.fence, to_json({"reason": reason}), alone=alone):
            raise _lost(lease)

    def release_unplaced(self, consumer: str, *, known: Collection[str], reason: str) -> list[str]:
        """Hand back what a consumer that is gone had not placed yet."""
        data = to_json({"reason": reason})
        unplaced = self._views.unplaced(self._calls.held_ids(), consumer)
        return [
            request_id
            for request_id, fence in unplaced
            if request_id not in known and self._calls.release(request_id, fence, data)
        ]

    def excuse(self, request_id: str, host: str) -> bool:
        """Hold a worker's death on that host against the job no more."""
        return self._calls.excuse(request_id, host, to_json({"host": host}))

    def cancel(self, request_id: str) -> CancelOutcome:
        """Withdraw a job that is not finished."""
        error = {"class": ErrorClass.CANCELED.value, "message": "canceled by request", "evidence": {}}
        canceled, state, batch = self._calls.cancel(request_id, to_json(error))
        if batch:  # accepted perhaps, but not in its stream yet
            self._enqueuer.publish(batch)
            canceled, state, _ = self._calls.cancel(request_id, to_json(error))
        return CancelOutcome(request_id, canceled, state)

    def retry(self, request_ids: Sequence[str]) -> list[RetryOutcome]:
        """Requeue failed and canceled jobs."""
        outcomes: list[RetryOutcome] = []
        for start in range(0, len(request_ids), CHUNK_JOBS):
            page = request_ids[start : start + CHUNK_JOBS]
            replies = self._calls.retry(page)
            outcomes += [
                RetryOutcome(request_id, retried, state)
                for request_id, (retried, state) in zip(page, replies, strict=True)
            ]
        return outcomes

    def pause(self) -> None:
        """Stop giving out jobs."""
        self._calls.pause(True)

    def resume(self) -> None:
        """Give out jobs again."""
        self._calls.pause(False)

    def wake(self) -> None:
        """Make every waiting `claim` of this instance return; one not yet waiting does not begin to."""
        with self._lock:
            self._wakes += 1
        with suppress(Unavailable):  # a claim that waits on a dead server ends by itself
            self._calls.wake()

    def snapshot(self) -> Snapshot:
        """The queue in numbers."""
        return self._views.snapshot(self._calls.snapshot())

    def server_health(self) -> dict[str, Any]:
        """Name, version, memory and persistence of the server."""
        return self._views.server_health()

    def job(self, request_id: str) -> JobRecord | None:
        """What is known about one job."""
        return self._views.job(request_id)

    def jobs(self, request_ids: Sequence[str]) -> list[JobRecord | None]:
        """What is known about many jobs."""
        return self._views.jobs(request_ids)

    def specs(self, request_ids: Sequence[str]) -> list[JobSpec | None]:
        """What was asked for under each id."""
        return self._views.specs(request_ids)

    def result(self, request_id: str) -> FinishedJob | None:
        """The record of a finished job."""
        return self._views.result(request_id)

    def results(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        """The records of many jobs."""
        return self._views.results(request_ids)

    def revisions(self, request_id: str) -> list[FinishedJob]:
        """The records of its earlier revisions."""
        return self._views.revisions(request_id)

    def history(
        self,
        *,
        limit: int = 20,
        status: JobState | None = None,
        since: float | None = None,
        behind: FinishedJob | None = None,
    ) -> list[FinishedJob]:
        """Finished jobs, most recent first."""
        return self._views.history(limit=limit, status=status, since=since, behind=behind)

    def place(self, request_id: str) -> PlaceInLine | None:
        """Where a waiting job stands."""
        return Inspector(self._transport, self._keys).place(request_id)

    def look_along(self, behind: str = "", *, count: int = LOOKED_AT) -> StretchOfLine:
        """The batches of a stretch of the line."""
        return self._calls.line(behind, count)

    def listed(self, state: JobState | None, behind: str = "", *, count: int = LOOKED_AT) -> ListedJobs:
        """A page of the ids of jobs in a state."""
        return listed(self._transport, self._keys, state, behind, count)

    def ended(self, moments: Sequence[float]) -> list[EndedJobs]:
        """How many had ended before each moment."""
        return ended(self._transport, self._keys, moments)

    def ids_under(
        self, prefix: str, *, at_most: int = MOST_UNDER, among: int = MOST_KNOWN
    ) -> tuple[str, ...]:
        """The known ids that begin with `prefix`, in order."""
        return self._views.ids_under(prefix, at_most, among)

    def nearest(self, request_id: str) -> tuple[str, ...]:
        """Up to three known ids that look alike."""
        return self._views.nearest(request_id)

    def last_event_id(self) -> str:
        """The newest event's id."""
        return self._views.last_event_id()

    def latest_events(self, count: int) -> list[Event]:
        """The newest events."""
        return self._views.latest_events(count)

    def follow_events(self, after: str, *, block_s: float = 0.0, count: int = 500) -> list[Event]:
        """Events after that id, waiting up to `block_s` for the first."""
        give_up = self._clock.monotonic() + block_s
        while True:
            events = self._views.events(after, count)
            left = give_up - self._clock.monotonic()
            if events or left <= 0:
                return events
            wait_ms = int(min(left, self._transport.slice_s) * 1000) + 1
            self._transport.wait(Wait({self._keys["events"]: after}, wait_ms))

    def register_watcher(self, name: str, data: Mapping[str, Any]) -> None:
        """Enter a watcher into the registry; long dead ones leave it, and the group, by the way."""
        self._calls.watcher(name, to_json(data))
        self._calls.leave("", round(WATCHER_LIVE_S * 1000), _DEAD_CONSUMER_MS)

    def heartbeat_watcher(self, name: str, data: Mapping[str, Any] | None = None) -> None:
        """Say that the watcher is alive."""
        self._calls.watcher(name, "" if data is None else to_json(data))

    def remove_watcher(self, name: str) -> None:
        """Take the watcher out of the registry."""
        self._calls.leave(name, round(WATCHER_LIVE_S * 1000), _DEAD_CONSUMER_MS)

    def watchers(self) -> list[WatcherInfo]:
        """All registered watchers, the longest running first."""
        return list(self.snapshot().watchers)

    def admin(self) -> Upkeep:
        """An operator's hands on the queue; they share its connections."""
        return Upkeep(*self.parts())

    def parts(self) -> tuple[Transport, Keys, QueueOptions]:
        """What `lib.jobqueue.redis.upkeep` works with; it shares the connections."""
        return self._transport, self._keys, self._options

    def close(self) -> None:
        """Give back connections."""
        self._transport.close()


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(lease.request_id, lease.lease_no, lease.consumer)


_UNREAD: Final = JobSpec(request_id="unread", output_name="unread", text="")
