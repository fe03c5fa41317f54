"""The values that pass through the queue's port: frozen, plain, free of any Redis type.

Times are seconds since the epoch by the server's clock, durations are seconds unless a name says `_ms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobspec.model import JobSpec
from lib.records import DoneRecord, FailedRecord, InvalidRecord

#: From the first to the last to be looked at.
PRIORITIES: Final = ("high", "normal", "low")


class JobState(StrEnum):
    """Where an accepted job is. It is in exactly one of these."""

    DELAYED = "delayed"  # accepted; waits for its time: `not_before`, or the backoff after a failure
    WAITING = "waiting"  # in a work stream; the next free worker takes it
    RUNNING = "running"  # leased to a worker
    DONE = "done"  # terminal: a result record exists
    FAILED = "failed"  # terminal: a failure record exists
    CANCELED = "canceled"  # terminal: a person withdrew it


TERMINAL: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


class Outcome(StrEnum):
    """The answer to one job of an `enqueue` call."""

    CREATED = "created"  # new, now waiting or delayed (with `dry_run`: would be)
    DUPLICATE = "duplicate"  # known, with the same fingerprint; nothing changed
    CONFLICT = "conflict"  # known, with another fingerprint; nothing changed
    REJECTED = "rejected"  # the queue is at its depth limit; nothing of the call was enqueued
    REPLACED = "replaced"  # known with another fingerprint; this is its next revision now
    UPDATED = "updated"  # known with the same fingerprint; fields outside it were changed
    WITHHELD = "withheld"  # fine in itself, but another job of the call conflicts; nothing was enqueued


class Changed(StrEnum):
    """What `enqueue` does with a job whose id is known with other content."""

    REFUSE = "refuse"  # nothing, and nothing for any other job of the call
    SKIP = "skip"  # nothing for this job
    REPLACE = "replace"  # makes it the next revision


class ErrorClass(StrEnum):
    """Why work failed, which decides what happens next."""

    BAD_INPUT = "bad_input"  # the job itself is wrong: terminal at once
    TRANSIENT = "transient"  # may work next time: backoff, until `max_attempts` are spent
    LOST_MACHINE = "lost_machine"  # the machine went away: at once elsewhere, counted apart
    POISON = "poison"  # it killed its worker: terminal the second time, on two hosts where there are two
    CANCELED = "canceled"  # a person withdrew it: terminal


@dataclass(frozen=True, slots=True)
class EnqueueOutcome:
    """One job's answer to `enqueue`: its id, outcome and state now.

    `state` is the known job's state, or the new one's; None when nothing of that id is recorded.
    `dedup_until` is when the id is forgotten (its record's end); None while the job is not finished.
    """

    request_id: str
    outcome: Outcome
    state: JobState | None = None
    dedup_until: float | None = None
    revision: int = 1

    def to_json(self) -> dict[str, Any]:
        """The shape of `enqueue --json`, one per job."""
        return {
            "request_id": self.request_id,
            "outcome": self.outcome.value,
            "state": self.state.value if self.state else None,
            "dedup_until": rfc3339(self.dedup_until) if self.dedup_until is not None else None,
            "revision": self.revision,
        }


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job until `expires_at`, and to write its outcome.

    `lease_no` rises with every claim of the job and names paths and labels; with the random `token` it is
    the fence that every write is checked against. `attempt` counts work that began, this lease's included
    once `begin` was called.

    `host` and `spool_entry` are where the work lies, or lay when the lease before ran out; empty when nothing
    was assigned. `killed` are the hosts whose worker died of the job: it must not go there again. `alone`
    says that it is to be run singly this time. `revision` is which content of the request id this is.
    """

    request_id: str
    lease_no: int
    token: str
    consumer: str
    spec: JobSpec
    attempt: int
    expires_at: float
    enqueued_at: float
    excused: int = 0  # attempts that do not count: handed back, or their machine was lost
    host: str = ""
    spool_entry: str = ""
    killed: tuple[str, ...] = ()
    alone: bool = False
    revision: int = 1

    @property
    def fence(self) -> str:
        """Lease number and token as the scripts compare them."""
        return f"{self.lease_no}:{self.token}"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the work of a lease lies: the host's name, and the entry in that host's spool."""

    lease: Lease
    host: str
    spool_entry: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a sentence for people, and what was seen (log tail, exit code...).

    `evidence` must be JSON; it is stored with a terminal failure. `host` is where it happened, `hosts` how
    many there were to try it on: one host's word does not end a job that kills workers, if there are two.
    """

    error_class: ErrorClass
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    host: str = ""
    hosts: int = 1


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What the queue knows about one job now.

    `attempt` counts work begun; `excused` of these do not count towards `max_attempts` (handed back, or
    their machine was lost). `lost` counts lost machines and leases, `poisoned` killed workers.
    `since` is when the job entered its state; `due_at` when a delayed job becomes waiting. `host` is where
    the work of a running job lies, empty while nothing was assigned. `order` is its place in the order of
    asking, 0 for a job accepted by a version that knew none; `revision` counts its contents, from 1.
    """

    request_id: str
    state: JobState
    priority: str
    fingerprint: str
    max_attempts: int
    attempt: int
    excused: int
    lost: int
    poisoned: int
    lease_no: int
    enqueued_at: float
    since: float
    consumer: str | None = None
    expires_at: float | None = None
    due_at: float | None = None
    dedup_until: float | None = None
    progress: Mapping[str, Any] | None = None
    last_error: Mapping[str, Any] | None = None
    host: str = ""
    order: int = 0
    revision: int = 1

    def last_failure(self) -> FailedRecord | None:
        """Why the attempt before failed; None where none did, or that cannot be read."""
        return _failed(self.last_error)


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """The record of a job in a terminal state; `result` for done, `error` for failed and canceled.

    `error` has the keys `class`, `message` and, where a holder of the lease or a person gave it, `evidence`.
    `started_at` is when the last attempt began.
    """

    request_id: str
    state: JobState
    finished_at: float
    enqueued_at: float
    started_at: float | None
    attempt: int
    lost: int
    lease_no: int
    consumer: str | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    order: int = 0
    revision: int = 1

    def done(self) -> DoneRecord | None:
        """What was spoken; None unless the job is done and its record can be read."""
        try:
            return None if self.result is None else DoneRecord.from_json(self.result)
        except InvalidRecord:
            return None

    @property
    def failed_unheld(self) -> bool:
        """Whether the queue itself recorded the failure, while nobody held the job: it has no evidence."""
        return self.state is JobState.FAILED and self.error is not None and "evidence" not in self.error

    def failure(self) -> FailedRecord | None:
        """Why it failed or was canceled; None when it is done, or that cannot be read."""
        return _failed(self.error)

    def to_json(self) -> dict[str, Any]:
        """The shape of `result --json` and of each line of `history --json`."""
        return {
            "request_id": self.request_id,
            "state": self.state.value,
            "finished_at": rfc3339(self.finished_at),
            "enqueued_at": rfc3339(self.enqueued_at),
            "started_at": rfc3339(self.started_at) if self.started_at is not None else None,
            "attempts": self.attempt,
            "lost": self.lost,
            "lease_no": self.lease_no,
            "consumer": self.consumer,
            "revision": self.revision,
            "result": self.result,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The queue in numbers; reading it costs the same for one job and for a million.

    `stale_pel` counts leases that ran out and were not given on yet. `oldest_waiting_s` is how long the job
    that became waiting first has been so; backoff and earlier work on it do not count. `failed` leaves
    `canceled` out.
    `lock_owner` is the oldest live watcher, None when there is none; `watchers` the whole registry, the
    longest running first. `watcher_last_seen` is the newest sign of life of any watcher there ever was.
    """

    waiting: int
    pending: int
    delayed: int
    stale_pel: int
    oldest_waiting_s: float | None
    done: int
    failed: int
    canceled: int
    paused: bool
    lock_owner: str | None
    watcher_last_seen: float | None
    server_time: float
    watchers: tuple[WatcherInfo, ...] = ()

    @property
    def outstanding(self) -> int:
        """Accepted and not finished."""
        return self.waiting + self.pending + self.delayed

    @property
    def watcher_last_seen_age_s(self) -> float | None:
        """Seconds since a watcher was last seen, by the server's clock."""
        return None if self.watcher_last_seen is None else max(0.0, self.server_time - self.watcher_last_seen)

    def to_json(self) -> dict[str, Any]:
        """The queue's keys of `status --json`."""
        return {
            "outstanding": self.outstanding,
            "waiting": self.waiting,
            "pending": self.pending,
            "delayed": self.delayed,
            "stale_pel": self.stale_pel,
            "oldest_waiting_s": _to_ms(self.oldest_waiting_s),
            "done": self.done,
            "failed": self.failed,
            "canceled": self.canceled,
            "paused": self.paused,
            "lock_owner": self.lock_owner,
            "watcher_last_seen": None if self.watcher_last_seen is None else rfc3339(self.watcher_last_seen),
            "watcher_last_seen_age_s": _to_ms(self.watcher_last_seen_age_s),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One transition, as told by the event stream (docs/reference/events.md).

    `id` orders events and is what `follow_events` takes as `after`. `kind` is the transition's name
    ("created", "claimed", "begun", "done"...), `state` the state it led to; None for "excused", which leaves
    the state as it is. Queue-wide events (paused, resumed) have neither request id nor state.
    """

    id: str
    kind: str
    at: float
    request_id: str | None = None
    state: JobState | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """`canceled` is whether this call withdrew the job; `state` what it is in now (None: unknown id)."""

    request_id: str
    canceled: bool
    state: JobState | None


@dataclass(frozen=True, slots=True)
class RetryOutcome:
    """`retried` is whether this call requeued the job; `state` what it is in now (None: unknown id)."""

    request_id: str
    retried: bool
    state: JobState | None


@dataclass(frozen=True, slots=True)
class WatcherInfo:
    """One watcher in the registry. `live` is judged by the server's clock against `WATCHER_LIVE_S`."""

    name: str
    started_at: float
    last_seen: float
    live: bool
    data: Mapping[str, Any] = field(default_factory=dict)


WATCHER_LIVE_S: Final = 20.0  # a watcher silent for longer counts as gone; heartbeats come every 5 s
WATCHER_KEPT_S: Final = 86_400.0  # one silent for longer is not even listed


def _to_ms(seconds: float | None) -> float | None:
    """Seconds to the millisecond, as fine as the queue counts: without the digits of binary noise."""
    return None if seconds is None else round(seconds, 3)


def _failed(error: Mapping[str, Any] | None) -> FailedRecord | None:
    try:
        return None if error is None else FailedRecord.from_json(error)
    except InvalidRecord:
        return None
