"""`job-pipeline events`: what happened, in the order of the ledger."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import RunOption
from job_pipeline.display.trail import event_text
from job_pipeline.followed_trail import follow
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.pipeline.trail import events_after
from lib.pipeline.views import event_json, get_job_status

EXAMPLES = ("job-pipeline events --run ep-7", "job-pipeline events --follow --json")

AfterOption = Annotated[
    int, typer.Option("--after", metavar="POSITION", min=0, help="Only what stands behind this position.")
]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C or the end of --run.")
]


def command(
    run: RunOption = None, after: AfterOption = 0, follow_: FollowOption = False, json_: JsonOption = False
) -> None:
    """Show the trail of all runs or of one, each event with its position in the order of all.

    With --follow it goes on as things happen, and ends with the run that --run names. With --json that is a
    value on each line; without --follow one list.
    """
    with wiring.open_room() as room:
        if run is not None:
            get_job_status(room.ledger, run)  # says that there is none
        if follow_:
            for event in follow(room.ledger, after, run=run, clock=SystemClock()):
                if json_:
                    output.tell_json_line(event_json(event))
                else:
                    output.say(event_text(event))
                    sys.stdout.flush()  # whoever reads it through a pipe follows, too
            return
        position, events = after, []
        while page := events_after(room.ledger, position, run=run):
            events += page
            position = page[-1].position
    if json_:
        output.emit_json([event_json(event) for event in events])
        return
    for event in events:
        output.say(event_text(event))
