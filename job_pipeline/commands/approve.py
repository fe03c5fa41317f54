"""`job-pipeline approve`: let what follows a stage begin."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import NotesOption, OperatorOption, RunArgument, SeenOption, StageArgument
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.gate_inspection import approve_inspected, waiting_stage
from lib.pipeline.views import gate_json

EXAMPLES = (
    "job-pipeline approve ep-7 script",
    'job-pipeline approve ep-7 --notes "the second act is better"',
)

ElsewhereOption = Annotated[
    bool, typer.Option("--elsewhere", help="The files lie on another computer: do not look at them.")
]


def command(
    run: RunArgument,
    stage: StageArgument = None,
    operator: OperatorOption = None,
    notes: NotesOption = None,
    seen: SeenOption = None,
    elsewhere: ElsewhereOption = False,
    json_: JsonOption = False,
) -> None:
    """Approve what a stage made. The first decision wins; a later one is told who was first (status 65).

    The stage's files are measured first. Where one is not what the ledger says, the ledger takes note of it
    and nothing is approved (status 75): look again, then approve. An approval stands for these very files; a
    stage that makes others asks anew.
    """
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        at = stage or waiting_stage(room.ledger, run)
        folder = None if elsewhere else room.trail_files.folder_of(run)
        try:
            gate = approve_inspected(
                room.ledger, run, at, folder=folder, operator=who, notes=notes, seen=seen
            )
        finally:
            room.tell()
    if json_:
        output.emit_json(gate_json(gate))
    else:
        output.say_state("approved", f": {at} of {run}, by {who}")
