"""`job-pipeline list-jobs`: runs and how each of their stages stands."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption
from lib.cli import output
from lib.cli.options import JsonOption, LimitOption
from lib.pipeline.views import list_runs

EXAMPLES = ("job-pipeline list-jobs --active",)

ActiveOption = Annotated[bool, typer.Option("--active", help="Only runs that have not ended.")]


def command(
    limit: LimitOption = 20,
    active: ActiveOption = False,
    dag: OfDagOption = None,
    json_: JsonOption = False,
) -> None:
    """List the newest runs, one on a line: each stage as STATE(owner), and its highest attempt.

    NEW waits for other stages, READY can be claimed, RUNNING is at work at its owner (the worker's host and
    process, or the queue), GATE waits for a person, DONE has succeeded. FAILED is tried again by itself,
    DEAD is not, BLOCKED stands below a dead stage.
    """
    with wiring.open_room() as room:
        lines = list_runs(room.ledger, count=limit, active=active, dags=room.names(dag))
    if json_:
        output.emit_json({"runs": [line.to_json() for line in lines]})
        return
    for line in lines:
        output.say(line.text())
    if not lines:
        which = "No run is going on." if active else "No run was ever started."
        output.note(f"{which} job-pipeline new-job starts one.")
