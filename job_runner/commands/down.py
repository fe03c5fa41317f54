"""`job-runner down`: stop the embedded server."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption
from lib.errors import TryAgain

EXAMPLES = ("job-runner down",)


def command(
    force: Annotated[bool, typer.Option("--force", help="Also while a watcher works on it.")] = False,
    json_: JsonOption = False,
) -> None:
    """Stop the embedded server. What is queued and finished stays on the disk for the next start.

    Refused with exit status 75 while a watcher works on it, unless --force.
    """
    here = wiring.here()
    server = here.embedded_server()
    if server.running() and not force:
        watchers = here.watchers_of(server)
        if watchers:
            raise TryAgain(
                f"A watcher works on the embedded server ({', '.join(watchers)}); end it first (Ctrl-C where "
                "it runs), or stop the server all the same with: job-runner down --force"
            )
    stopped = server.stop()
    if json_:
        output.emit_json({"stopped": stopped})
    else:
        output.say("The embedded server is stopped." if stopped else "The embedded server was not running.")
