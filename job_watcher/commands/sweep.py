"""`job-watcher sweep`: is a rented machine forgotten?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from job_watcher import wiring
from job_watcher.provisioning.label_sweep import LabelSweep, sweep_labels
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.errors import ExitStatus, Unavailable
from lib.jobs.rented_machines import rented_machines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lib.jobs.rented_machines import RentedMachine

EXAMPLES = ("job-watcher sweep",)


def command(json_: JsonOption = False) -> int:
    """End rented machines of ours whose time is over. Needs no queue; for a timer beside the watcher.

    By the labels that the provider lists, whatever the ledger says. Exit status 1: one had to be ended.

    Providers local and ssh rent nothing, so nothing can be forgotten with them: exit status 0. A ledger that
    still holds machines (of another PROVIDER, say) is told, with exit status 1.
    """
    desk = wiring.rental_desk()
    if desk is None:
        return _ledger_alone(json_=json_)
    found = sweep_labels(desk.provider, desk.owner, SystemClock().now())
    if json_:
        told = {
            "provider": desk.provider.name,
            "rents": True,
            "destroyed": [item.rental.instance for item in found.destroyed],
            "alive": [item.to_json() for item in found.alive],
            "held": [],
        }
        output.emit_json(told)
    else:
        _show(found)
    if found.problem:
        raise Unavailable(f"Not everything could be swept; run it again: {found.problem}")
    return ExitStatus.JOB_FAILED if found.destroyed else ExitStatus.OK


def _show(found: LabelSweep) -> None:
    for item in found.destroyed:
        output.warn(
            f"{item.rental.instance} was still there after its time ({item.rental.label}): it is ended"
        )
    if found.alive:
        names = ", ".join(item.rental.instance for item in found.alive)
        output.say(f"Rented by this deployment, and their time is not over: {names}.")
    elif not found.destroyed:
        output.say("Nothing to sweep: no rental carries this deployment's label.")


def _ledger_alone(*, json_: bool) -> int:
    """Where nothing is rented, what another PROVIDER left in the ledger is told."""
    with wiring.open_rented() as (provider, ledger, _):
        held = rented_machines(ledger, SystemClock().now())
    if json_:
        told = {
            "provider": provider,
            "rents": False,
            "destroyed": [],
            "held": [item.to_json() for item in held],
        }
        output.emit_json(told)
    else:
        _show_held(provider, held)
    return ExitStatus.JOB_FAILED if held else ExitStatus.OK


def _show_held(provider: str, held: Sequence[RentedMachine]) -> None:
    if held:
        output.warn(
            f"PROVIDER is {provider}, which rents nothing, and the ledger holds {len(held)} that may still "
            "cost money: look at them with job-watcher instances, and end them at their provider"
        )
    else:
        output.say(f"Nothing to sweep: PROVIDER is {provider}, which rents nothing, and the ledger is empty.")
