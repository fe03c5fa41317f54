"""`job-watcher instances`: the machines that are paid for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from job_watcher import wiring
from job_watcher.provisioning.label_sweep import LabelledRental
from job_watcher.provisioning.offers_now import ScoredOffer, offers_now
from job_watcher.provisioning.rented_rows import Compared, compared
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import SystemClock
from lib.errors import UsageError
from lib.jobs.rented_machines import RentedMachine, rented_json, rented_machines, worst_of
from lib.units import seconds_text

_WORTH_SAYING_GB = 1.0  # of a download: less is loaded while the machine boots

EXAMPLES = ("job-watcher instances", "job-watcher instances --why")

WhyOption = Annotated[
    bool, typer.Option("--why", help="Show each offer of the market with the terms of its score.")
]


class _Seen(NamedTuple):
    """What is shown. `offers` and `strangers` None: the company was not asked."""

    provider: str
    machines: Sequence[RentedMachine]
    offers: Sequence[ScoredOffer] | None = None
    strangers: Sequence[LabelledRental] | None = None
    problem: str = ""


def command(why: WhyOption = False, json_: JsonOption = False) -> None:
    """Show every rented machine of the ledger that may still cost money. Asks no queue, and no provider.

    Each with its end, with what is known to end it when nobody does (ledger: whoever leads next; label: a
    sweep; switch: itself, when no watcher renews its lease; deadline: itself, at its end), and with what it
    can still cost if every watcher stopped now.

    With --why the provider is asked. Its list is compared with the ledger, and each offer is shown with what
    an hour of audio would cost there: the work, its start, its risk; or with what speaks against it. The
    first is the one to be rented. A speed with a question mark is guessed, the others were measured.
    """
    now = SystemClock().now()
    seen = _look(now, why=why)
    if json_:
        output.emit_json(_told(seen))
        return
    _show(seen, now)
    if seen.offers is not None:
        _show_strangers(seen)
        show_offers(seen.offers)


def _look(now: float, *, why: bool) -> _Seen:
    with wiring.open_rented() as (provider, ledger, open_desk):
        machines = rented_machines(ledger, now)
        if not why:
            return _Seen(provider, machines)
        desk = open_desk()
        if desk is None:
            raise UsageError(f"PROVIDER is {provider}, which has no offers: set PROVIDER=vast for --why")
        found: Compared = compared(machines, desk.provider.list(), desk.owner)
        speeds, refused = desk.benches()
        for sentence in refused:
            output.warn(sentence)
        offers = offers_now(desk.provider, desk.policy, desk.caps, desk.engine, ledger, now, benched=speeds)
        return _Seen(provider, found.machines, offers, found.strangers, found.problem)


def _told(seen: _Seen) -> dict[str, object]:
    told = rented_json(seen.provider, seen.machines)
    if seen.offers is not None and seen.strangers is not None:
        told["strangers"] = [stranger.to_json() for stranger in seen.strangers]
        told["offers"] = [offer.to_json() for offer in seen.offers]
    return told


def _show(seen: _Seen, now: float) -> None:
    if not seen.machines:
        why = "" if seen.provider == "vast" else f"; PROVIDER is {seen.provider}, which rents no machines"
        output.say(f"Nothing is rented{why}.")
        return
    names = ("for", "usd/h", "spent", "ends in", "worst")
    right = (output.Column(name, "right") for name in names)
    table = output.Table(
        [
            *(output.Column("machine"), output.Column("state"), *right),
            *(output.Column("held by", wrap=True), output.Column("why", wrap=True)),
        ]
    )
    for machine in seen.machines:
        table.row(*_cells(machine, now))
    table.show()
    switches = [one.worst if one.switched_off is None else one.switched_off for one in seen.machines]
    output.say(
        f"If every watcher stopped now: {sum(switches):.2f} USD more until their switches end them, "
        f"{worst_of(seen.machines):.2f} USD at most, until the end of their time."
    )


def _cells(machine: RentedMachine, now: float) -> tuple[str, ...]:
    row = machine.row
    name = row.instance or f"{row.token} (not seen yet)"
    left = row.intent.expires_at - now
    ends = seconds_text(left) if left > 0 else "over"
    why = row.reason or row.intent.why
    if machine.listed is False:
        why = f"not in the provider's list; {why}"
    nets = ", ".join(net.value for net in machine.nets)
    spent = seconds_text(max(0.0, now - row.since))
    money = (f"{machine.per_hour:.3f}", f"{machine.spent:.2f}", ends, f"{machine.worst:.2f}")
    return name, row.state, spent, *money, nets, why


def _show_strangers(seen: _Seen) -> None:
    for stranger in seen.strangers or ():
        output.warn(
            f"{stranger.rental.instance} carries this deployment's label ({stranger.rental.label}) and the "
            "ledger does not know it: the watcher that leads ends it, and job-watcher sweep after its time"
        )
    if seen.problem:
        output.warn(f"the provider's list is not whole ({seen.problem}): what is not in it may exist")


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
        cells = {name: str(said[name]) for name in numbers}
        cells["speed"] += "" if offer.measured else "?"
        table.row(said["id"], f"{said['gpu']}{bid}", *cells.values(), remark)
    table.show()
    for offer in offers:
        if offer.chosen and offer.download_gb >= _WORTH_SAYING_GB:
            took = seconds_text(offer.download_s)
            output.say(f"A start there loads {offer.download_gb:.1f} GB, the model among them: about {took}.")
