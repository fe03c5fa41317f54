"""`job-runner reconcile`: hold everything that speaks of jobs against each other, and mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.doctor import show_findings
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.errors import ExitStatus
from lib.jobqueue.upkeep import upkeep_of
from lib.jobs.misfits import closing
from lib.jobs.reconcile import Audit


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
    with wiring.open_queue(redis_url) as queue:
        audit = Audit(
            queue,
            upkeep_of(queue),
            wiring.storage(),
            mend=apply,
            deep=deep,
            forget_gone=forget_gone,
        )
        findings = list(audit.findings())
    left = sum(not item.mended for item in findings)
    if json_:
        shown = [item.to_json() for item in findings]
        output.emit_json({"applied": apply, "findings": shown, "mended": len(shown) - left, "left": left})
    else:
        show_findings(findings, nothing="Everything fits together.", tried=apply)
        if last := closing(findings, applied=apply):
            output.note(last)
    matters = any(not item.mended and not item.harmless for item in findings)
    return ExitStatus.JOB_FAILED if matters else ExitStatus.OK
