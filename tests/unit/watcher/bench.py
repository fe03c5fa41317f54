"""A whole watcher in one process: a queue in memory, a worker with a script, a clock to be moved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from job_watcher.delivery import Delivery
from job_watcher.holdings import Holdings
from job_watcher.journal import LeaseJournal
from job_watcher.parts import Limits, Parts
from job_watcher.watcher import Watcher
from lib.clock import ManualClock
from lib.jobqueue import JobRecord, QueueOptions
from lib.jobqueue.memory import MemoryQueue
from lib.jobspec import JobSpec, normalize_job_spec
from lib.providers import WorkerDeath
from lib.spool import (
    Heartbeat,
    LocalFiles,
    ResultError,
    ResultFile,
    SpoolClient,
    SpoolResult,
    TakenJob,
    WorkerSpool,
    WorkerState,
)
from lib.storage import FileStorage

KILLED = WorkerDeath(-9, "signal SIGKILL", ("last words",))


def spec(name: str = "a", **fields: Any) -> JobSpec:
    return normalize_job_spec(
        {"output_name": f"topic/{name}", "text": f"Hello {name}.", "speaker": "Ryan", **fields}
    )


class ScriptedWorker:
    """Does at each pass what its script says, on the real files of a spool."""

    def __init__(self, root: Path, clock: ManualClock) -> None:
        self.root, self.clock = root, clock
        self.script: Callable[[], WorkerDeath | None] = self.speak_all
        self.restarts = self.stops = self.lives = 0
        self._spool: WorkerSpool | None = None

    @property
    def spool(self) -> WorkerSpool:
        if self._spool is None:
            self._spool = WorkerSpool(self.root).__enter__()
            self.lives += 1
        return self._spool

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

    def beat(self, entry: str | None, state: WorkerState = WorkerState.WORKING) -> None:
        now = self.clock.now()
        beat = Heartbeat(
            self.lives + 100, state, now, float(self.lives), "scripted", 0, (entry,) if entry else (), 1, 2
        )
        self.spool.beat(beat)

    def speak(
        self, taken: TakenJob, *, audio: bytes = b"RIFF of it", error: ResultError | None = None
    ) -> None:
        assert taken.job is not None
        folder = self.spool.scratch(taken.entry)
        files = []
        for take in range(1, int(taken.job.spec.get("variants", 1)) + 1):
            data = audio + bytes([take])
            (folder / f"audio-{take}.wav").write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            files.append(ResultFile(f"audio-{take}.wav", len(data), digest, take))
        now = self.clock.now()
        result = SpoolResult(taken.entry, taken.job.request_id, now, now, {"seconds": 1.5}, tuple(files))
        if error is not None:
            result = SpoolResult(taken.entry, taken.job.request_id, now, now, error=error)
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
    """A queue, a data folder, and watchers on it, one after the other."""

    root: Path
    limits: Limits = field(default_factory=lambda: Limits(slots=4, lease_ms=60_000, drain_s=600.0))
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.queue = MemoryQueue(
            QueueOptions(lease_ms=60_000), now_ms=lambda: round(self.clock.now() * 1000), chance=lambda: 0.0
        )
        self.worker = ScriptedWorker(self.root / "spool", self.clock)
        self.files = LocalFiles(self.root / "spool")
        self.spool = SpoolClient(self.files)
        self.storage = FileStorage(self.root / "store")
        self.journal = LeaseJournal(self.root / "leases")
        self.holdings = Holdings()

    def watcher(self, name: str = "ann") -> Watcher:
        """A new watcher on the same folders, as a restart would make it."""
        self.holdings = Holdings()
        delivery = Delivery(
            self.queue, self.spool, self.storage, scratch=self.root / "scratch", clock=self.clock
        )
        parts = Parts(
            self.queue,
            self.spool,
            self.worker,
            self.storage,
            delivery,
            self.journal,
            self.holdings,
            self.clock,
        )
        return Watcher(parts, name=name, provider="local", limits=self.limits)

    def enqueue(self, *specs: JobSpec) -> None:
        self.queue.enqueue(specs)

    def holding(self, *specs: JobSpec, name: str = "ann") -> Watcher:
        """A watcher that has leased and submitted these jobs; its worker has done nothing yet."""
        self.enqueue(*specs)
        script, self.worker.script = self.worker.script, lambda: None
        watcher = self.watcher(name)
        watcher.resume()
        watcher._intake.look()
        watcher.step(wait_s=0)
        self.worker.script = script
        assert len(self.holdings) == len(specs)
        return watcher

    def job(self, job: JobSpec) -> JobRecord:
        record = self.queue.job(job.request_id)
        assert record is not None
        return record

    def error(self, job: JobSpec) -> Mapping[str, Any]:
        finished = self.queue.result(job.request_id)
        assert finished is not None
        assert finished.error is not None
        return finished.error

    def output(self, job: JobSpec) -> Path:
        return self.root / "store" / "outputs" / f"{job.output_name}.{job.format}"

    def close(self) -> None:
        self.worker.stop(0.0)
        self.files.close()
