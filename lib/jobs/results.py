"""What became of a job, and of the jobs of a file as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState, UnknownJob
from lib.jobs.follow import Batch
from lib.jobspec import JobSpec
from lib.storage import Storage, files_of, takes_of


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


def result_rows(batch: Batch, storage: Storage) -> list[dict[str, Any]]:
    """One row per job. A published file that somebody removed is put back from the store."""
    rows = []
    for spec, finished in zip(batch.specs, batch.results(), strict=True):
        files = files_of(storage, takes_of(finished.result), restore=True) if finished else []
        rows.append(_row(spec, finished, files[0] if files and files[0] else None))
    return rows


def _row(spec: JobSpec, finished: FinishedJob | None, location: str | None) -> dict[str, Any]:
    """One job as `up --json` and `enqueue --wait --json` show it.

    Seconds of audio and integrated loudness (LUFS) are the engine's measures; `file` is where the chosen
    take can be played, None unless the job is done.
    """
    record = (finished.result or {}).get("record", {}) if finished else {}
    return {
        "request_id": spec.request_id,
        "output_name": spec.output_name,
        "state": finished.state.value if finished else None,
        "file": location,
        "seconds": record.get("seconds"),
        "loudness_lufs": record.get("loudness_lufs"),
        "attempts": finished.attempt if finished else None,
        "error": finished.error.get("message") if finished and finished.error else None,
        "warnings": list(record.get("warnings", [])),
    }


def ending_of(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> ExitStatus:
    """The exit status of whoever followed the batch: its own, but 1 where audio of a done job is gone."""
    return ExitStatus.JOB_FAILED if any(map(is_gone, rows)) else batch.exit_status


def is_gone(row: Mapping[str, Any]) -> bool:
    """Whether the job is done and its audio is neither published nor in the store."""
    return row["state"] == JobState.DONE.value and row["file"] is None
