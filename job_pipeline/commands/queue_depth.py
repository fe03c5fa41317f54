"""`job-pipeline queue-depth`: how many stages are in each state."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.overview import of_pipelines, queue_depth
from lib.pipeline.states import TaskState

EXAMPLES = ("job-pipeline queue-depth",)


def command(dag: OfDagOption = None, json_: JsonOption = False) -> None:
    """Count the stages of all runs by pipeline and state; ready are those that a worker could claim now."""
    with wiring.open_room() as room:
        found = of_pipelines(queue_depth(room.ledger), room.names(dag))
    if json_:
        output.emit_json({"pipelines": [depth.to_json() for depth in found]})
        return
    states = [state for state in TaskState if any(state in depth.states for depth in found)]
    numbers = [output.Column(name, "right") for name in ("ready", *states)]
    table = output.Table([output.Column("dag"), *numbers])
    for depth in found:
        table.row(depth.dag, depth.ready, *(depth.states.get(state, 0) for state in states))
    table.show()
