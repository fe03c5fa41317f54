"""The rented machines of the ledger beside what the company lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from job_watcher.provisioning.label_sweep import LabelledRental
from lib.jobs.rented_machines import RentedMachine
from lib.machines.labels import own_label
from lib.providers.rental import Listing


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
