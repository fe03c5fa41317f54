"""`job-runner down`: stop the embedded server."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption


def command(json_: JsonOption = False) -> None:
    """Stop the embedded server. What is queued and finished stays on the disk for the next start."""
    stopped = wiring.embedded_server().stop()
    if json_:
        output.emit_json({"stopped": stopped})
    else:
        output.say("The embedded server is stopped." if stopped else "The embedded server was not running.")
