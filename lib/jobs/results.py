"""Reads how a job ended, and the endings of a file's jobs as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState, UnknownJob
from lib.jobs.follow import Batch
from lib.jobs.names import published_anew
from lib.jobspec import JobSpec
from lib.storage import Storage


def ending_or_record(queue: JobQueue, request_id: str) -> FinishedJob | JobRecord:
    """How the job ended; what is known of it while it has no ending, or lost the record of it.

    Raises:
        UnknownJob: the queue does not know the id.
    """
    if finished := queue.result(request_id):
        return finished
    record = queue.job(request_id)
    if record is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    # it may have ended between the two looks
    return (queue.result(request_id) if record.state in TERMINAL else None) or record


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One job as `up` and `enqueue --wait` show it.

    Seconds of audio and integrated loudness (LUFS) are the engine's measures; `file` is where the chosen
    take can be played, None unless the job is done and its audio is there. `replaced_by` is the job that was
    asked for later and has the name of a take by now.
    """

    request_id: str
    output_name: str
    state: JobState | None
    file: str | None
    audio_seconds: float | None
    loudness_lufs: float | None
    attempts: int | None
    error: str | None
    warnings: tuple[str, ...]
    replaced_by: str | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the job is done and its audio is neither published nor in the store."""
        return self.state is JobState.DONE and self.file is None

    def to_json(self) -> dict[str, Any]:
        """One entry of `results` in `--json`."""
        return {
            "request_id": self.request_id,
            "output_name": self.output_name,
            "state": self.state.value if self.state else None,
            "file": self.file,
            "audio_seconds": self.audio_seconds,
            "loudness_lufs": self.loudness_lufs,
            "attempts": self.attempts,
            "error": self.error,
            "warnings": list(self.warnings),
            "replaced_by": self.replaced_by,
        }


def result_rows(batch: Batch, storage: Storage) -> list[ResultRow]:
    """One row per job. What is in the store is published again, as asked for latest.

    Raises:
        StorageUnavailable: the store refuses.
    """
    return [
        _row(batch.queue, spec, finished, storage)
        for spec, finished in zip(batch.specs, batch.results(), strict=True)
    ]


def _row(queue: JobQueue, spec: JobSpec, finished: FinishedJob | None, storage: Storage) -> ResultRow:
    done = finished.done() if finished else None
    failure = finished.failure() if finished else None
    published = published_anew(queue, storage, finished, done.takes) if finished and done else None
    files = published.files if published else ()
    rival = published.rival if published else None
    return ResultRow(
        request_id=spec.request_id,
        output_name=spec.output_name,
        state=finished.state if finished else None,
        file=files[0] or None if files else None,
        audio_seconds=done.spoken.audio_seconds if done else None,
        loudness_lufs=done.spoken.chosen.loudness_lufs if done else None,
        attempts=finished.attempt if finished else None,
        error=failure.message if failure else None,
        warnings=done.spoken.warnings if done else (),
        replaced_by=rival.request_id if rival else None,
    )


def ending_of(batch: Batch, rows: Sequence[ResultRow]) -> ExitStatus:
    """The exit status of whoever followed the batch: its own, but 1 where audio of a done job is gone or
    replaced.
    """
    lacking = any(row.is_gone or row.replaced_by for row in rows)
    return ExitStatus.JOB_FAILED if lacking else batch.exit_status
