"""The jobs of one execution: where each one is, and what `execution.json` says of it."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock, rfc3339
from lib.manifest import Finished, Inputs, Manifest, OutFolder
from lib.spool import ErrorClass, SpoolJob

RECORD: Final = "execution.json"
FORMAT: Final = 1
_SAVE_EVERY: Final = 1.0  # seconds
_SAVE_SHARE: Final = 20.0  # writing a long record takes at most this part of the time


class TaskState(StrEnum):
    """Where a job is. The last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # spoken by this execution, or by an interrupted one before it
    SKIPPED = "skipped"  # was done before, for the same inputs
    FAILED = "failed"


FINAL: Final = frozenset({TaskState.DONE, TaskState.SKIPPED, TaskState.FAILED})


@dataclass(slots=True, eq=False)
class Task:
    """One job of the execution. Times are seconds."""

    inputs: Inputs
    entry: str  # its name in a spool
    state: TaskState = TaskState.WAITING
    attempts: int = 0  # begun by this execution
    deaths: int = 0  # of workers that had it at hand
    running_since: float | None = None  # by the monotonic clock
    seconds: float | None = None  # how long the last attempt took
    audio_seconds: float | None = None
    sha256: str | None = None  # of the chosen take
    error: str | None = None
    error_class: str | None = None
    log: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # of the record: words that were left out, say

    @classmethod
    def of(cls, inputs: Inputs) -> Task:
        """The task of a job nobody has looked at."""
        return cls(inputs, inputs.order.spool_job(inputs.lease_no, 1).entry)

    @property
    def name(self) -> str:
        """The job's request id."""
        return self.inputs.order.spec.request_id

    def spool_job(self) -> SpoolJob:
        """The job file of the next attempt."""
        return self.inputs.order.spool_job(self.inputs.lease_no, self.attempts + 1)

    def finish(self, state: TaskState, finished: Finished, seconds: float | None) -> None:
        """It is done."""
        self.state, self.sha256 = state, finished.sha256
        self.seconds, self.audio_seconds = seconds, finished.seconds
        self.error = self.error_class = None
        self.log = ()
        self.warnings = finished.warnings

    def refuse(self, error_class: ErrorClass, message: str, log: Sequence[str] = ()) -> None:
        """An attempt failed; another one follows unless the class is final or the attempts are used up."""
        self.error, self.error_class, self.log = message, error_class.value, tuple(log)
        self.running_since = None
        final = error_class in (ErrorClass.BAD_INPUT, ErrorClass.POISON)
        spent = self.attempts >= self.inputs.order.spec.max_attempts
        self.state = TaskState.FAILED if final or spent else TaskState.WAITING

    def to_json(self) -> dict[str, Any]:
        """Its part of `execution.json`."""
        spec = self.inputs.order.spec
        done = self.state in (TaskState.DONE, TaskState.SKIPPED)
        return {
            "request_id": spec.request_id,
            "output_name": spec.output_name,
            "state": self.state.value,
            "file": self.inputs.order.audio_path() if done else None,
            "sha256": self.sha256,
            "seconds": _rounded(self.seconds),
            "audio_seconds": _rounded(self.audio_seconds),
            "attempts": self.attempts,
            "error": self.error,
            "error_class": self.error_class,
            "log": list(self.log),
            "warnings": list(self.warnings),
        }


class ExecutionRecord:
    """`execution.json` beside the manifest: replaced whole while the execution goes on."""

    def __init__(
        self, folder: OutFolder, manifest: Manifest, tasks: Sequence[Task], *, engine: str, clock: Clock
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

    def counts(self) -> Counter[TaskState]:
        """How many jobs are in each state."""
        return Counter(task.state for task in self._tasks)

    def to_json(self, state: str) -> dict[str, Any]:
        """The whole record; `state` is running, done, failed or interrupted."""
        counts = self.counts()
        now = self._clock.now()
        over = None if state == "running" else rfc3339(now)
        return {
            "format": FORMAT,
            "state": state,
            "manifest": self._manifest.path.name,
            "manifest_sha256": self._manifest.sha256,
            "engine": self._engine,
            "started_at": rfc3339(self._started_at),
            "updated_at": rfc3339(now),
            "finished_at": over,
            "seconds": round(self._clock.monotonic() - self._started, 3),
            "totals": {"jobs": len(self._tasks), **{each.value: counts[each] for each in TaskState}},
            "jobs": [task.to_json() for task in self._tasks],
        }

    def save_if_due(self) -> None:
        """Replace the file unless that was done a moment ago."""
        if self._clock.monotonic() >= self._next_save:
            self.save("running")

    def save(self, state: str) -> dict[str, Any]:
        """Replace the file; returns what it holds now."""
        begun = self._clock.monotonic()
        value = self.to_json(state)
        jobs = ",\n".join(json.dumps(job, ensure_ascii=False) for job in value["jobs"])
        head = json.dumps({key: part for key, part in value.items() if key != "jobs"}, ensure_ascii=False)
        data = f'{head[:-1]}, "jobs": [\n{jobs}\n]}}\n'.encode("utf-8", "backslashreplace")
        self._folder.write(RECORD, data, sync=state != "running")
        after = self._clock.monotonic()
        self._next_save = after + max(_SAVE_EVERY, (after - begun) * _SAVE_SHARE)
        return value


def point_latest(data_dir: Path, record: Path) -> None:
    """Make `<data>/executions/latest` a link to `record`. Raises OSError."""
    folder = data_dir / "executions"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".latest.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    draft.symlink_to(record.absolute())
    draft.replace(folder / "latest")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
