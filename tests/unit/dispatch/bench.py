"""A whole dispatcher in one process: a queue in memory, hosts with scripts, a clock to be moved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.dispatch import (
    Dispatcher,
    DispatchIntervals,
    DispatchLimits,
    DispatchParts,
    LeaseJournal,
    StorageDelivery,
)
from lib.events import EventSink, LogSink
from lib.jobqueue import JobRecord, QueueOptions
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec, normalize_job_spec
from lib.records import FailedRecord, FileRef, SpokenRecord, Take, Verification
from lib.spool import (
    Heartbeat,
    LocalFiles,
    ResultError,
    SpoolClient,
    SpoolResult,
    TakenJob,
    WorkerSpool,
    WorkerState,
)
from lib.storage import FileStorage, Storage
from lib.workers import WorkerDeath

KILLED = WorkerDeath(-9, "signal SIGKILL", ("last words",))


def spec(name: str = "a", **fields: Any) -> JobSpec:
    return normalize_job_spec(
        {"output_name": f"topic/{name}", "text": f"Hello {name}.", "speaker": "Ryan", **fields}
    )


def spoken(takes: list[Take]) -> SpokenRecord:
    """A record of these takes."""
    return SpokenRecord(
        engine="scripted",
        model="none",
        revision="0",
        language="English",
        profile="balanced",
        characters=1,
        pieces=1,
        work_seconds=0.5,
        real_time_factor=0.1,
        sample_rate=24_000,
        audio_format="wav",
        takes=tuple(takes),
        chosen_why="It is scripted.",
        verdict="UNVERIFIED",
        verdict_why="It is scripted.",
        created_at="2026-01-01T00:00:00Z",
    )


def a_take(number: int, data: bytes, name: str = "", **changes: Any) -> Take:
    file = FileRef(name or f"audio-{number}.wav", len(data), hashlib.sha256(data).hexdigest())
    return Take(take=number, made=number, audio=file, audio_seconds=1.5, **changes)


class ScriptedHost:
    """Does at each look what its script says, on the real files of a spool."""

    def __init__(self, root: Path, clock: ManualClock, name: str = "here", machine: str = "") -> None:
        self.root, self.clock, self.name, self.machine = root, clock, name, machine or name
        self.script: Callable[[], WorkerDeath | None] = self.speak_all
        self.restarts = self.stops = self.lives = 0
        self.remote = False
        self._files = LocalFiles(root)
        self._spool: WorkerSpool | None = None

    @property
    def spool(self) -> WorkerSpool:
        if self._spool is None:
            self._spool = WorkerSpool(self.root).__enter__()
            self.lives += 1
        return self._spool

    def files(self) -> LocalFiles:
        return self._files

    def tend(self) -> WorkerDeath | None:
        death = self.script()
        if death is not None:
            self._end()
        return death

    def restart(self) -> None:
        self.restarts += 1
        self._end()

    def stop(self, grace: float) -> None:
        self.stops += 1
        self._end()

    def close(self) -> None:
        self._end()
        self._files.close()

    def _end(self) -> None:
        if self._spool is not None:
            self._spool.__exit__(None, None, None)
            self._spool = None

    def speak_all(self) -> None:
        for taken in self.spool.take(10):
            self.speak(taken)

    def take(self, count: int = 1) -> list[TakenJob]:
        """Take jobs and say that the last one is at hand."""
        taken = self.spool.take(count)
        for item in taken:
            self.spool.begin(item.entry)
            self.beat(item.entry)
        return taken

    def beat(self, *entries: str, state: WorkerState = WorkerState.WORKING, pieces_done: int = 1) -> None:
        spool, now = self.spool, self.clock.now()  # the spool first: a new worker may begin with it
        beat = Heartbeat(
            self.lives + 100, state, now, float(self.lives), "scripted", 0, entries, pieces_done, 2
        )
        spool.beat(beat)

    def speak(
        self,
        taken: TakenJob,
        *,
        audio: bytes = b"RIFF of it",
        error: ResultError | None = None,
        took_s: float = 0.0,
        takes: int | None = None,
        verification: tuple[Verification, ...] = (),
        pieces: int = 1,
    ) -> None:
        assert taken.job is not None
        folder, now = self.spool.scratch(taken.entry), self.clock.now()
        made = []
        for number in range(1, (takes or int(taken.job.spec.get("variants", 1))) + 1):
            data = audio + bytes([number])
            made.append(a_take(number, data))
            (folder / made[-1].audio.file).write_bytes(data)
        result = SpoolResult(
            entry=taken.entry,
            request_id=taken.job.request_id,
            started_at=now,
            finished_at=now + took_s,
            record=None if error else replace(spoken(made), verification=verification, pieces=pieces),
            error=error,
            fingerprint=taken.job.fingerprint,
        )
        self.spool.publish(taken.entry, result)


class Refusal:
    """Makes a method of an object fail until it is told to stop; counts the calls."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception) -> None:
        self.calls, self.refused, self.on = 0, 0, True
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.on:
                self.refused += 1
                raise error
            return real(*args, **kwargs)

        patch.setattr(owner, name, call)


@dataclass
class Bench:
    """A queue, a data folder, and dispatchers on it, one after the other. `host` is the first of `hosts`."""

    root: Path
    limits: DispatchLimits = field(default_factory=lambda: DispatchLimits(lease_ms=60_000, drain_s=600.0))
    intervals: DispatchIntervals = field(
        default_factory=lambda: DispatchIntervals(busy_s=0.01, pause_s=0.01, look_s=0.01)
    )
    clock: ManualClock = field(default_factory=ManualClock)
    room: int = 4
    events: EventSink = field(default_factory=LogSink)
    leading: bool = True  # what the queue finds when it asks whether a term still holds

    def __post_init__(self) -> None:
        self.queue = MemoryQueue(
            QueueOptions(lease_ms=60_000),
            now_ms=lambda: round(self.clock.now() * 1000),
            chance=lambda: 0.0,
            leads=lambda term: self.leading,
        )
        self.storage: Storage = FileStorage(self.root / "store")
        self.journal = LeaseJournal(self.root / "leases")
        self.hosts = [ScriptedHost(self.root / "spool", self.clock)]
        self.told: list[tuple[str, str, str]] = []
        self.alive: list[tuple[float, float]] = []  # when the loop said so, and what the next thing may take

    @property
    def host(self) -> ScriptedHost:
        return self.hosts[0]

    @property
    def spool(self) -> SpoolClient:
        """The first host's spool as a client sees it."""
        return SpoolClient(self.host.files())

    def another_host(self, name: str, machine: str = "") -> ScriptedHost:
        """One more host, to be added to the next dispatcher."""
        self.hosts.append(ScriptedHost(self.root / name, self.clock, name, machine))
        return self.hosts[-1]

    def parts(self, name: str = "ann") -> DispatchParts:
        return DispatchParts(
            name=name,
            provider="local",
            queue=self.queue,
            delivery=StorageDelivery(
                self.storage, provider="local", scratch=self.root / "scratch", clock=self.clock
            ),
            journal=self.journal,
            clock=self.clock,
            limits=self.limits,
            intervals=self.intervals,
            events=self.events,
            tell=lambda *words: self.told.append(words),
            alive=lambda may_take_s=0.0: self.alive.append((self.clock.monotonic(), may_take_s)),
        )

    def dispatcher(self, name: str = "ann", *, replaceable: bool = False) -> Dispatcher:
        """A new dispatcher on the same folders, as a restart would make it."""
        made = Dispatcher(self.parts(name))
        for host in self.hosts:
            made.add(host, lambda: self.room, replaceable=replaceable)
        return made

    def enqueue(self, *specs: JobSpec) -> None:
        self.queue.enqueue(specs)

    def holding(self, *specs: JobSpec, name: str = "ann", replaceable: bool = False) -> Dispatcher:
        """A dispatcher that has leased and submitted these jobs; no worker has done anything yet."""
        self.enqueue(*specs)
        scripts = [host.script for host in self.hosts]
        for host in self.hosts:
            host.script = lambda: None
        made = self.dispatcher(name, replaceable=replaceable)
        made.register()
        made.resume()
        made.claim()
        made.step()
        for host, script in zip(self.hosts, scripts, strict=True):
            host.script = script
        assert made.held == len(specs)
        return made

    def job(self, job: JobSpec) -> JobRecord:
        record = self.queue.job(job.request_id)
        assert record is not None
        return record

    def error(self, job: JobSpec) -> FailedRecord:
        finished = self.queue.result(job.request_id)
        assert finished is not None
        failure = finished.failure()
        assert failure is not None
        return failure

    def output(self, job: JobSpec) -> Path:
        return self.root / "store" / "outputs" / f"{job.output_name}.{job.format}"

    def close(self) -> None:
        for host in self.hosts:
            host.close()
