"""`job-pipeline make`: a film of a script, from its start to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from job_pipeline import wiring
from job_pipeline.attendance import attend, decider_of
from job_pipeline.attended_runs import show_runs
from job_pipeline.commands.options import ApproveOption, ConfigOption, RunIdOption
from job_pipeline.film_run import again, start_film
from lib.cli import output
from lib.cli.options import JsonOption

EXAMPLES = ("job-pipeline make lamp.md", "job-pipeline make lamp.md --approve --run-id lamp-2")


def command(
    script: Annotated[
        Path,
        typer.Argument(
            metavar="SCRIPT", help="A script, a beatsheet or a job file in YAML.", show_default=False
        ),
    ],
    dag: Annotated[
        str, typer.Option("--dag", metavar="NAME", help="video, with gates, or factory, without.")
    ] = "video",
    run_id: RunIdOption = None,
    approve: ApproveOption = False,
    config: ConfigOption = None,
    json_: JsonOption = False,
) -> int:
    """Make a narrated film of a script, here: start a run, speak, draw, assemble and check.

    At each gate a person at the terminal is asked. Without one it ends there (status 75); the same command
    goes on. Where the file has changed since, only what follows from the change is made anew.
    """
    with wiring.open_room() as room:
        run = start_film(room, dag, script, run_id, config)
        asked = wiring.WorkerWords(dags=[dag], concurrency=1)
        who = wiring.operator_of(None)
        found = attend(room, [run], asked, decider_of(room, approve, json_), who, tells=not json_)
        film = room.trail_files.folder_of(run) / "video.mp4"
    if json_:
        output.emit_json({**found.to_json(), "film": film if found.exit_status == 0 else None})
    else:
        show_runs(found, again(dag, script, run, config))
        if found.exit_status == 0:
            output.say(str(film))
    return found.exit_status
