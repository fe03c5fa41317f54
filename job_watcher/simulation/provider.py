"""The simulated provider: calls may get lost, listings may lie, and each call is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from job_watcher.simulation.conditions import Conditions
from job_watcher.simulation.fault_schedule import Fault
from lib.fleet import PAYING, State
from lib.machines.labels import own_label
from lib.offer import Offer
from lib.providers.rental import (
    BillLine,
    HalfRented,
    Listing,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rental,
)

_VISIBLE_S = 150.0  # after this every listing that is honest shows a rental
_BELIEVED = frozenset({State.RENTED.value, State.READY.value, State.DRAINING.value})


class SimulatedProvider:
    """`RentalProvider` as one process of a watcher sees it."""

    def __init__(self, world: Conditions, watcher: int, me: str, most: int) -> None:
        self.name = "simulated"
        self._most = most
        self._world, self._watcher, self._me = world, watcher, me
        self._bad_list: str | None = "no listing was read"

    # --- the port ------------------------------------------------------------------------------------------

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        """What is free now."""
        self._begin("offers")
        return self._world.market.offers(interruptible=interruptible)

    def rent(self, offer: Offer, *, label: str, expires_at: float) -> str:
        """Rent, or not, and say so, or not."""
        self._check_rent(label)
        self._begin("rent")
        world, market = self._world, self._world.market
        if world.hit(Fault.HALF_RENT):
            lot = market.rent(offer, label, expires_at, stopped=True)
            raise HalfRented("The bid is too low.", lot.instance)
        if world.hit(Fault.PRICES) and world.chance.random() < 0.3:
            raise NoOffer(f"{offer.id} was taken by somebody else.")
        if world.hit(Fault.LATE_RENT):
            world.later(world.chance.uniform(60, 600), lambda: self._rent_late(offer, label, expires_at))
            raise OutcomeUnknown("504 Gateway Timeout")
        lot = market.rent(offer, label, expires_at)
        self._end("rent")
        return lot.instance

    def _rent_late(self, offer: Offer, label: str, expires_at: float) -> None:
        """The call lay in a queue of the company's, and nobody waits for its answer any more."""
        with contextlib.suppress(NoOffer, ProviderError):
            lot = self._world.market.rent(offer, label, expires_at)
            lot.late = True
            self._world.tell("", "late", f"{lot.instance} was made long after the call")

    def list(self) -> Listing:
        """The account's rentals, if all goes well."""
        self._bad_list = "the listing failed"
        self._begin("list")
        world = self._world
        rows = world.market.listing()
        if Fault.LIST_BROKEN in world.active:
            raise ProviderError("The listing cannot be read.")
        if Fault.LIST_PARTIAL in world.active:
            self._bad_list = "pages were missing"
            return Listing(rows[: len(rows) // 2], False, "3 rows of 7")
        if Fault.LIST_EMPTY in world.active:
            rows = []
        elif world.hit(Fault.LIST_SHORT):
            rows = [row for row in rows if world.chance.random() < 0.5]
        self._bad_list = self._contradiction(rows)
        self._end("list")
        return Listing(rows, True)

    def show(self, instance: str) -> Rental | None:
        """One rental."""
        self._begin("show")
        return self._world.market.show(instance)

    def destroy(self, instance: str) -> None:
        """End a rental."""
        lot = self._world.market.lots.get(instance)
        if lot is not None and own_label(lot.label, self._world.owner) is None:
            self._world.wrong(f"{self._me} destroyed {instance}, which is somebody else's")
        self._begin("destroy")
        self._world.market.destroy(instance)
        self._end("destroy")

    def credit_micros(self) -> int:
        """What is left."""
        self._begin("credit")
        return self._world.market.credit_micros

    def bill(self, since: float) -> Sequence[BillLine]:
        """Hourly totals."""
        self._begin("bill")
        return self._world.market.bill(since)

    def billed_until(self, now: float) -> float:
        """Its bill is never behind."""
        return now

    # --- the network ---------------------------------------------------------------------------------------

    def _begin(self, call: str) -> None:
        world, lock = self._world, self._world.lock
        if lock.owner != self._me or world.now >= lock.until:
            world.wrong(f"{self._me} called provider.{call} without the lock")
        world.reached(self._watcher, f"provider.{call} before")
        world.market.advance(world.now)
        if world.hit(Fault.RATE_LIMIT):
            raise RateLimited("API requests too frequent.")
        if world.hit(Fault.REFUSING):
            raise ProviderError("502 Bad Gateway")
        if world.hit(Fault.LOST_CALL):
            raise OutcomeUnknown("No answer within 30 s.")

    def _end(self, call: str) -> None:
        world = self._world
        world.reached(self._watcher, f"provider.{call} after")
        if world.hit(Fault.LOST_REPLY):
            raise OutcomeUnknown("The connection was reset.")

    # --- what must never happen ----------------------------------------------------------------------------

    def _check_rent(self, text: str) -> None:
        world, label = self._world, own_label(text, self._world.owner)
        if label is None:
            world.wrong(f"{self._me} rented with a label that is not ours: {text!r}")
            return
        world.rents[label.token] = world.rents.get(label.token, 0) + 1
        if world.rents[label.token] > 1:
            world.wrong(f"{self._me} asked twice for {label.token}: a blind retry")
        row = world.ledger.row(label.token)
        if row is None or row.closed_at is not None:
            world.wrong(f"{self._me} rented {label.token} without an intent in the ledger")
        elif row.intent.epoch != world.ledger.last_epoch():
            world.wrong(f"{self._me} rented {label.token} in an epoch that is over")
        paid = sum(row.state in PAYING for row in world.ledger.open_rows())
        if paid > self._most:
            world.wrong(f"{self._me} rented machine number {paid} of {self._most}")
        if self._bad_list is not None:
            world.wrong(f"{self._me} rented while blind: {self._bad_list}")

    def _contradiction(self, rows: Sequence[Rental]) -> str | None:
        """Whether these rows lack a machine that the ledger and the market both know well."""
        world, seen = self._world, {row.instance for row in rows}
        for row in world.ledger.open_rows():
            lot = world.market.lots.get(row.instance or "")
            if lot is None or not lot.alive or row.state not in _BELIEVED:
                continue
            if lot.instance not in seen and world.now - lot.started_at > _VISIBLE_S:
                return f"{row.token} was missing from a listing that said it was complete"
        return None


def foreign(world: Conditions, count: int) -> None:
    """Rentals of other people on the same account, which nobody may touch."""
    for index in range(count):
        offers = world.market.offers(interruptible=False)
        lot = world.market.rent(offers[index], f"training-{index}", world.now + 30 * 86_400)
        lot.offer = replace(lot.offer, fee_micros=0)
