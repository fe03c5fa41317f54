"""`job-pipeline resume`: let a run go on where it stopped."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import OperatorOption, RunArgument
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.runs import resume

EXAMPLES = ("job-pipeline resume ep-7",)


def command(run: RunArgument, operator: OperatorOption = None, json_: JsonOption = False) -> None:
    """Let a failed or canceled run go on: its dead and canceled stages run again, what is finished stays.

    A run that is paused at a rejected gate goes on by `advance`.
    """
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        stages = resume(room.ledger, run, operator=who)
        room.tell()
    if json_:
        output.emit_json({"run": run, "stages": stages, "operator": who})
    else:
        output.say(f"{run} goes on with {', '.join(stages)}.")
