"""What a batch would cost, before anything is rented: expected and worst, by the fleet's own rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from lib.fleet.idle_gaps import IdleGaps
from lib.fleet.limits import least_wish
from lib.fleet.model import HOUR, Caps, Demand, Host, Policy
from lib.fleet.money import MARGIN, Accounts, Budget, cost
from lib.fleet.offer_choice import best, ranked
from lib.fleet.scaling import cold_start_s, hold_s, needed_life_s, start_of_s
from lib.fleet.speeds import Speeds
from lib.offer import Offer
from lib.units import MICROS

#: In the worst case that we plan for, machines are half as fast and each of them is lost once, half way.
_WORST: Final = 2.0 * 1.5
_DAY: Final = 24 * HOUR
_MONTH: Final = 30 * _DAY


class Stop(NamedTuple):
    """A cap that is used up before the batch is finished; micro-dollars."""

    setting: str
    allowed_micros: int
    needed_micros: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a batch costs, micro-dollars, and when it is done, seconds from now.

    Where the batch's cap ends it, the cost is that cap. A cap of the calendar only delays: the cost is the
    whole, and it goes on in the next window. `stopped` and `stopped_at_worst` say which cap it was.
    """

    machines: int
    gpu: str
    hourly_micros: int
    expected_micros: int
    worst_micros: int
    expected_finish_s: float
    worst_finish_s: float
    why: str
    stopped: Stop | None = None
    stopped_at_worst: Stop | None = None


def price_batch(
    offers: Sequence[Offer],
    demand: Demand,
    *,
    policy: Policy,
    caps: Caps,
    speeds: Speeds,
    hosts: Mapping[str, Host],
    now: float,
) -> Price | None:
    """Price `demand` on the best of `offers`; None when none is fit and allowed, or there is nothing to do.

    Expected: every machine starts once for each of its lives, works its share and ends, for no gap says that
    more work comes; where a person set a hold, it is held. Worst: machines run at half their speed, each is
    lost once half way, its start is paid again, and it is held idle.
    """
    if not demand.jobs or policy.max_machines < 1:
        return None
    payable = _payable(offers, policy, caps, now)
    chosen = best(ranked(payable, demand, policy, caps, speeds, hosts, now=now))
    if chosen is None:
        return None
    offer, speed = chosen.offer, chosen.speed
    cold = cold_start_s(offer, policy, speeds)
    count = _machines(demand, speed, cold, policy, caps, offer)
    share = demand.audio_s / speed / count
    start = start_of_s(offer, policy, speeds)  # with its fee; while it boots it is only a disk
    held, hold = hold_s(start, policy, IdleGaps()), hold_s(start, policy)
    useful = max(60.0, _life_s(offer, policy, caps) - cold - policy.settle_s)
    starts = max(1, math.ceil(share / useful))
    whole_s = starts * cold + share + held
    whole = count * cost(offer.hourly_micros, starts * start + share + held)
    most_starts = 1 + max(1, math.ceil(_WORST * share / useful))
    slow_s = most_starts * cold + _WORST * share + hold
    paid_s = max(slow_s, needed_life_s(demand, offer, count, policy, speeds))
    worst = min(_bill(offer, count, paid_s, most_starts), count * most_starts * caps.machine)
    expected, stopped = _stop(caps, whole_s, whole)
    worst, stopped_at_worst = _stop(caps, paid_s, max(whole, worst))
    return Price(
        machines=count,
        gpu=offer.gpu,
        hourly_micros=offer.hourly_micros,
        expected_micros=min(expected, worst),
        worst_micros=worst,
        expected_finish_s=whole_s - held,
        worst_finish_s=slow_s - hold,
        why=f"{offer.gpu} makes {speed:.1f} s of audio a second at {offer.hourly_micros / MICROS:.3f} $/h",
        stopped=stopped,
        stopped_at_worst=stopped_at_worst,
    )


def _payable(offers: Sequence[Offer], policy: Policy, caps: Caps, now: float) -> list[Offer]:
    """Those that the caps can pay for at all: a dear one must not hide a cheaper one."""
    budget = Budget(Accounts(now), caps)
    return [item for item in offers if budget.refusal(least_wish(item, policy, now)) is None]


def _bill(offer: Offer, count: int, seconds: float, starts: int) -> int:
    """What so many machines cost, each for so long and started so often."""
    return count * (cost(offer.hourly_micros, seconds) + starts * offer.fee_micros)


def _life_s(offer: Offer, policy: Policy, caps: Caps) -> float:
    """How long one machine may live at most, by its cap and the policy; another one follows it."""
    affordable = (caps.machine / MARGIN - offer.fee_micros) * HOUR / max(1, offer.hourly_micros)
    return min(policy.max_life_s, affordable)


def _machines(demand: Demand, speed: float, cold: float, policy: Policy, caps: Caps, offer: Offer) -> int:
    """As many as the fleet would rent one after another: each must save its own cold start."""
    most = min(policy.max_machines, caps.hour // max(1, offer.hourly_micros), demand.jobs)
    count = 1
    while count < most:
        before = demand.audio_s / (count * speed)
        after = (demand.audio_s + speed * cold) / ((count + 1) * speed)
        if before <= policy.drain_target_s or before - after < cold:
            break
        count += 1
    return count


def _stop(caps: Caps, seconds: float, micros: int) -> tuple[int, Stop | None]:
    """What is spent of so much, and the cap that ends or delays it; None when all have room in that time."""
    if caps.batch is not None and micros > caps.batch:
        return caps.batch, Stop("SPEND_CAP_BATCH", caps.batch, micros)
    setting, allowed = min(_room(caps, seconds), key=lambda item: item[1])
    return micros, Stop(setting, allowed, micros) if micros > allowed else None


def _room(caps: Caps, seconds: float) -> Iterator[tuple[str, int]]:
    """What each cap of the calendar allows in that time, its edges left out."""
    for name, cap, length in (
        ("HOUR", caps.hour, HOUR),
        ("DAY", caps.day, _DAY),
        ("MONTH", caps.month, _MONTH),
    ):
        yield f"SPEND_CAP_{name}", cap * max(1, math.ceil(seconds / length))
