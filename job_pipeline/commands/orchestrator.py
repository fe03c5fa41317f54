"""`job-pipeline orchestrator`: one look at what follows."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import CheckedDagOption
from job_pipeline.orchestrator import orchestrate
from lib.cli import output
from lib.cli.options import JsonOption

EXAMPLES = ("job-pipeline orchestrator",)


def command(dag: CheckedDagOption = None, json_: JsonOption = False) -> None:
    """Look once at every run that has not ended: make ready what is ready, and let gates time out.

    Any number may do this at once.
    """
    with wiring.open_room() as room:
        room.check(dag)
        done = orchestrate(room.ledger)
        room.tell()
    if json_:
        output.emit_json({"settled": done.settled, "gates": done.gates})
    else:
        output.say(f"Runs that changed: {done.settled}; gates whose time was over: {done.gates}.")
