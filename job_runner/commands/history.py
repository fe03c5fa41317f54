"""`job-runner history`: what ended, most recent first."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, LimitOption, RedisUrlOption
from lib.clock import parse_rfc3339, rfc3339
from lib.errors import UsageError
from lib.jobqueue import FinishedJob, JobState


class Which(StrEnum):
    """Which endings to list."""

    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    ALL = "all"


def command(
    limit: LimitOption = 20,
    status: Annotated[Which, typer.Option("--status", help="Only jobs that ended so.")] = Which.ALL,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only since then, as 2026-11-22T09:00:00Z.")
    ] = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """List finished jobs, most recent first."""
    earliest = None if since is None else _time(since)
    state = None if status is Which.ALL else JobState(status.value)
    with wiring.open_queue(redis_url) as queue:
        jobs = queue.history(limit=limit, status=state, since=earliest)
    if json_:
        output.emit_json([job.to_json() for job in jobs])
    else:
        show(jobs)


def show(jobs: list[FinishedJob]) -> None:
    """The list for people."""
    table = output.Table(
        [
            output.Column("finished"),
            output.Column("state"),
            output.Column("request id", wrap=True),
            output.Column("seconds", align="right"),
            output.Column("error", wrap=True),
        ]
    )
    for job in jobs:
        record = (job.result or {}).get("record", {})
        error = (job.error or {}).get("message", "")
        table.row(
            rfc3339(job.finished_at)[:19] + "Z", job.state.value, job.request_id, record.get("seconds"), error
        )
    table.show()


def _time(text: str) -> float:
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r} is no time; write it with a zone, like 2026-11-22T09:00:00Z"
        ) from None
