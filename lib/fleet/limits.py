"""Finds the limits that forbid renting any machine, and the least that would have to be allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lib.fleet.model import Caps, Policy
from lib.fleet.money import Accounts, Budget, Commitment, cost
from lib.fleet.offer_choice import unfit
from lib.offer import Offer

_NO_LIMIT: Final = 10**15
_SETTINGS: Final = {
    name: f"SPEND_CAP_{name.upper()}" for name in ("machine", "batch", "hour", "day", "month")
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One limit that lets no machine be rented.

    `setting` is its name, "" when the market itself lacks a machine. `needed_micros` is the least at which it
    lets a machine through; `taken_micros` of what is allowed are spent or promised already.
    """

    setting: str
    sentence: str
    allowed_micros: int | None = None
    needed_micros: int | None = None
    taken_micros: int = 0


def obstacles(
    offers: Iterable[Offer], policy: Policy, caps: Caps, accounts: Accounts, *, batch: str = ""
) -> tuple[Obstacle, ...]:
    """All that forbids renting now; () when some machine is allowed.

    Told for the machine that comes nearest to being allowed. With every limit that is named at what it needs,
    that machine can be rented.
    """
    if policy.max_machines < 1:
        sentence = f"MAX_MACHINES is {policy.max_machines}; at least 1 is needed to rent anything"
        return (Obstacle("MAX_MACHINES", sentence),)
    everything = list(offers)
    free = replace(caps, hourly_price=_NO_LIMIT)
    fit = [item for item in everything if unfit(item, policy, free, accounts.now) is None]
    if not fit:
        return (Obstacle("", _nothing_fits(everything, policy, free, accounts.now)),)
    budget = Budget(accounts, caps)
    if any(budget.refusal(least_wish(item, policy, accounts.now, batch)) is None for item in fit):
        return ()
    return tuple(_in_the_way(fit, policy, caps, budget, accounts.now, batch))


def least_wish(offer: Offer, policy: Policy, now: float, batch: str = "") -> Commitment:
    """The shortest time for which a machine is rented at all."""
    return Commitment("", offer.hourly_micros, offer.fee_micros, now + policy.least_life_s, batch)


def _in_the_way(
    fit: Sequence[Offer], policy: Policy, caps: Caps, budget: Budget, now: float, batch: str
) -> Iterator[Obstacle]:
    within = [item for item in fit if item.hourly_micros <= caps.hourly_price]
    offer = min(
        within or fit, key=lambda item: item.fee_micros + cost(item.hourly_micros, policy.least_life_s)
    )
    if not within:
        offer = min(fit, key=lambda item: item.hourly_micros)
        price = offer.hourly_micros
        sentence = (
            f"MAX_DPH is {_exact(caps.hourly_price)} an hour; "
            f"the cheapest machine that fits costs {_exact(price)} an hour"
        )
        yield Obstacle("MAX_DPH", sentence, caps.hourly_price, price)
    for name, cap, taken, more in budget.claims(least_wish(offer, policy, now, batch)):
        if taken + more > cap:
            needed = math.ceil(taken + more)
            spent = f", of which {_exact(math.ceil(taken))} are spent or promised" if taken else ""
            whose = f" for the batch {batch}" if name == "batch" and batch else ""
            sentence = (
                f"{_SETTINGS[name]} is {_exact(cap)}{whose}{spent}; at least {_exact(needed)} is needed, "
                f"as no machine is rented for less than {policy.least_life_s / 60:.0f} minutes"
            )
            yield Obstacle(_SETTINGS[name], sentence, cap, needed, math.ceil(taken))


def _nothing_fits(offers: Sequence[Offer], policy: Policy, caps: Caps, now: float) -> str:
    if not offers:
        return "The market offers no machine"
    reason = unfit(offers[0], policy, caps, now)
    return f"None of {len(offers)} machines on the market fits the work (the first: {reason})"


def _exact(micros: int) -> str:
    """Dollars with four digits, rounded up: whoever allows as much as is written allows enough."""
    return f"${math.ceil(micros / 100) / 10_000:.4f}"
