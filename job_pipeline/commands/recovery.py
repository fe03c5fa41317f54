"""`job-pipeline recovery`: takes back what workers held that are gone."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import CheckedDagOption, JsonLinesOption, VerboseOption
from job_pipeline.recovery import recovery_loop, take_back
from job_pipeline.stop_signals import stops_on_signals
from lib.cli import output

EXAMPLES = ("job-pipeline recovery", "job-pipeline recovery --once")

PollOption = Annotated[
    float, typer.Option("--poll", metavar="SECONDS", min=0.01, max=3600, help="Between two looks.")
]
OnceOption = Annotated[bool, typer.Option("--once", help="Look once, and say what was taken back.")]


def command(
    poll: PollOption = 5.0,
    once: OnceOption = False,
    dag: CheckedDagOption = None,
    verbose: VerboseOption = False,
    json_: JsonLinesOption = False,
) -> None:
    """Take back stages whose worker let its lease run out, again and again until told to stop.

    They are ready again, or dead if that was their last attempt. Any number may do this at once.
    """
    if once:
        _once(dag, as_json=json_)
        return
    with wiring.open_loop(dag, json_lines=json_, verbose=verbose) as ledger:
        rounds = recovery_loop(ledger, poll_s=poll)
        with stops_on_signals(rounds.stop):
            rounds.run()


def _once(dag: list[str] | None, *, as_json: bool) -> None:
    with wiring.open_room() as room:
        room.check(dag)
        taken = take_back(room.ledger)
        room.tell()
    if as_json:
        output.emit_json({"taken_back": [{"run": run, "stage": stage} for run, stage in taken]})
        return
    for run, stage in taken:
        output.say(f"{stage} of {run} was taken back.")
    if not taken:
        output.note("no lease has run out")
