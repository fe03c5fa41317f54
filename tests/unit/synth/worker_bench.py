"""One spool, its client, and workers made on demand, with an engine that hums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.clock import ManualClock
from lib.spool import (
    ErrorClass,
    SpoolClient,
    SpoolJob,
    SpoolResult,
    WorkerSpool,
)
from lib.voices import VoiceRegistry
from synth.engines import Utterance
from synth.jobs import EngineShelf, JobSpeaker
from synth.stop import StopSignal
from synth.worker import Worker, WorkerOptions
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

    def __post_init__(self) -> None:
        self.stop = StopSignal(self.clock)

    def work(self, *, once: bool = True, grace_s: float = 5.0, beat_every_s: float = 600.0) -> None:
        shelf = EngineShelf(lambda name: self.engine)
        speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", self.clock)
        options = WorkerOptions("hibari", grace_s, once, beat_every_s)
        with WorkerSpool(self.root) as spool:
            Worker(spool, speaker, shelf, self.stop, self.clock, options, self.said.append).run()

    def submit(self, name: str = "a", text: str = "One. Two.", **fields: Any) -> str:
        spec = {"request_id": name, "output_name": name, "text": text, "speaker": "heart", **fields}
        return self.client.submit(SpoolJob(name, 1, "marknone", 1, "v1:any", spec))

    def result(self, entry: str) -> SpoolResult:
        found = self.client.result(entry)
        assert found is not None
        return found

    def error(self, entry: str) -> tuple[ErrorClass, str]:
        error = self.result(entry).error
        assert error is not None
        return error.error_class, error.message

    def before_each_piece(self, act: Callable[[Utterance], None]) -> None:
        self.engine = HummingEngine(before=act)
