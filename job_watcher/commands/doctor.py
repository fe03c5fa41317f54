"""`job-watcher doctor`: what keeps this computer from doing jobs?"""

from __future__ import annotations

from job_watcher import wiring
from job_watcher.self_check import look_around
from lib.cli import output
from lib.cli.findings import show_findings
from lib.cli.options import JsonOption, RedisUrlOption
from lib.cli.progress import ProgressBar
from lib.clock import SystemClock
from lib.findings import Finding
from lib.jobs import doctor_probes
from lib.jobs.doctor import diagnose, exit_status
from lib.jobs.doctor_account import diagnose_account
from lib.jobs.doctor_watcher import diagnose_watcher

EXAMPLES = ("job-watcher doctor",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> int:
    """Try all that a watcher here needs: queue, store, disks, its folder, its ledger, its machines.

    What job-runner doctor tries, and beside it the work folder, the ledger of rented machines, each machine
    of SSH_MACHINES (with PROVIDER=local the engine here; with PROVIDER=vast the account: key, scopes, credit,
    limits, market), the port of WATCHER_LISTEN and the service of systemd. It rents nothing. Exit status 0
    when nothing is wrong or there are only warnings, 69 when the server does not answer or nothing is wrong
    but that others do not, 78 when something must be mended.
    """
    findings = _findings(wiring.machine_room(redis_url))
    if json_:
        output.emit_json({"findings": [item.to_json() for item in findings]})
    else:
        show_findings(findings, nothing="Everything is in order: a watcher here can do jobs.")
    return exit_status(findings)


def _findings(room: wiring.MachineRoom) -> list[Finding]:
    where = room.ground()
    steps = 2 + sum(look is not None for look in (where.check_machines, where.check_account))
    account: list[Finding] = []
    with ProgressBar(steps, "looking", quiet=True) as bar:
        bar.advance(0, note="queue, store and voices")
        shared = doctor_probes.examine(room.home(), room.voices(), room.open_queue, SystemClock())
        seen = look_around(where, lambda what: bar.advance(note=what))
        if where.check_account is not None:
            bar.advance(note="account and market")
            account = diagnose_account(where.check_account())
        bar.advance()
    return [*diagnose(shared), *diagnose_watcher(seen), *account]
