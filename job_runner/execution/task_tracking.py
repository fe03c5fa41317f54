"""Tracks where each job of one execution is, and writes that down as `execution.json`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from lib.clock import Clock, rfc3339
from lib.files import alone_in
from lib.jobqueue import TERMINAL, Event, FinishedJob, JobQueue, JobState
from lib.manifest import Finished, Inputs, Manifest, OutFolder
from lib.records import ExecutionJob, ExecutionRecord, SpokenRecord

RECORD: Final = "execution.json"
_SAVE_EVERY_S: Final = 1.0
_SAVE_SHARE: Final = 20.0  # writing a long record takes at most this part of the time
_EVENTS_AT_ONCE: Final = 1000


class TrackedState(StrEnum):
    """Where a job is. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # spoken by this execution, or by an interrupted one before it
    SKIPPED = "skipped"  # was done before, for the same inputs
    FAILED = "failed"


FINAL: Final = frozenset({TrackedState.DONE, TrackedState.SKIPPED, TrackedState.FAILED})


@dataclass(slots=True, eq=False)
class TrackedTask:
    """One job of the execution. Durations are seconds."""

    inputs: Inputs
    state: TrackedState = TrackedState.WAITING
    attempts: int = 0  # begun by this execution
    work_seconds: float | None = None  # how long the last attempt took
    audio_seconds: float | None = None
    sha256: str | None = None  # of the chosen take
    error: str | None = None
    error_class: str | None = None
    log: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # of the record: words that were left out, say

    @property
    def name(self) -> str:
        """The job's request id."""
        return self.inputs.order.spec.request_id

    def skip(self, finished: Finished) -> None:
        """Note that the job was done before."""
        record = finished.record
        self.state, self.sha256 = TrackedState.SKIPPED, record.chosen.main.sha256
        self.work_seconds, self.warnings = record.work_seconds, record.warnings
        self.audio_seconds = record.audio_seconds if isinstance(record, SpokenRecord) else None

    def settle(self, finished: FinishedJob) -> None:
        """Note that the job is done or failed."""
        self.attempts = finished.attempt
        done, failure = finished.done(), finished.failure()
        if done is not None:
            self.state, self.sha256 = TrackedState.DONE, done.takes[0].main.sha256
            self.work_seconds, self.audio_seconds = done.timings.worked_s, done.audio_seconds
            self.warnings = done.record.warnings
        elif failure is not None:
            self.state, self.error = TrackedState.FAILED, failure.message
            self.error_class, self.log = failure.worker_class or failure.error_class, failure.log

    def to_record(self) -> ExecutionJob:
        """Its part of `execution.json`."""
        spec = self.inputs.order.spec
        done = self.state in (TrackedState.DONE, TrackedState.SKIPPED)
        return ExecutionJob(
            request_id=spec.request_id,
            output_name=spec.output_name,
            state=self.state.value,
            file=self.inputs.order.audio_path() if done else None,
            sha256=self.sha256,
            work_seconds=_rounded(self.work_seconds),
            audio_seconds=_rounded(self.audio_seconds),
            attempts=self.attempts,
            error=self.error,
            error_class=self.error_class,
            log=self.log,
            warnings=self.warnings,
        )


class Tracker:
    """Follows the queue's events and keeps the tasks up to date."""

    def __init__(self, queue: JobQueue, tasks: Sequence[TrackedTask]) -> None:
        self._queue = queue
        self._tasks = {task.name: task for task in tasks}
        self._after = queue.last_event_id()

    @property
    def finished(self) -> bool:
        """Whether every task is in a final state."""
        return all(task.state in FINAL for task in self._tasks.values())

    def look(self) -> None:
        """Take note of what happened since the last look."""
        while events := self._queue.follow_events(self._after, count=_EVENTS_AT_ONCE):
            for event in events:
                self._after = event.id
                self._note(event)

    def _note(self, event: Event) -> None:
        task = self._tasks.get(event.request_id or "")
        if task is None or task.state in FINAL:
            return
        if event.state in TERMINAL:
            finished = self._queue.result(task.name)
            if finished is not None:
                task.settle(finished)
        elif event.kind == "begun":
            task.state, task.attempts = TrackedState.RUNNING, task.attempts + 1
        elif event.state in (JobState.WAITING, JobState.DELAYED):
            task.state = TrackedState.WAITING

    def interrupt(self) -> None:
        """Note that the execution ends and nothing runs any more."""
        for task in self._tasks.values():
            if task.state is TrackedState.RUNNING:
                task.state = TrackedState.WAITING


class ExecutionFile:
    """`execution.json` beside the manifest: replaced whole while the execution goes on."""

    def __init__(
        self,
        folder: OutFolder,
        manifest: Manifest,
        tasks: Sequence[TrackedTask],
        *,
        engine: str,
        clock: Clock,
    ) -> None:
        self._folder, self._manifest, self._tasks = folder, manifest, tasks
        self._engine, self._clock = engine, clock
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._next_save = self._started

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._folder.path(RECORD)

    def counts(self) -> Counter[TrackedState]:
        """How many jobs are in each state."""
        return Counter(task.state for task in self._tasks)

    def record(self, state: str) -> ExecutionRecord:
        """The whole record; `state` is running, done, failed or interrupted."""
        counts, now = self.counts(), self._clock.now()
        return ExecutionRecord(
            state=state,
            manifest=self._manifest.path.name,
            manifest_sha256=self._manifest.sha256,
            engine=self._engine,
            started_at=rfc3339(self._started_at),
            updated_at=rfc3339(now),
            finished_at=None if state == "running" else rfc3339(now),
            wall_seconds=round(self._clock.monotonic() - self._started, 3),
            totals={"jobs": len(self._tasks), **{each.value: counts[each] for each in TrackedState}},
            jobs=tuple(task.to_record() for task in self._tasks),
        )

    def save_if_due(self) -> None:
        """Replace the file unless that was done a moment ago."""
        if self._clock.monotonic() >= self._next_save:
            self.save("running")

    def save(self, state: str) -> ExecutionRecord:
        """Replace the file; returns what it holds now."""
        begun = self._clock.monotonic()
        record = self.record(state)
        value = record.to_json()
        jobs = ",\n".join(json.dumps(job, ensure_ascii=False) for job in value["jobs"])
        head = json.dumps({key: part for key, part in value.items() if key != "jobs"}, ensure_ascii=False)
        data = f'{head[:-1]}, "jobs": [\n{jobs}\n]}}\n'.encode("utf-8", "backslashreplace")
        self._folder.write(RECORD, data, sync=state != "running")
        after = self._clock.monotonic()
        self._next_save = after + max(_SAVE_EVERY_S, (after - begun) * _SAVE_SHARE)
        return record


def point_latest(data_dir: Path, record: Path) -> None:
    """Make `<data>/executions/latest` a link to `record`. Raises OSError."""
    folder = data_dir / "executions"
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    draft = folder / ".latest"  # one name, so that a kill leaves no litter; hence one at a time
    with alone_in(folder):
        draft.unlink(missing_ok=True)
        draft.symlink_to(record.absolute())
        draft.replace(folder / "latest")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
