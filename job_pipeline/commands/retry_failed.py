"""`job-pipeline retry-failed`: new attempts for stages that failed."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption, OperatorOption, RunOption
from job_pipeline.retried_stages import retried_in, show_retried
from lib.cli.moments import moment
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.pipeline.overview import of_pipelines, retryable_stages

EXAMPLES = ("job-pipeline retry-failed --task audio --since 2h --min-attempts 3",)

TaskOption = Annotated[
    str | None, typer.Option("--task", metavar="STAGE", help="Only stages of this name.", show_default=False)
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only what failed since then: 2026-11-22T09:00:00Z, a day, or 2h for two hours ago.",
        show_default=False,
    ),
]
MinAttemptsOption = Annotated[
    int, typer.Option("--min-attempts", min=1, help="Only what failed at least so often.")
]


def command(
    task: TaskOption = None,
    since: SinceOption = None,
    min_attempts: MinAttemptsOption = 1,
    run: RunOption = None,
    dag: OfDagOption = None,
    operator: OperatorOption = None,
    json_: JsonOption = False,
) -> None:
    """Try failed stages again now, with all their attempts: those that wait for their time, and dead ones."""
    earliest = 0.0 if since is None else moment(since, SystemClock().now())
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        found = retryable_stages(room.ledger, since=earliest, min_failures=min_attempts)
        stages = [
            each
            for each in of_pipelines(found, room.names(dag))
            if task in (None, each.stage) and run in (None, each.run)
        ]
        retried = retried_in(room, stages, who)
    show_retried(retried, as_json=json_)
