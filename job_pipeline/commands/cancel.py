"""`job-pipeline cancel`: stop a run."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import NotesOption, OperatorOption, RunArgument
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.runs import cancel_job

EXAMPLES = ('job-pipeline cancel ep-7 --notes "another title"',)


def command(
    run: RunArgument, operator: OperatorOption = None, notes: NotesOption = None, json_: JsonOption = False
) -> None:
    """Stop a run: what waits is not begun, what is at work is stopped, and its jobs leave the queue.

    What is finished stays. `resume` lets it go on from there.
    """
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        changed = cancel_job(room.ledger, run, operator=who, notes=notes)
        room.tell()
    if json_:
        output.emit_json({"run": run, "changed": changed, "operator": who})
    elif changed:
        output.say_state("canceled", f": {run}; job-pipeline resume {run} lets it go on")
    else:
        output.say(f"{run} was canceled before; nothing was changed.")
