"""`job-pipeline orchestrator-loop`: looks at what follows, again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import CheckedDagOption, JsonLinesOption, VerboseOption
from job_pipeline.orchestrator import orchestrator_loop
from job_pipeline.stop_signals import stops_on_signals

EXAMPLES = ("job-pipeline orchestrator-loop --poll 0.2",)

PollOption = Annotated[
    float, typer.Option("--poll", metavar="SECONDS", min=0.01, max=3600, help="Between two looks.")
]


def command(
    poll: PollOption = 1.0,
    dag: CheckedDagOption = None,
    verbose: VerboseOption = False,
    json_: JsonLinesOption = False,
) -> None:
    """As `orchestrator`, until told to stop. Any number of them may run at once, on any number of hosts."""
    with wiring.open_loop(dag, json_lines=json_, verbose=verbose) as ledger:
        rounds = orchestrator_loop(ledger, poll_s=poll)
        with stops_on_signals(rounds.stop):
            rounds.run()
