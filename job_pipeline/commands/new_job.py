"""`job-pipeline new-job`: a run of a shipped pipeline."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.enqueue import show
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
from job_pipeline.samples import sample_inputs
from lib.cli.options import JsonOption

EXAMPLES = ("job-pipeline new-job", "job-pipeline new-job --dag video --inputs @show.json --slug tides")


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
    """Start a run as `enqueue` does; where nothing is said, of the shipped `factory` and about its sample."""
    words = RunWords(run_id=run_id, uri=uri, inputs=inputs, metadata=metadata, slug=slug, intent=intent)
    run = words.new_run(sample_inputs())
    with wiring.open_room() as room:
        show(start_run(room, dag or room.found.job_pipeline_dag or "factory", run, config), as_json=json_)
