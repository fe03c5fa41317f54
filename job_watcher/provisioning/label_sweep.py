"""Ends rentals of ours whose time is over, by their labels alone: without queue, ledger or leader."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lib.clock import rfc3339
from lib.errors import Unavailable
from lib.machines.labels import own_label
from lib.providers.rental import Rental, RentalProvider
from lib.units import MICROS

#: The watcher that leads ends a machine before; a minute is for its clock and ours.
_GRACE_S = 60.0


@dataclass(frozen=True, slots=True)
class LabelledRental:
    """A rental that carries our label."""

    rental: Rental
    expires_at: float

    def to_json(self) -> dict[str, Any]:
        """An item of `sweep --json`."""
        return {
            "instance": self.rental.instance,
            "label": self.rental.label,
            "status": self.rental.status.value,
            "usd_per_hour": str(Decimal(self.rental.hourly_micros) / MICROS),
            "expires_at": rfc3339(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class LabelSweep:
    """What was found under our labels. `problem` says what keeps it from being the whole."""

    alive: tuple[LabelledRental, ...] = ()
    destroyed: tuple[LabelledRental, ...] = ()
    problem: str = ""


def sweep_labels(provider: RentalProvider, owner: str, now: float) -> LabelSweep:
    """Ask for the end of each rental of ours whose label says that it should be gone. Foreign ones stay.

    A rental that is still wanted cannot be told here from one that is not: until its time is over the watcher
    that leads sees to it, or the machine itself.

    Raises:
        Unavailable: the company does not answer; nothing was found out.
    """
    listing = provider.list()
    alive, destroyed = [], []
    problem = "" if listing.complete else listing.problem or "the listing is incomplete"
    for rental in listing.rentals:
        label = own_label(rental.label, owner)
        if label is None:
            continue
        found = LabelledRental(rental, label.expires_at)
        if now <= label.expires_at + _GRACE_S:
            alive.append(found)
            continue
        try:
            provider.destroy(rental.instance)
        except Unavailable as error:
            problem = problem or error.message
            alive.append(found)
        else:
            destroyed.append(found)
    return LabelSweep(tuple(alive), tuple(destroyed), problem)
