"""`job-runner export`: the records of finished jobs, for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.history import SinceOption, StatusOption, Which, state_of
from lib.cli import output
from lib.cli.moments import moment
from lib.cli.options import JsonOption, RedisUrlOption
from lib.clock import SystemClock
from lib.errors import UsageError
from lib.jobqueue import FinishedJob
from lib.jobs.export import COLUMNS, flat
from lib.jobs.history import read_history


class RecordFormat(StrEnum):
    """How the records are written."""

    JSONL = "jsonl"
    CSV = "csv"


EXAMPLES = ("job-runner export --since 7d --format csv > records.csv",)


def command(
    format_: Annotated[
        RecordFormat | None, typer.Option("--format", help="One JSON object a line, or CSV.")
    ] = None,
    since: SinceOption = None,
    status: StatusOption = Which.ALL,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """Write the records of finished jobs to stdout, most recent first, one a line.

    JSON Lines by default; --json writes one JSON array instead. Nothing is kept in memory but a page.
    """
    if json_ and format_ is not None:
        raise UsageError("--json writes one JSON array, so it does not go with --format")
    earliest = None if since is None else moment(since, SystemClock().now())
    with wiring.open_queue(redis_url) as queue:
        counted = _Counted(read_history(queue, status=state_of(status), since=earliest))
        if json_:
            output.emit_json_array(job.to_json() for job in counted)
        elif format_ is RecordFormat.CSV:
            output.emit_csv(COLUMNS, map(flat, counted))
        else:
            output.emit_json_lines(job.to_json() for job in counted)
    output.note(f"{counted.count} records")


class _Counted:
    """Counts what passes through."""

    def __init__(self, jobs: Iterable[FinishedJob]) -> None:
        self.count = 0
        self._jobs = jobs

    def __iter__(self) -> Iterator[FinishedJob]:
        for job in self._jobs:
            self.count += 1
            yield job
