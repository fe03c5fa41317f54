"""`job-pipeline demo`: three small runs, from their start to their end."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.attendance import attend, decider_of
from job_pipeline.attended_runs import show_runs
from job_pipeline.commands.options import ApproveOption
from job_pipeline.demonstration import start_demonstration
from lib.cli import output
from lib.cli.options import JsonOption

EXAMPLES = ("job-pipeline demo", "job-pipeline demo --dag video --approve")

DemoDagOption = Annotated[
    str, typer.Option("--dag", metavar="MODULE:OBJECT", help="The pipeline; a shipped one by its name.")
]
PlaceholdersOption = Annotated[
    bool,
    typer.Option(
        "--allow-placeholders", help="A stage whose part is missing writes a placeholder that says so."
    ),
]


def command(
    dag: DemoDagOption = "demo",
    allow_placeholders: PlaceholdersOption = False,
    approve: ApproveOption = False,
    json_: JsonOption = False,
) -> int:
    """Store a pipeline, start three runs of it, and run a worker with two processes until they stand still.

    At a gate a person at the terminal is asked. Exit status 0 when all three are completed, 1 when one
    failed, and 75 when one waits at a gate: then it says how to go on.
    """
    asked = wiring.WorkerWords(dags=[dag], concurrency=2, allow_placeholders=allow_placeholders)
    with wiring.open_room() as room:
        ids = start_demonstration(room, dag)
        who = wiring.operator_of(None)
        found = attend(room, ids, asked, decider_of(room, approve, json_), who, tells=not json_)
        folders = [room.trail_files.folder_of(run) for run in ids]
    if json_:
        output.emit_json(found.to_json())
    else:
        show_runs(found)
        for folder in folders:
            output.note(f"what was made lies in {folder}")
    return found.exit_status
