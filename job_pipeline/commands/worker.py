"""`job-pipeline worker`: carries out stages."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import DagOption, JsonLinesOption, VerboseOption
from job_pipeline.stop_signals import stops_on_signals


class Advance(StrEnum):
    """Who makes ready what follows a stage that is done."""

    WORKER = "worker"
    ORCHESTRATOR = "orchestrator"


EXAMPLES = (
    "job-pipeline worker --concurrency 4",
    "job-pipeline worker --dag shop.stages:dag --stage audio",
)

StageOption = Annotated[
    str | None, typer.Option("--stage", metavar="STAGE", help="Take only this stage.", show_default=False)
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", "-c", min=1, max=256, help="Stages at work at once.")
]
PollOption = Annotated[
    float | None,
    typer.Option(
        "--poll-interval",
        metavar="SECONDS",
        min=0.01,
        max=3600,
        help="Between looks at a database that wakes nobody; else CLAIM_POLL_INTERVAL.",
        show_default=False,
    ),
]
WorkerIdOption = Annotated[
    str | None,
    typer.Option("--worker-id", metavar="NAME", help="Its name in lists; else host:pid.", show_default=False),
]
AdvanceOption = Annotated[
    Advance,
    typer.Option("--advance", help="Who sees what follows: this worker at once, or an orchestrator."),
]
PlaceholdersOption = Annotated[
    bool,
    typer.Option(
        "--allow-placeholders", help="A stage whose part is missing writes a placeholder that says so."
    ),
]


def command(
    dag: DagOption = None,
    stage: StageOption = None,
    concurrency: ConcurrencyOption = 1,
    poll_interval: PollOption = None,
    worker_id: WorkerIdOption = None,
    advance: AdvanceOption = Advance.WORKER,
    allow_placeholders: PlaceholdersOption = False,
    verbose: VerboseOption = False,
    json_: JsonLinesOption = False,
) -> None:
    """Claim stages that are ready, carry them out, and write how they ended, until told to stop.

    SIGTERM or Ctrl-C finishes the work at hand; a second one gives it back. It takes only the pipelines that
    it knows: those of --dag, else of JOB_PIPELINE_DAG, else the shipped ones.
    """
    asked = wiring.WorkerWords(
        dags=dag or [],
        stage=stage,
        concurrency=concurrency,
        poll_s=poll_interval,
        owner=worker_id,
        settles=advance is Advance.WORKER,
        allow_placeholders=allow_placeholders,
    )
    with (
        wiring.open_worker(asked, json_lines=json_, verbose=verbose) as worker,
        stops_on_signals(worker.drain),
    ):
        worker.run()
