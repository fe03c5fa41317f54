"""`job-pipeline show`: one run, with everything that is known of it."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.absent_watcher import seen_with_queue
from job_pipeline.commands.options import RunArgument
from job_pipeline.display.runs import show_run
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.views import get_job_status

EXAMPLES = ("job-pipeline show ep-7",)


def command(run: RunArgument, json_: JsonOption = False) -> None:
    """Show one run: its stages, errors, gates, files and jobs, and why nothing moves where nothing does."""
    with wiring.open_room() as room:
        found = seen_with_queue(get_job_status(room.ledger, run), room.lacks_watcher)
    if json_:
        output.emit_json(found.to_json())
    else:
        show_run(found)
