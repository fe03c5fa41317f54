"""`job-pipeline gates`: what waits for a person."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption, RunOption
from job_pipeline.display.trail import artifact_text
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import rfc3339
from lib.pipeline.overview import WaitingGate, gates_inbox, of_pipelines
from lib.units import seconds_text

EXAMPLES = ("job-pipeline gates",)


def command(run: RunOption = None, dag: OfDagOption = None, json_: JsonOption = False) -> None:
    """List every gate that waits for a decision, the oldest first: what it is about, what was said before."""
    with wiring.open_room() as room:
        found = of_pipelines(gates_inbox(room.ledger, run=run), room.names(dag))
    if json_:
        output.emit_json({"gates": [gate.to_json() for gate in found]})
        return
    for gate in found:
        _show(gate)
    if not found:
        output.note("nothing waits for a decision")


def _show(found: WaitingGate) -> None:
    gate = found.gate
    due = "" if gate.due_at is None else f", due {rfc3339(gate.due_at)[:19]}Z"
    output.say_state("GATE", f" {gate.run} {gate.task}, for {seconds_text(found.age_s)}{due} ({found.dag})")
    for artifact in found.artifacts:
        output.say(f"     {artifact_text(artifact)}")
    for before in found.before:
        said = f": {before.notes}" if before.notes else ""
        output.say(f"     {before.decision} in attempt {before.attempt} by {before.operator}{said}")
    output.say(f"     seen {gate.seen}")
