"""`job-pipeline advance`: run a stage anew, and go on from there."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import OperatorOption, RunArgument, checked_text
from lib.cli import output
from lib.cli.options import JsonOption
from lib.errors import UsageError
from lib.pipeline.gate_inspection import note_of_rejection
from lib.pipeline.runs import advance
from lib.pipeline.views import get_job_status

EXAMPLES = ("job-pipeline advance ep-7 --with-note", "job-pipeline advance ep-7 --stage audio")

StageOption = Annotated[
    str | None,
    typer.Option(
        "--stage", metavar="STAGE", help="Which; else the one that was rejected.", show_default=False
    ),
]
NoteOption = Annotated[
    str | None,
    typer.Option(
        "--note",
        metavar="TEXT",
        help="What the stage is to do otherwise.",
        show_default=False,
        callback=checked_text,
    ),
]
WithNoteOption = Annotated[bool, typer.Option("--with-note", help="Tell it the notes of its rejection.")]


def command(
    run: RunArgument,
    stage: StageOption = None,
    note: NoteOption = None,
    with_note: WithNoteOption = False,
    operator: OperatorOption = None,
    json_: JsonOption = False,
) -> None:
    """Run the rejected stage of a paused run anew, or any stage that is named, and go on from there.

    Stages below it whose inputs stay the same are not run again. Where several were rejected, the run goes
    on when each of them was advanced; without --stage that is the first of them.
    """
    if note is not None and with_note:
        raise UsageError("--note is an instruction of its own; leave it or --with-note away")
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        told = note_of_rejection(room.ledger, run, stage) if with_note else note
        name = advance(room.ledger, run, operator=who, stage=stage, instruction=told)
        others = [gate.task for gate in get_job_status(room.ledger, run).rejected]
        room.tell()
    if json_:
        output.emit_json(
            {"run": run, "stage": name, "instruction": told, "operator": who, "rejected": others}
        )
    else:
        when = f" once {' and '.join(others)}, rejected as well, may do so too" if others else ""
        output.say(f"{name} of {run} runs anew{when}{f', told: {told}' if told else ''}.")
