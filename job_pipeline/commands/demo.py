"""`job-pipeline demo`: three small runs, from their start to their end."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.demonstration import Demonstration, show_demonstration
from job_pipeline.stop_signals import stops_on_signals
from lib.cli import output
from lib.cli.options import JsonOption

EXAMPLES = ("job-pipeline demo", "job-pipeline demo --dag video")

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
    dag: DemoDagOption = "demo", allow_placeholders: PlaceholdersOption = False, json_: JsonOption = False
) -> int:
    """Store a pipeline, start three runs of it, and run a worker with two processes until they stand still.

    Exit status 0 when all three are completed, 1 when one failed, and 75 when one waits at a gate: then it
    says how to go on.
    """
    asked = wiring.WorkerWords(dags=[dag], concurrency=2, allow_placeholders=allow_placeholders)
    with wiring.open_room() as room:
        shown = Demonstration(room, dag)
        with room.open_worker(asked) as worker, stops_on_signals(worker.drain):
            found = shown.run(worker)
        room.tell()
    if json_:
        output.emit_json(found.to_json())
    else:
        show_demonstration(found)
    return found.exit_status
