"""`job-pipeline enqueue`: a new run."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import (
    ConfigOption,
    InputsOption,
    IntentOption,
    MetadataOption,
    OneDagOption,
    RunIdOption,
    SlugOption,
    UriOption,
)
from job_pipeline.new_runs import RunWords, start_run
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.ruled_runs import StartedRun

EXAMPLES = (
    "job-pipeline enqueue --dag shop.stages:dag --uri s3://bucket/show.txt",
    """job-pipeline enqueue --dag video --run-id ep-7 --inputs '{"topic": "tides"}'""",
)


def command(
    dag: OneDagOption = None,
    run_id: RunIdOption = None,
    uri: UriOption = None,
    inputs: InputsOption = None,
    metadata: MetadataOption = None,
    slug: SlugOption = None,
    intent: IntentOption = None,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> None:
    """Start a run, bound to the pipeline's active snapshot for life.

    Without --dag and JOB_PIPELINE_DAG it is the only pipeline that is stored. The same --run-id with the
    same inputs is a duplicate: nothing is started, and the exit status is 0; with other inputs it is 65.
    """
    words = RunWords(run_id=run_id, uri=uri, inputs=inputs, metadata=metadata, slug=slug, intent=intent)
    run = words.new_run()
    with wiring.open_room() as room:
        show(start_run(room, dag, run, config), as_json=json_)


def show(found: StartedRun, *, as_json: bool) -> None:
    """Say which run there is now, and whether this made it."""
    if as_json:
        output.emit_json(found.to_json())
    elif found.started.created:
        output.say_state("queued", f": {found.started.id}, a run of {found.snapshot.graph.dag}")
        output.note(f"job-pipeline show {found.started.id} says how it stands")
    else:
        output.say_state(
            "duplicate", f": {found.started.id} was started before with the same inputs; nothing was changed"
        )
