"""Calls each Lua script: arguments in the order of its header, the reply parsed once, here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, NamedTuple

from lib.jobqueue.admin.observed import BatchInLine, StretchOfLine
from lib.jobqueue.codec import Intake
from lib.jobqueue.model import WATCHER_KEPT_S, Changed, Failure, JobState, Lease, Placement
from lib.jobqueue.options import QueueOptions
from lib.jobqueue.redis.keys import GROUP, Keys
from lib.jobqueue.redis.scripts import load
from lib.jobspec import JobSpec
from lib.redislink.term import Term
from lib.redislink.transport import Transport, Wait
from lib.redislink.wire import Argument

#: Of specifications, in one look along the line: the server serves nobody else meanwhile.
_BYTES_LOOKED_AT = 500_000


class JobNote(NamedTuple):
    """One job's note in a script's reply, by its position in the call."""

    position: int
    outcome: str
    state: JobState
    dedup_until_ms: int | None
    revision: int = 1


class EnqueueReply(NamedTuple):
    """Reply of `enqueue` and `stage`: a word for the whole, notes for the jobs that need one.

    `batch` is set where the word is "staged": publish that, then ask again.
    """

    word: str
    notes: list[JobNote]
    batch: str = ""


class RawLease(NamedTuple):
    """A lease as `claim` and `adopt` reply it; times in milliseconds, None for what says nothing."""

    request_id: str
    fence: str
    attempt: int
    excused: int
    expires_ms: int
    enqueued_ms: int
    host: str | None = None
    spool_entry: str | None = None
    killed: Sequence[str] | None = None
    alone: int | None = None
    revision: int = 1

    def lease(self, spec: JobSpec, consumer: str) -> Lease:
        """As the port has it."""
        number, _, token = self.fence.partition(":")
        return Lease(
            request_id=self.request_id,
            lease_no=int(number),
            token=token,
            consumer=consumer,
            spec=spec,
            attempt=self.attempt,
            expires_at=self.expires_ms / 1000,
            enqueued_at=self.enqueued_ms / 1000,
            excused=self.excused,
            host=self.host or "",
            spool_entry=self.spool_entry or "",
            killed=tuple(self.killed or ()),
            alone=bool(self.alone),
            revision=self.revision,
        )


@dataclass(frozen=True, slots=True)
class Claimed:
    """Reply of `claim`: the leases with their payloads, "" for a job that had none and failed.

    `wait_ms` is None when nothing is scheduled; `last_ids` are what to wait behind.
    """

    leases: list[tuple[RawLease, str]]
    wait_ms: int | None
    last_ids: list[str]
    care: list[tuple[str, str]]


class ScriptCalls:
    """The scripts as methods. Every one is safe to repeat; `now_ms` is None in production."""

    def __init__(
        self, transport: Transport, keys: Keys, options: QueueOptions, now_ms: Callable[[], int] | None
    ) -> None:
        self._transport = transport
        self._keys = keys
        self._options = options
        self._now_ms = now_ms
        self._ttl_ms = round(options.result_ttl_s * 1000)

    def _run(self, name: str, *arguments: Argument, batch: str | None = None) -> Any:
        """Run `name`, with now as the first argument."""
        script = load(name)
        return self._transport.evaluate(
            script, self._keys.named(script.keys, batch), (self._now(), *arguments)
        )

    def _now(self) -> Argument:
        return "" if self._now_ms is None else self._now_ms()

    def enqueue(
        self, items: Sequence[Intake], changed: Changed, max_depth: int, *, dry_run: bool = False
    ) -> EnqueueReply:
        """Accept up to a chunk of jobs at once."""
        script, replacing = load("enqueue"), changed is Changed.REPLACE
        token = "" if dry_run else secrets.token_urlsafe(16)
        head = (self._now(), changed.value, max_depth, self._ttl_ms, self._options.events_max, GROUP, token)
        flat = _flat(items, replacing=replacing)
        reply = self._transport.evaluate(
            script, self._keys.named(script.keys), (*head, "0", *flat), again=(*head, "1", *flat)
        )
        return _verdict(reply)

    def stage(self, items: Sequence[Intake], batch: str, pause_ms: int, *, first: bool) -> EnqueueReply:
        """Prepare one chunk of a batch."""
        head = (batch, pause_ms, self._ttl_ms, "1" if first else "0")
        return _verdict(self._run("stage", *head, *_flat(items), batch=batch))

    def commit(self, batch: str, pause_ms: int, max_depth: int) -> str:
        """Accept a staged batch: "ok", "full" or "lost"."""
        return str(self._run("commit", batch, pause_ms, max_depth, batch=batch))

    def publish(self, batch: str, count: int, pause_ms: int) -> int:
        """Move some jobs of a committed batch into the streams; returns how many are left."""
        return int(self._run("publish", batch, count, self._options.events_max, pause_ms, batch=batch))

    def discard(self, batch: str, count: int, *, own: bool) -> int:
        """Take back some of a batch; returns how many are left, -1 when that is not allowed."""
        return int(self._run("discard", batch, count, "1" if own else "0", batch=batch))

    def claim(self, consumer: str, count: int, lease_ms: int, behind: Wait | None = None) -> Claimed:
        """Lease jobs, after a wait if one is given; a repeat after a lost reply gives the same ones again."""
        options, script = self._options, load("claim")
        request = (self._now(), GROUP, consumer, count, lease_ms, secrets.token_urlsafe(16))
        given = (*request, options.events_max, options.lost_limit)
        leases, payloads, wait, ids, care = self._transport.evaluate(
            script, self._keys.named(script.keys), (*given, "0"), again=(*given, "1"), behind=behind
        )
        return Claimed(
            _leased(leases, payloads),
            None if int(wait) < 0 else int(wait),
            [str(item) for item in ids],
            [(str(batch), str(state)) for batch, state in care],
        )

    def held_ids(self) -> list[str]:
        """The request ids of all leases, those handed back included."""
        ask, key = self._transport.ask, self._keys["leases"]
        return [str(item) for item in self._transport.repeat(lambda: ask("ZRANGE", key, 0, -1))]

    def adopt(
        self, term: Term, consumer: str, hosts: Sequence[str], ids: Sequence[str], lease_ms: int
    ) -> list[tuple[RawLease, str]] | None:
        """Take over those of these jobs that lie on these hosts; None when that is not the leader's term."""
        who = (GROUP, consumer, term.epoch, term.token, lease_ms, secrets.token_urlsafe(16))
        leads, leases, payloads = self._run("adopt", *who, self._options.events_max, json.dumps(hosts), *ids)
        return _leased(leases, payloads) if int(leads) else None

    def assign(self, placements: Sequence[Placement]) -> list[int]:
        """Note where work lies; returns the positions of the lost leases."""
        script, flat = load("assign"), list[Argument]()
        for item in placements:
            flat += (item.lease.request_id, item.lease.fence, item.host, item.spool_entry)
        reply = self._transport.evaluate(script, self._keys.named(script.keys), flat)
        return [int(position) for position in reply]

    def excuse(self, request_id: str, host: str, data: str) -> bool:
        """Take back a death on that host; False when none is held against the job."""
        return bool(self._run("excuse", self._options.events_max, request_id, host, data))

    def begin(self, leases: Sequence[Lease]) -> list[int]:
        """The number of each lease's attempt, 0 for a lost one."""
        return [int(item) for item in self._run("begin", self._options.events_max, *_fences(leases))]

    def renew(self, leases: Sequence[Lease], lease_ms: int) -> list[int]:
        """Extend leases; returns the positions of the lost ones."""
        return [int(item) for item in self._run("renew", lease_ms, *_fences(leases))]

    def progress(self, lease: Lease, data: str) -> bool:
        """Store progress; False when the lease is lost."""
        script = load("progress")
        arguments = (lease.request_id, lease.fence, data)
        return bool(self._transport.evaluate(script, self._keys.named(script.keys), arguments))

    def complete(self, results: Sequence[tuple[Lease, str]]) -> list[int]:
        """Record results; returns the order of asking of each, -1 for a lost lease."""
        flat: list[Argument] = []
        for lease, result in results:
            flat += (lease.request_id, lease.fence, result)
        return [int(item) for item in self._run("complete", *self._ending(), *flat)]

    def fail(self, lease: Lease, failure: Failure, error: str, backoff_ms: int) -> JobState | None:
        """Record a failure, `error` its JSON; the state it led to, None when the lease is lost."""
        what = (lease.request_id, lease.fence, failure.error_class.value, error, backoff_ms)
        limits = (self._options.poison_limit, self._options.lost_limit)
        state = str(self._run("fail", *self._ending(), *what, *limits, failure.host, failure.hosts))
        return None if state == "lost" else JobState(state)

    def release(self, request_id: str, fence: str, data: str, *, alone: bool = False) -> bool:
        """Hand a job back; False when the lease is lost."""
        what = (request_id, fence, data, "1" if alone else "0")
        return bool(self._run("release", self._options.events_max, *what))

    def cancel(self, request_id: str, error: str) -> tuple[bool, JobState | None, str]:
        """Withdraw a job: whether this call did, its state now, and the batch to publish first, or ""."""
        changed, state, batch = self._run("cancel", *self._ending(), request_id, error)
        return bool(changed), JobState(state) if state else None, str(batch)

    def retry(self, request_ids: Sequence[str]) -> list[tuple[bool, JobState | None]]:
        """Requeue jobs: per id whether this call did, and its state now."""
        reply = self._run("retry", self._options.events_max, self._ttl_ms, *request_ids)
        return [(bool(changed), JobState(state) if state else None) for changed, state in reply]

    def pause(self, on: bool) -> bool:
        """Stop or go on giving out jobs; whether that changed anything."""
        return bool(self._run("pause", self._options.events_max, "1" if on else "0"))

    def sweep(self, count: int) -> tuple[int, int]:
        """Look at some pending entries and old records; how many jobs go out again, how many strays went."""
        given, removed = self._run("sweep", GROUP, count, self._ttl_ms, self._options.history_max)
        return int(given), int(removed)

    def wake(self) -> None:
        """Ring the bell."""
        script = load("wake")
        self._transport.evaluate(script, self._keys.named(script.keys), ())

    def snapshot(self) -> list[Any]:
        """The numbers in the order of the script's header."""
        return list(self._run("snapshot", GROUP))

    def line(self, behind: str, count: int) -> StretchOfLine:
        """The batches of a stretch of the line."""
        script = load("line")
        asked = (behind, count, _BYTES_LOOKED_AT)
        further, flat = self._transport.evaluate(script, self._keys.named(script.keys), asked)
        numbers = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        found = tuple(BatchInLine(str(name), int(waits), int(runs)) for name, waits, runs in numbers)
        return StretchOfLine(found, str(further))

    def watcher(self, name: str, data: str) -> None:
        """Enter a watcher, or say that it is alive; empty data: as before."""
        self._run("watcher", name, data)

    def leave(self, name: str, live_ms: int, idle_ms: int) -> int:
        """Remove a consumer that holds nothing, or with an empty name all long dead ones."""
        return int(self._run("leave", GROUP, name, live_ms, idle_ms, round(WATCHER_KEPT_S * 1000)))

    def _ending(self) -> tuple[Argument, ...]:
        return GROUP, self._options.events_max, self._ttl_ms, self._options.history_max


def _flat(items: Iterable[Intake], *, replacing: bool = False) -> list[Argument]:
    flat: list[Argument] = []
    for item in items:
        flat += item.arguments(replacing=replacing)
    return flat


def _fences(leases: Iterable[Lease]) -> list[Argument]:
    flat: list[Argument] = []
    for lease in leases:
        flat += (lease.request_id, lease.fence)
    return flat


def _leased(leases: str, payloads: Iterable[str]) -> list[tuple[RawLease, str]]:
    return list(zip(starmap(RawLease, json.loads(leases)), payloads, strict=True))


def _verdict(reply: list[Any]) -> EnqueueReply:
    word = str(reply[0])
    if word == "staged":
        return EnqueueReply(word, [], str(reply[1]))
    notes = [
        JobNote(int(position), str(outcome), JobState(state), int(until) if until else None, *map(int, rest))
        for position, outcome, state, until, *rest in reply[1:]
    ]
    return EnqueueReply(word, notes)
