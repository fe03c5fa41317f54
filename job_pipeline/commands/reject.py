"""`job-pipeline reject`: refuse what a stage made."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import NotesOption, OperatorOption, RunArgument, SeenOption, StageArgument
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.gate_inspection import waiting_stage
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.views import gate_json

EXAMPLES = ('job-pipeline reject ep-7 script --notes "less about the moon"',)


def command(
    run: RunArgument,
    stage: StageArgument = None,
    operator: OperatorOption = None,
    notes: NotesOption = None,
    seen: SeenOption = None,
    json_: JsonOption = False,
) -> None:
    """Reject what a stage made: the run is paused until `advance` runs that stage anew.

    The first decision wins; a later one is told who was first (status 65).
    """
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        at = stage or waiting_stage(room.ledger, run)
        folder = room.trail_files.folder_of(run)
        gate = reject_and_keep(room.ledger, run, at, folder=folder, operator=who, notes=notes, seen=seen)
        room.tell()
    if json_:
        output.emit_json(gate_json(gate))
    else:
        output.say_state("rejected", f": {at} of {run}, by {who}; job-pipeline advance {run} runs it anew")
