"""`job-runner reconcile`: hold everything that speaks of jobs against each other, and mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.findings import show_findings
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobs.reconcile import reconcile

EXAMPLES = (
    "job-runner reconcile",
    "job-runner reconcile --deep --apply",
)


def command(
    apply: Annotated[bool, typer.Option("--apply", help="Mend what is found.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all audio and compare its sha256, not only its size.")
    ] = False,
    forget_gone: Annotated[
        bool,
        typer.Option(
            "--forget-gone", help="With --apply: forget jobs whose audio is lost, to be enqueued anew."
        ),
    ] = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Compare streams, leases, rows, results, history and files. Changes nothing without --apply.

    The queue may be at work meanwhile: each thing is judged, and mended, in one step of the server. Exit
    status 0 when all fits or was mended, 1 when something is left that matters: a waveform that nothing
    brings back does not.
    """
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        done = reconcile(queue, here.storage(), apply=apply, deep=deep, forget_gone=forget_gone)
    if json_:
        output.emit_json(done.to_json())
    else:
        show_findings(done.findings, nothing="Everything fits together.", tried=apply)
        if done.closing:
            output.note(done.closing)
    return done.exit_status
