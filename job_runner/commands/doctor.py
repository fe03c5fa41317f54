"""`job-runner doctor`: is everything that jobs need in order?"""

from __future__ import annotations

from functools import partial

from job_runner import wiring
from lib.cli import output
from lib.cli.findings import show_findings
from lib.cli.options import JsonOption, RedisUrlOption
from lib.clock import SystemClock
from lib.jobs import doctor_probes
from lib.jobs.doctor import Checkup, diagnose, exit_status

EXAMPLES = ("job-runner doctor",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> int:
    """Try the server, its settings, the voices, the engine, the store and the disks; say what to mend.

    Exit status 0 when nothing is wrong or there are only warnings, 69 when the server does not answer
    or nothing is wrong but that others do not, 78 when something must be mended.
    """
    findings = diagnose(examine(redis_url))
    if json_:
        output.emit_json({"findings": [item.to_json() for item in findings]})
    else:
        show_findings(findings, nothing="Everything is in order.")
    return exit_status(findings)


def examine(redis_url: str | None) -> Checkup:
    """Look at everything once.

    Raises:
        BadConfiguration: the settings cannot be read.
    """
    here = wiring.here(redis_url)
    return doctor_probes.examine(
        here.home(), here.voices(), partial(here.open_queue, named=True), SystemClock()
    )
