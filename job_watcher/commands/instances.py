"""`job-watcher instances`: the machines that are paid for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from job_watcher import wiring
from job_watcher.provisioning.offers_now import ScoredOffer, offers_now
from job_watcher.provisioning.rented_rows import RentedMachine, rented_machines
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.errors import UsageError
from lib.units import seconds_text

if TYPE_CHECKING:
    from lib.machines.port import Ledger

EXAMPLES = ("job-watcher instances", "job-watcher instances --why")

WhyOption = Annotated[
    bool, typer.Option("--why", help="Show each offer of the market with the terms of its score.")
]


def command(why: WhyOption = False, json_: JsonOption = False) -> None:
    """Show every rented machine of the ledger that may still cost money. Asks no queue, and no provider.

    With --why the provider is asked for its offers, and each is shown with what an hour of audio would cost
    there: the work, its start, its risk; or with what speaks against it. The first is the one to be rented.
    """
    with wiring.open_rented() as (provider, ledger):
        found = rented_machines(ledger)
        offers = _offers(provider, ledger) if why else None
    now = SystemClock().now()
    if json_:
        told = {"provider": provider, "instances": [machine.to_json() for machine in found]}
        more = {} if offers is None else {"offers": [offer.to_json() for offer in offers]}
        output.emit_json(told | more)
        return
    _show(provider, found, now)
    if offers is not None:
        show_offers(offers)


def _offers(provider: str, ledger: Ledger | None) -> Sequence[ScoredOffer]:
    desk = wiring.rental_desk()
    if desk is None:
        raise UsageError(f"PROVIDER is {provider}, which has no offers: set PROVIDER=vast for --why")
    return offers_now(desk.provider, desk.policy, desk.caps, desk.engine, ledger, SystemClock().now())


def _show(provider: str, found: Sequence[RentedMachine], now: float) -> None:
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


def show_offers(offers: Sequence[ScoredOffer]) -> None:
    """Cheapest audio first; what cannot be taken comes last, with the reason."""
    if not offers:
        output.say("The market offers nothing that was asked for.")
        return
    names = ("usd/h", "speed", "work", "start", "risk", "usd/audio h")
    right = (output.Column(name, "right") for name in names)
    table = output.Table([output.Column("offer"), output.Column("gpu"), *right, output.Column("", wrap=True)])
    for offer in offers:
        said = offer.to_json()
        numbers = ("usd_per_hour", "speed", "time_usd", "start_usd", "risk_usd", "usd_per_audio_hour")
        bid = " (bid)" if said["interruptible"] else ""
        remark = "would be rented now" if offer.chosen else said["objection"] or ""
        table.row(said["id"], f"{said['gpu']}{bid}", *(str(said[name]) for name in numbers), remark)
    table.show()
