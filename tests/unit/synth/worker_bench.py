"""One spool, its client, and workers made on demand, with an engine that hums."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.clock import ManualClock
from lib.records import SpokenRecord
from lib.spool import (
    ResultErrorClass,
    SpoolClient,
    SpoolJob,
    SpoolResult,
    WorkerSpool,
)
from lib.voices import VoiceRegistry
from synth.engines import Utterance
from synth.verify import Verifier
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from synth.worker.stop import StopSignal
from tests.unit.synth.fakes import HummingEngine


class Death(BaseException):
    """Like SIGKILL: nothing in the worker catches it."""


@dataclass
class Bench:
    """One spool, its client, and workers made on demand."""

    root: Path
    client: SpoolClient
    clock: ManualClock = field(default_factory=ManualClock)
    engine: HummingEngine = field(default_factory=HummingEngine)
    said: list[str] = field(default_factory=list)
    verifier: Verifier | None = None

    def __post_init__(self) -> None:
        self.stop = StopSignal(self.clock)

    def work(self, *, once: bool = True, grace_s: float = 5.0, beat_every_s: float = 600.0) -> None:
        shelf = EngineShelf(lambda name: self.engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", self.clock, self.verifier)
        options = WorkerOptions("hibari", grace_s, once, beat_every_s)
        with WorkerSpool(self.root) as spool:
            Worker(spool, speaker, shelf, self.stop, self.clock, options, self.said.append).run()

    def submit(self, name: str = "a", text: str = "One. Two.", *, alone: bool = False, **fields: Any) -> str:
        spec = {"request_id": name, "output_name": name, "text": text, "speaker": "heart", **fields}
        return self.client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", spec, alone))

    def submit_in_order(self, *jobs: dict[str, Any]) -> list[str]:
        """Submit jobs so that the worker takes them in this order, however coarse the disk's clock is."""
        entries = [self.submit(**job) for job in jobs]
        for second, entry in enumerate(entries, start=1):
            os.utime(self.root / "inbox" / f"{entry}.json", (second, second))
        return entries

    def left_by_a_dead_worker(self, entry: str) -> None:
        """Put the entry where a worker that died would have left it."""
        (self.root / "work").mkdir(exist_ok=True)
        (self.root / "inbox" / f"{entry}.json").rename(self.root / "work" / f"{entry}.json")

    def result(self, entry: str) -> SpoolResult:
        found = self.client.result(entry)
        assert found is not None
        return found

    def record(self, entry: str) -> SpokenRecord:
        found = self.result(entry).record
        assert isinstance(found, SpokenRecord)
        return found

    def error(self, entry: str) -> tuple[ResultErrorClass, str]:
        error = self.result(entry).error
        assert error is not None
        return error.error_class, error.message

    def before_each_piece(self, act: Callable[[Utterance], None]) -> None:
        self.engine = HummingEngine(before=act)
