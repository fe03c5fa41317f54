"""What the cheapest renting would have cost for somebody who knew the whole day: computed afterwards.

He knows when each job comes and how long its audio is, every host that is in the market, when it comes and
leaves, its price, its fee, how long it will take to start and how fast it will turn out to be. He gives a
machine back in the second in which its last job ends, and nothing is lost between two passes. He takes the
jobs in their order, one machine at a time (a second one would add a start and hurry nobody: he has no
target). He never lets a job wait while his machine is free, nor longer for a new one than that takes to
start: without that he would put off the whole day's work to its end. As anybody else he may rent when a job
comes, and find a second one there when the machine has started; a host that leaves before he rents earlier.
Whatever of the market our watcher may not take by its policy he may not take either.

Between two jobs he keeps the machine, and pays for the gap, or lets it go and starts the same or another one
for the next job. That choice, for every gap and with every host that can be had then, is made by dynamic
programming over the jobs: for each host, all pairs of what was paid and when the machine is free that no
other pair beats in both. To be free later is to wait less for the next job.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from job_watcher.simulation.market import STANDING_SHARE, SimulatedMarket, Taste
from lib.fleet import Caps, Policy
from lib.fleet.model import HOUR
from lib.fleet.offer_choice import unfit
from lib.offer import Offer

#: Beyond the seconds of audio by the speed, for each job: what a simulated machine takes to begin it.
JOB_S = 0.5
_STEP_S = 60.0  # the market is looked at so often


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A host as somebody knows it who has seen the day. Times are the world's, money micro-dollars."""

    name: str
    hourly_micros: int
    start_micros: float  # from renting until it answers, downloads too
    speed: float  # seconds of audio a second
    start_s: float
    comes: float
    leaves: float

    def micros_a_second(self) -> float:
        """Micro-dollars for a second in which it runs."""
        return self.hourly_micros / HOUR


@dataclass(frozen=True, slots=True)
class Errand:
    """A job: when it comes, and seconds of audio."""

    at: float
    audio_s: float


def known_hosts(
    taste: Taste, seed: int, policy: Policy, caps: Caps, start: float, until: float
) -> list[KnownHost]:
    """Every machine that could be had between two moments, in the market that a world of this seed has."""
    market = SimulatedMarket(taste, random.Random(seed), start, 0)
    found: dict[str, KnownHost] = {}
    now = start
    while now < until:
        market.advance(now)
        for offer in [*market.offers(interruptible=False), *market.offers(interruptible=True)]:
            if unfit(offer, policy, caps, now) is None:
                comes = found[offer.id].comes if offer.id in found else now if now > start else 0.0
                found[offer.id] = _known(market, offer, comes, now + _STEP_S)
        now += _STEP_S
    return list(found.values())


def _known(market: SimulatedMarket, offer: Offer, comes: float, leaves: float) -> KnownHost:
    boot_s, speed, answers_s = market.draws(offer)
    whole = offer.hourly_micros * (STANDING_SHARE * boot_s + answers_s) / HOUR
    return KnownHost(
        offer.id, offer.hourly_micros, whole + offer.fee_micros, speed, boot_s + answers_s, comes, leaves
    )


#: What was paid so far, and when the machine is free.
_Way = tuple[float, float]


def least_micros(errands: Sequence[Errand], hosts: Sequence[KnownHost]) -> float:
    """Micro-dollars for the cheapest way through the day.

    Raises:
        ValueError: there is a job for which no host can be had.
    """
    ways: dict[int, list[_Way]] = {}
    fresh: list[_Way] = [(0.0, 0.0)]
    for errand in sorted(errands, key=lambda item: item.at):
        reached: dict[int, list[_Way]] = {}
        for index, host in enumerate(hosts):
            work_s = errand.audio_s / host.speed + JOB_S
            found = [_kept(way, errand, host, work_s) for way in ways.get(index, ())]
            price = host.start_micros + work_s * host.micros_a_second()
            for paid, free in fresh:
                begins = _begins(host, max(free, errand.at))
                if begins is not None:
                    found.append((paid + price, begins + work_s))
            if found:
                reached[index] = _unbeaten(found)
        if not reached:
            raise ValueError(f"no host can be had for the job that comes at {errand.at:.0f}")
        ways = reached
        fresh = _unbeaten([way for several in reached.values() for way in several])
    return min(paid for several in ways.values() for paid, _ in several)


def _begins(host: KnownHost, wanted: float) -> float | None:
    """When a host that is rented for it can begin what is wanted at that moment; None: it cannot be had."""
    rented = min(wanted, host.leaves)
    return None if rented < max(host.comes, wanted - host.start_s) else rented + host.start_s


def _kept(way: _Way, errand: Errand, host: KnownHost, work_s: float) -> _Way:
    paid, free = way
    begins = max(free, errand.at)
    return paid + (begins - free + work_s) * host.micros_a_second(), begins + work_s


def _unbeaten(ways: list[_Way]) -> list[_Way]:
    """Those than which no other is both cheaper and free later."""
    kept: list[_Way] = []
    for way in sorted(ways, key=lambda item: (item[0], -item[1])):
        if not kept or way[1] > kept[-1][1]:
            kept.append(way)
    return kept
