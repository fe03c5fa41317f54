"""What became of the jobs of a file, as a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from lib.cli import output
from lib.jobqueue import JobState
from lib.jobs.results import is_gone
from lib.units import seconds_text


def show_results(rows: Sequence[dict[str, Any]]) -> None:
    """Where each file is, with its seconds and loudness. The folder they share is named once."""
    files = [row["file"] for row in rows if row["file"]]
    folder = _shared_folder(files)
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
    for row in filter(is_gone, rows):
        output.warn(f"the audio of {row['request_id']} is gone; see: job-runner explain {row['request_id']}")
    for row in rows:
        if row["state"] in (JobState.FAILED.value, JobState.CANCELED.value):
            output.note(f"{row['request_id']} is {row['state']}; see: job-runner result {row['request_id']}")


def _shared_folder(files: Sequence[str]) -> str:
    """The longest folder that all files are below, with its slash; "" when there is none to shorten by."""
    if not files:
        return ""
    return f"{os.path.commonpath([os.path.dirname(file) for file in files]).rstrip('/')}/"
