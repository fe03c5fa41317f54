"""`job-pipeline retry-dead`: new attempts for stages that are out of them."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption, OperatorOption, RunOption
from job_pipeline.retried_stages import retried_in, show_retried
from lib.cli.options import JsonOption
from lib.pipeline.overview import of_pipelines, retryable_stages

EXAMPLES = ("job-pipeline retry-dead", "job-pipeline retry-dead --run ep-7")


def command(
    run: RunOption = None, dag: OfDagOption = None, operator: OperatorOption = None, json_: JsonOption = False
) -> None:
    """Give every dead stage its attempts anew, of one run or of all. What it blocked comes back by itself."""
    who = wiring.operator_of(operator)
    with wiring.open_room() as room:
        stages = [
            each
            for each in of_pipelines(retryable_stages(room.ledger), room.names(dag))
            if each.state == "dead"
        ]
        found = retried_in(room, [each for each in stages if run in (None, each.run)], who)
    show_retried(found, as_json=json_)
