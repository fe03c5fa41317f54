"""`job-watcher doctor`: what keeps this computer from doing jobs?"""

from __future__ import annotations

from job_watcher import wiring
from job_watcher.self_check import look_around
from lib.cli import output
from lib.cli.findings import show_findings
from lib.cli.options import JsonOption, RedisUrlOption
from lib.cli.progress import ProgressBar
from lib.clock import SystemClock
from lib.jobs import doctor_probes
from lib.jobs.doctor import diagnose, exit_status
from lib.jobs.doctor_watcher import diagnose_watcher
from lib.jobs.findings import Finding

EXAMPLES = ("job-watcher doctor",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> int:
    """Try all that a watcher here needs: queue, store, disks, its folder, its ledger, its machines.

    What job-runner doctor tries, and beside it the work folder, the ledger of rented machines, each machine
    of SSH_MACHINES (with PROVIDER=local the engine here), the port of WATCHER_LISTEN and the service of
    systemd. Exit status 0 when nothing is wrong or there are only warnings, 69 when the server does not
    answer, 78 when something else must be mended.
    """
    findings = _findings(wiring.machine_room(redis_url))
    if json_:
        output.emit_json({"findings": [item.to_json() for item in findings]})
    else:
        show_findings(findings, nothing="Everything is in order: a watcher here can do jobs.")
    return exit_status(findings)


def _findings(room: wiring.MachineRoom) -> list[Finding]:
    where = room.ground()
    with ProgressBar(2 if where.check_machines is None else 3, "looking", quiet=True) as bar:
        bar.advance(0, note="queue, store and voices")
        shared = doctor_probes.examine(room.home(), room.voices(), room.open_queue, SystemClock())
        seen = look_around(where, lambda what: bar.advance(note=what))
        bar.advance()
    return [*diagnose(shared), *diagnose_watcher(seen)]
