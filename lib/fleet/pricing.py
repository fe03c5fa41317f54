"""What a batch would cost, before anything is rented: expected and worst, by the fleet's own rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.fleet.model import HOUR, Caps, Demand, Host, Offer, Policy
from lib.fleet.money import cost
from lib.fleet.offers import best, ranked
from lib.fleet.scaling import cold_start_s, hold_s, needed_life_s
from lib.fleet.speeds import Speeds

#: In the worst case that we plan for, machines are this much slower and each of them is lost once.
_SLOWER = 2.0


@dataclass(frozen=True, slots=True)
class Price:
    """What a batch costs, micro-dollars, and when it is done, seconds from now."""

    machines: int
    gpu: str
    hourly_micros: int
    expected_micros: int
    worst_micros: int
    expected_finish_s: float
    worst_finish_s: float
    cost_per_audio_minute_micros: int
    why: str


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
    """Price `demand` on the best of `offers`; None when no offer is fit or there is nothing to do.

    Expected: every machine starts once, works its share, is held idle and ends. Worst: machines run at half
    their speed, each is lost once half way, and its start is paid again; never more than the caps allow.
    """
    chosen = best(ranked(offers, demand, policy, caps, speeds, hosts, now=now))
    if chosen is None or not demand.jobs:
        return None
    offer, speed = chosen.offer, chosen.speed
    cold = cold_start_s(offer, policy, speeds)
    count = _machines(demand, speed, cold, policy, caps, offer)
    share = demand.audio_s / speed / count
    hold = hold_s(offer.hourly_micros, offer.fee_micros, cold, policy)
    expected = count * (cost(offer.hourly_micros, cold + share + hold) + offer.fee_micros)
    slow = 2 * cold + 1.5 * _SLOWER * share + hold
    allowed = needed_life_s(demand, offer, count, policy, speeds)
    worst = count * (cost(offer.hourly_micros, max(slow, allowed)) + 2 * offer.fee_micros)
    worst = max(expected, min(worst, _most(caps, slow)))
    return Price(
        machines=count,
        gpu=offer.gpu,
        hourly_micros=offer.hourly_micros,
        expected_micros=expected,
        worst_micros=worst,
        expected_finish_s=cold + share,
        worst_finish_s=slow - hold,
        cost_per_audio_minute_micros=int(expected / max(1 / 60, demand.audio_s / 60)),
        why=f"{offer.gpu} makes {speed:.1f} s of audio a second at {offer.hourly_micros / 1e6:.3f} $/h",
    )


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


def _most(caps: Caps, seconds: float) -> int:
    """What the caps allow in that time at all."""
    by_hour = caps.hour * math.ceil(seconds / HOUR + 1)
    by_day = caps.day * math.ceil(seconds / 86_400 + 1)
    limits = [by_hour, by_day, caps.month]
    return min(limits if caps.batch is None else [*limits, caps.batch])
