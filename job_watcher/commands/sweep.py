"""`job-watcher sweep`: is a rented machine forgotten?"""

from __future__ import annotations

from job_watcher import wiring
from job_watcher.provisioning.rented_rows import rented_machines
from lib.cli import output
from lib.cli.options import JsonOption
from lib.errors import ExitStatus

EXAMPLES = ("job-watcher sweep",)


def command(json_: JsonOption = False) -> int:
    """Look for rented machines that nobody watches. Needs no queue; for a timer beside the watcher.

    Providers local and ssh rent nothing, so nothing can be forgotten with them: exit status 0. A ledger that
    still holds machines (of another PROVIDER, say) is told, with exit status 1.
    """
    with wiring.open_rented() as (provider, ledger):
        held = rented_machines(ledger)
    if json_:
        told = {
            "provider": provider,
            "rents": False,
            "destroyed": [],
            "held": [item.to_json() for item in held],
        }
        output.emit_json(told)
    elif held:
        output.warn(
            f"PROVIDER is {provider}, which rents nothing, and the ledger holds {len(held)} that may still "
            "cost money: look at them with job-watcher instances, and end them at their provider"
        )
    else:
        output.say(f"Nothing to sweep: PROVIDER is {provider}, which rents nothing, and the ledger is empty.")
    return ExitStatus.JOB_FAILED if held else ExitStatus.OK
