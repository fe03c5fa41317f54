"""A studio for tests: a ledger of its own, one worker in this process, and a queue that speaks at once."""

from __future__ import annotations

import hashlib
import math
import struct
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from job_pipeline.worker.task_call import carry_out
from lib.captions import Cue
from lib.pipeline import Dag
from lib.pipeline.claims import claim, finish
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact, TaskRow
from lib.pipeline.operator_rules import OperatorRules, shipped_rules
from lib.pipeline.orchestration import settle_runs
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.rows import artifact_of
from lib.pipeline.runs import NewRun, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.trail import events_after
from lib.pipeline.work import ClaimedTask, Failed, TaskReport
from lib.records import FileRef, done_record
from lib.sql import open_database
from lib.storage import open_storage
from tests.doubles import records

RATE = 16_000


def tone(place: Path, seconds: float, pitch: int) -> bytes:
    """A WAV with a quiet tone, in which each text sounds otherwise."""
    period = [round(6000 * math.sin(2 * math.pi * at / (RATE // pitch))) for at in range(RATE // pitch)]
    samples = struct.pack(f"<{len(period)}h", *period)
    with wave.open(str(place), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * (round(seconds * RATE) // len(period) + 1))[: round(seconds * RATE) * 2])
    return place.read_bytes()


class SpeakingQueue:
    """Every job is done as soon as it is ordered, at 14 letters a second; those with a silent word fail."""

    def __init__(self, folder: Path, url: str, *, silent: str = "\0") -> None:
        self._folder, self._storage, self._silent = folder, open_storage(url), silent
        self.specs: dict[str, Mapping[str, Any]] = {}
        self.lose = False  # what was stored is gone
        self.holds = False  # nothing is done yet

    def order(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        self.specs.update(specs)

    def ask(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, Any]]:
        return {name: self._answer(self.specs[name]) for name in request_ids if name in self.specs}

    def cancel(self, request_ids: Sequence[str]) -> None:
        for name in request_ids:
            self.specs.pop(name, None)

    def _answer(self, spec: Mapping[str, Any]) -> tuple[str, Any]:
        if self.holds:
            return "enqueued", None
        if self._silent in spec["text"]:
            return "failed", {"error": "the engine gave up", "failure_class": "transient"}
        pitch = 200 + int(hashlib.sha256(spec["text"].encode()).hexdigest()[:4], 16) % 400
        seconds = len(spec["text"]) / 14
        data = tone(self._folder / "spoken.wav", seconds, pitch)
        sha256 = hashlib.sha256(data).hexdigest()
        stored = self._storage.put(self._folder / "spoken.wav", sha256=sha256, bytes=len(data))
        if self.lose:
            Path(self._storage.blob(stored)).unlink()
        file = FileRef(f"{spec['output_name']}.wav", len(data), sha256, stored.key)
        cues = (Cue(0.0, seconds, spec["text"], "piece"),)
        take = records.take(audio=file, audio_seconds=seconds, captions=cues)
        times: dict[str, float] = {"started_at": 1.0, "finished_at": 2.0, "enqueued_at": 0.0, "now": 3.0}
        record = done_record(
            records.spoken(take), **times, provider="local", callback_data=spec["callback_data"]
        )
        return "done", record.to_json()


class Studio:
    """One pipeline on an SQLite ledger of its own."""

    def __init__(self, folder: Path, dag: Dag, queue: SpeakingQueue | None = None) -> None:
        self.dag, self.folder, self.queue = dag, folder, queue
        self._database = open_database(f"sqlite:///{folder / 'pipeline.db'}")
        self.ledger = PipelineLedger(self._database)

    def close(self) -> None:
        self._database.close()

    def start(self, run: str = "r1", rules: OperatorRules | None = None, **inputs: Any) -> str:
        rules = rules or shipped_rules()
        graph = self.dag.graph()
        new = NewRun(id=run, inputs=inputs, config=rules.to_json())
        snapshot = save_snapshot(self.ledger, graph, activate=True)
        stage_rules = rules.stage_rules(graph, timeout_s=120.0, max_attempts=3)
        return start_job(self.ledger, snapshot.id, new, stage_rules).id

    def work(self, *, allow_placeholders: bool = False, settles: bool = True) -> list[str]:
        """Do what is ready until nothing is, and bring the queue's work forward; the tasks in order.

        Not `settles`: workers only finish, and an orchestrator sees what follows (`--advance=orchestrator`).
        """
        done = []
        while tasks := self._ready(settles):
            for task in tasks:
                outcome = carry_out(
                    {self.dag.name: self.dag},
                    task,
                    self.place(task.run),
                    allow_placeholders=allow_placeholders,
                )
                if isinstance(outcome, Failed) and not outcome.for_good:
                    outcome = Failed(error=outcome.error, retry_in_s=3600.0, artifacts=outcome.artifacts)
                assert finish(self.ledger, [TaskReport(task, outcome)], owner="ann:1", settle=settles) == []
                done.append(task.name)
        return done

    def _ready(self, settles: bool) -> list[ClaimedTask]:
        """The next task. A claim that hands out none may have let a result of the last time stand."""
        for _ in range(len(self.dag.tasks) + 1):
            if not settles:
                settle_runs(self.ledger, everything=False)
            if tasks := self._claimed():
                return tasks
            if self.queue is not None:
                tend_parked(self.ledger, self.queue)
        return []

    def _claimed(self) -> list[ClaimedTask]:
        return claim(self.ledger, {self.dag.name: list(self.dag.tasks)}, owner="ann:1", count=1, lease_s=30.0)

    def place(self, run: str = "r1") -> Path:
        return self.folder / "runs" / run

    def task(self, name: str, run: str = "r1") -> TaskRow:
        return self.ledger.look(lambda transaction: transaction.boards([run], lock=False)[run].tasks[name])

    def state(self, run: str = "r1") -> str:
        return self.ledger.look(lambda transaction: transaction.boards([run], lock=False)[run].run.state)

    def artifacts(self, run: str = "r1") -> dict[str, Artifact]:
        rows = self.ledger.look(lambda transaction: transaction.all("artifacts_of", run=run))
        return {row["path"]: artifact_of(row) for row in rows}

    def story(self, run: str = "r1") -> list[str]:
        """The events of a run, as `kind task`."""
        return [f"{event.kind} {event.task or ''}".strip() for event in events_after(self.ledger, 0, run=run)]
