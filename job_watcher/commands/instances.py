"""`job-watcher instances`: the machines that are paid for."""

from __future__ import annotations

from job_watcher import wiring
from job_watcher.provisioning.rented_rows import RentedMachine, rented_machines
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.units import seconds_text

EXAMPLES = ("job-watcher instances",)


def command(json_: JsonOption = False) -> None:
    """Show every rented machine of the ledger that may still cost money. Asks no provider and no queue."""
    with wiring.open_rented() as (provider, ledger):
        found = rented_machines(ledger)
    now = SystemClock().now()
    if json_:
        output.emit_json({"provider": provider, "instances": [machine.to_json() for machine in found]})
        return
    if not found:
        why = "" if provider == "vast" else f"; PROVIDER is {provider}, which rents no machines"
        output.say(f"Nothing is rented{why}.")
        return
    right = (output.Column(name, "right") for name in ("for", "usd/h", "spent"))
    table = output.Table(
        [output.Column("machine"), output.Column("state"), *right, output.Column("why", wrap=True)]
    )
    for machine in found:
        table.row(*_cells(machine, now))
    table.show()
    worst = sum(machine.worst(now) for machine in found)
    output.say(f"If nobody ended them before their own switch does: {worst:.2f} USD more at most.")


def _cells(machine: RentedMachine, now: float) -> tuple[str, ...]:
    row = machine.row
    name = row.instance or f"{row.token} (not seen yet)"
    since = seconds_text(max(0.0, now - row.since))
    why = row.reason or row.intent.why
    return name, row.state, since, f"{machine.per_hour:.3f}", f"{machine.spent:.2f}", why
