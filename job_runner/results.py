"""What became of the jobs of a file: rows for `--json`, a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from job_runner.batch import Batch
from lib.cli import output
from lib.errors import ExitStatus
from lib.jobqueue import FinishedJob, JobState
from lib.jobspec import JobSpec
from lib.storage import Storage, files_of, shared_folder, takes_of
from lib.units import seconds_text


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
    return ExitStatus.JOB_FAILED if any(map(_is_gone, rows)) else batch.exit_status


def _is_gone(row: Mapping[str, Any]) -> bool:
    """Whether the job is done and its audio is neither published nor in the store."""
    return row["state"] == JobState.DONE.value and row["file"] is None


def show_results(rows: Sequence[dict[str, Any]]) -> None:
    """Where each file is, with its seconds and loudness. The folder they share is named once."""
    files = [row["file"] for row in rows if row["file"]]
    folder = shared_folder(files)
    table = output.Table(
        [
            output.Column("job", wrap=True),
            output.Column("state"),
            output.Column("seconds", align="right"),
            output.Column("LUFS", align="right"),
            output.Column("file", wrap=True),
        ]
    )
    for row in rows:
        where = (row["file"] or "").removeprefix(folder) or row["error"]
        table.row(row["request_id"], row["state"], row["seconds"], row["loudness_lufs"], where)
    if folder:
        output.say(f"Files are in {folder}")
    table.show()
    for row in rows:
        for warning in row["warnings"]:
            output.warn(f"{row['request_id']}: {warning}")
    _sum_up(rows)


def _sum_up(rows: Sequence[dict[str, Any]]) -> None:
    done = [row for row in rows if row["state"] == JobState.DONE.value]
    seconds = seconds_text(sum(row["seconds"] or 0 for row in done))
    output.note(f"{len(done)} of {len(rows)} done, {seconds} of audio")
    for row in filter(_is_gone, rows):
        output.warn(f"the audio of {row['request_id']} is gone; see: job-runner explain {row['request_id']}")
    for row in rows:
        if row["state"] in (JobState.FAILED.value, JobState.CANCELED.value):
            output.note(f"{row['request_id']} is {row['state']}; see: job-runner result {row['request_id']}")
