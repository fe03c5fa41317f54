"""The values a dispatcher is made with: its parts, its limits and its intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.clock import Clock
from lib.dispatch.carried_pieces import CarriedPieces
from lib.dispatch.delivery_port import Delivery, Journal, Settled
from lib.dispatch.doorbell import Doorbell
from lib.dispatch.rejected_takes import RejectedTakes
from lib.events import EventSink, LogSink
from lib.jobqueue import JobQueue, Lease, WatcherRole
from lib.jobspec import fingerprint, to_payload
from lib.picture_backends.machines import RefuseBackend
from lib.spool import SpoolJob, lease_mark
from lib.voices import EngineFacts, NamedFor, VoiceRegistry


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """How long a dispatcher lets something go wrong before it acts."""

    lease_ms: int = 180_000
    drain_s: float = 600.0
    silence_s: float = 120.0  # a worker whose heartbeat stands still for longer has stopped
    deaths: int = 5  # of a host's workers in a row, without a result between, before it is given up
    give_up_s: float = 300.0  # without the queue before the loop ends, for its supervisor to see
    slots: int | None = None  # jobs leased at once on all hosts together; None: what they have room for
    keep_s: float | None = None  # work that no lease stands for is kept for adoption; None: two leases

    @property
    def keep_strays_s(self) -> float:
        """How long work of no lease is kept: by default until nobody can hold it any more."""
        return 2 * self.lease_ms / 1000 if self.keep_s is None else self.keep_s


@dataclass(frozen=True, slots=True)
class DispatchIntervals:
    """Seconds between things that are done again and again."""

    heartbeat_s: float = 5.0  # signs of life in the registry
    progress_s: float = 1.0
    busy_s: float = 0.5  # the longest wait while jobs are held; results and new jobs ring
    look_s: float = 1.0  # between looks for room, when nobody tells of any
    block_s: float = 5.0  # one claim waits; `end` ends it earlier
    pause_s: float = 1.0  # after a refusal, doubled by each that follows up to the next
    longest_pause_s: float = 60.0
    listen_s: float = 1.0  # between looks at a heartbeat


def fingerprint_of(lease: Lease) -> str:
    """The name by which a lease's work is recognised: by default the job's fingerprint."""
    return fingerprint(lease.spec)


def _nobody(kind: str, text: str, host: str) -> None:
    return


def _nothing() -> None:
    return


def _unheard(host: str, lease: Lease, settled: Settled) -> None:
    return


def _unnamed(facts: EngineFacts) -> None:
    return


def _unwatched(may_take_s: float = 0.0) -> None:
    return


def _any_backend(name: str) -> None:
    return


class TellAlive(Protocol):
    """Hears that the loop goes on, and how many seconds the next thing may take.

    Threads: the loop's only.
    Raises: nothing.
    """

    def __call__(self, may_take_s: float = 0.0) -> None:
        """Take note of it."""
        ...


@dataclass(slots=True)
class DispatchParts:
    """Everything a dispatcher works with; filled in by a program's wiring, or by a test.

    `events` hears of each transition; `tell` too, as a kind, a sentence, the host or "", for who watches many
    dispatchers. `on_settled` hears of each result, `alive` of each step within a pass.

    Threads: any may read, nobody writes once the dispatcher is made; `wake` any.
    Raises: nothing.
    """

    name: str  # of this consumer, unique for each process start
    provider: str
    queue: JobQueue
    delivery: Delivery
    journal: Journal
    clock: Clock
    limits: DispatchLimits = field(default_factory=DispatchLimits)
    intervals: DispatchIntervals = field(default_factory=DispatchIntervals)
    fingerprint: Callable[[Lease], str] = fingerprint_of
    events: EventSink = field(default_factory=LogSink)
    tell: Callable[[str, str, str], None] = _nobody
    on_settled: Callable[[str, Lease, Settled], None] = _unheard
    alive: TellAlive = _unwatched
    doorbell: Doorbell = field(default_factory=Doorbell)
    voices: Callable[[], VoiceRegistry] | None = None  # those that machines are brought; None: they have them
    refuse_backend: RefuseBackend = _any_backend  # why machines elsewhere cannot draw with one
    engine: str = ""  # that speaks jobs with a speaker; "": only machines know
    named: NamedFor = _unnamed  # the models that machines are told of
    facts: Callable[[], Mapping[str, Any]] = dict  # what else the registry is told, at each sign of life
    store_trouble: Callable[[], str | None] = _nothing  # why the store refused when last asked, if it did
    process: Mapping[str, Any] | None = None  # what tells this process from others, for who sees it killed
    role: WatcherRole = WatcherRole.WORKS  # beside whom this process works; the registry is told
    epoch: int | None = None  # of the term, where it leads
    pieces: CarriedPieces | None = None  # of long texts, from machine to machine; None: each begins anew
    rejected: RejectedTakes | None = None  # of jobs that failed for no take being good enough; None: they go

    def about(self) -> dict[str, Any]:
        """What the registry is told of this process, whatever it does."""
        process = {"process": dict(self.process)} if self.process else {}
        epoch = {} if self.epoch is None else {"epoch": self.epoch}
        return {"provider": self.provider, "role": self.role.value, **epoch, **process}

    def wake(self) -> None:
        """End the loop's wait."""
        self.doorbell.wake()

    def spool_job(self, lease: Lease) -> SpoolJob:
        """Make the job file that a worker gets for a lease."""
        return SpoolJob(
            request_id=lease.request_id,
            lease_no=lease.lease_no,
            mark=lease_mark(lease.token),
            attempt=lease.attempt,
            fingerprint=self.fingerprint(lease),
            spec=to_payload(lease.spec),
            alone=lease.alone,
        )
