"""Jobs that ended, as a table: `history` and the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lib.cli import output
from lib.jobqueue import FinishedJob


def ended_table(jobs: Sequence[FinishedJob], column: str, when: Callable[[FinishedJob], str]) -> output.Table:
    """A row for each; `when` tells the time of its end, under the heading `column`."""
    table = output.Table(
        [
            output.Column(column),
            output.Column("state"),
            output.Column("request id", wrap=True),
            output.Column("seconds", align="right"),
            output.Column("error", wrap=True),
        ]
    )
    for job in jobs:
        done, failure = job.done(), job.failure()
        table.row(
            when(job),
            job.state.value,
            job.request_id,
            f"{done.audio_seconds:.1f}" if done and done.audio_seconds is not None else None,
            failure.message if failure else "",
        )
    return table
