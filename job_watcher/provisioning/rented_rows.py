"""What the ledger says of machines that are paid for, for commands that only look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from job_watcher.provisioning.label_sweep import LabelledRental
from job_watcher.provisioning.nets import Net, held_by, switched_off, worst_case
from lib.clock import rfc3339
from lib.machines.labels import own_label
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.providers.rental import Listing
from lib.units import MICROS

_CENT_OF_CENT: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class RentedMachine:
    """One row that is not closed, at a moment. Money is US dollars.

    `listed` says whether the company lists it; None: it was not asked, or its list is incomplete.
    """

    row: MachineRow
    spent: Decimal
    nets: tuple[Net, ...]
    worst: Decimal
    switched_off: Decimal | None
    listed: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """An item of `instances --json`."""
        row, intent = self.row, self.row.intent
        until_switch = self.switched_off
        return {
            "token": row.token,
            "provider": intent.provider,
            "instance": row.instance,
            "gpu": intent.gpu,
            "state": row.state,
            "since": rfc3339(row.since),
            "reason": row.reason,
            "batch": intent.batch,
            "why": intent.why,
            "usd_per_hour": str(self.per_hour),
            "spent_usd": str(self.spent),
            "expires_at": rfc3339(intent.expires_at),
            "held_by": [net.value for net in self.nets],
            "listed": self.listed,
            "worst_usd": str(self.worst.quantize(_CENT_OF_CENT)),
            "switch_usd": None if until_switch is None else str(until_switch.quantize(_CENT_OF_CENT)),
        }

    @property
    def per_hour(self) -> Decimal:
        """Its price."""
        return Decimal(self.row.intent.hourly_micros) / MICROS


def rented_machines(ledger: Ledger | None, now: float) -> Sequence[RentedMachine]:
    """Every machine that may cost money now, oldest first; none where there is no ledger.

    Raises:
        Unavailable: the ledger does not answer.
    """
    if ledger is None:
        return ()
    books = ledger.books(())
    found = []
    for row in books.open:
        spent = books.spent_by_machine.get(row.token, 0)
        nets = held_by(row, ledger.history(row.token))
        found.append(
            RentedMachine(
                row,
                Decimal(spent) / MICROS,
                nets,
                worst_case(row, spent, now),
                switched_off(row, nets, now),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    """The ledger beside the company's list. `strangers` carry our label, and no row explains them."""

    machines: Sequence[RentedMachine]
    strangers: Sequence[LabelledRental]
    problem: str = ""


def compared(machines: Sequence[RentedMachine], listing: Listing, owner: str) -> Compared:
    """Look for each machine in the list, and for rentals of ours that the ledger does not know."""
    labels = {rental.instance: own_label(rental.label, owner) for rental in listing.rentals}
    tokens = {label.token for label in labels.values() if label is not None}
    known = {machine.row.token for machine in machines}

    def listed(machine: RentedMachine) -> bool | None:
        return True if machine.row.token in tokens else (False if listing.complete else None)

    strangers = [
        LabelledRental(rental, label.expires_at)
        for rental in listing.rentals
        if (label := labels[rental.instance]) is not None and label.token not in known
    ]
    return Compared(
        [replace(machine, listed=listed(machine)) for machine in machines],
        strangers,
        "" if listing.complete else listing.problem or "the listing is incomplete",
    )
