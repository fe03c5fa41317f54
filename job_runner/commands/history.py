"""`job-runner history`: what ended, most recent first."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.display.ended import ended_table
from lib.cli import output
from lib.cli.moments import moment
from lib.cli.options import JsonOption, LimitOption, RedisUrlOption
from lib.clock import SystemClock, rfc3339
from lib.jobqueue import FinishedJob, JobState


class Which(StrEnum):
    """Which endings to list."""

    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    ALL = "all"


StatusOption = Annotated[Which, typer.Option("--status", help="Only jobs that ended so.")]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only since then: 2026-11-22T09:00:00Z, or 36h for the last 36 hours.",
        show_default=False,
    ),
]


def state_of(which: Which) -> JobState | None:
    """The state to ask the queue for; None for all."""
    return None if which is Which.ALL else JobState(which.value)


EXAMPLES = ("job-runner history --status failed --since 36h",)


def command(
    limit: LimitOption = 20,
    status: StatusOption = Which.ALL,
    since: SinceOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """List finished jobs, most recent first."""
    earliest = None if since is None else moment(since, SystemClock().now())
    with wiring.open_queue(redis_url) as queue:
        jobs = queue.history(limit=limit, status=state_of(status), since=earliest)
    if json_:
        output.emit_json([job.to_json() for job in jobs])
    else:
        show(jobs)


def show(jobs: list[FinishedJob]) -> None:
    """The list for people."""
    ended_table(jobs, "finished", lambda job: rfc3339(job.finished_at)[:19] + "Z").show()
