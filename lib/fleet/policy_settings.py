"""From the settings that bound renting to policy and caps, for who rents and for who only reckons a price."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from lib.fleet.model import Caps, Policy
from lib.units import MICROS


class RentalTerms(Protocol):
    """The settings that bound renting, under their own names; money in dollars."""

    @property
    def max_machines(self) -> int:
        """Rented machines at most."""
        ...

    @property
    def max_dph(self) -> Decimal:
        """Dollars an hour for one machine."""
        ...

    @property
    def idle_hold_seconds(self) -> int | None:
        """How long an idle machine is kept; None: by cost."""
        ...

    @property
    def spend_cap_hour(self) -> Decimal:
        """Dollars in an hour of the UTC calendar."""
        ...

    @property
    def spend_cap_day(self) -> Decimal:
        """Dollars in a day."""
        ...

    @property
    def spend_cap_month(self) -> Decimal:
        """Dollars in a month."""
        ...

    @property
    def spend_cap_machine(self) -> Decimal:
        """Dollars for one rental."""
        ...

    @property
    def spend_cap_batch(self) -> Decimal | None:
        """Dollars for one batch of jobs; None: no limit."""
        ...

    @property
    def credit_floor(self) -> Decimal:
        """Dollars of credit below which nothing is rented."""
        ...


def policy_of(terms: RentalTerms) -> Policy:
    """How the fleet behaves under these settings."""
    hold = terms.idle_hold_seconds
    return Policy(max_machines=terms.max_machines, idle_hold_s=None if hold is None else float(hold))


def caps_of(terms: RentalTerms) -> Caps:
    """The most that may be spent under these settings; parts of a micro-dollar are left off."""
    return Caps(
        hour=_micros(terms.spend_cap_hour),
        day=_micros(terms.spend_cap_day),
        month=_micros(terms.spend_cap_month),
        machine=_micros(terms.spend_cap_machine),
        batch=None if terms.spend_cap_batch is None else _micros(terms.spend_cap_batch),
        hourly_price=_micros(terms.max_dph),
        credit_floor=_micros(terms.credit_floor),
    )


def _micros(dollars: Decimal) -> int:
    return int(dollars * MICROS)
