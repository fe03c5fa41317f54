"""`job-pipeline artifacts`: the files of a run."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import RunArgument
from job_pipeline.display.runs import artifacts_table
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.views import artifact_json, list_artifacts

EXAMPLES = ("job-pipeline artifacts ep-7",)


def command(run: RunArgument, json_: JsonOption = False) -> None:
    """List the files that the stages of a run made, in their order, and the folder they lie in."""
    with wiring.open_room() as room:
        found = list_artifacts(room.ledger, run)
        folder = room.trail_files.folder_of(run)
    if json_:
        told = [artifact_json(artifact) for artifact in found]
        output.emit_json({"run": run, "folder": str(folder), "artifacts": told})
        return
    if not found:
        output.note(f"{run} has no files yet")
        return
    artifacts_table(found).show()
    output.note(f"they lie in {folder}")
