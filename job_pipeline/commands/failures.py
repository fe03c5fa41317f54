"""`job-pipeline failures`: the stages that fail most, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption
from lib.cli import output
from lib.cli.moments import moment
from lib.cli.options import JsonOption, LimitOption
from lib.clock import SystemClock, rfc3339
from lib.pipeline.overview import top_failures

EXAMPLES = ("job-pipeline failures --since 7d",)

SinceOption = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="Only since then: 2026-11-22T09:00:00Z, a day, or 24h for a day ago."
    ),
]


def command(
    since: SinceOption = "24h",
    limit: LimitOption = 20,
    dag: OfDagOption = None,
    json_: JsonOption = False,
) -> None:
    """List the stages that failed most since a time, each with the newest reason."""
    earliest = moment(since, SystemClock().now())
    with wiring.open_room() as room:
        found = top_failures(room.ledger, since=earliest, count=limit, dags=room.names(dag))
    if json_:
        output.emit_json({"since": rfc3339(earliest), "stages": [stage.to_json() for stage in found]})
        return
    if not found:
        output.note(f"nothing has failed since {rfc3339(earliest)[:19]}Z")
        return
    columns = [output.Column("dag"), output.Column("stage"), output.Column("failures", "right")]
    table = output.Table([*columns, output.Column("last"), output.Column("newest reason", wrap=True)])
    for stage in found:
        table.row(stage.dag, stage.stage, stage.failures, f"{rfc3339(stage.last_at)[:19]}Z", stage.reason)
    table.show()
