"""Chooses the offer whose second of audio is cheapest, all things counted, among those fit for the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lib.fleet.capacity import throughput
from lib.fleet.host_history import objection
from lib.fleet.model import HOUR, Caps, Demand, Host, Policy
from lib.fleet.scaling import start_of_s
from lib.fleet.speeds import Speeds
from lib.offer import Offer

#: Useful work that a cold start is spread over, at least, where nobody knows how much there is.
_SPREAD_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Score:
    """An offer with every term of its price: micro-dollars for an hour of audio."""

    offer: Offer
    speed: float  # what it makes of this work, idle time between passes counted
    time: float  # GPU and disk while it works
    start: float  # its cold start and downloads, spread over its work
    risk: float  # what is lost when it fails, by its reliability and what we remember of it
    objection: str | None = None  # why it cannot be taken

    @property
    def total(self) -> float:
        """What an hour of audio costs there."""
        return self.time + self.start + self.risk


def unfit(offer: Offer, policy: Policy, caps: Caps, now: float) -> str | None:
    """Why a machine cannot do the work at all; None when it can."""
    if offer.hourly_micros > caps.hourly_price:
        return "dearer than the most allowed for one machine"
    if offer.contract_end is not None and offer.contract_end - now < policy.least_life_s:
        return "its contract ends too soon"
    if offer.interruptible and not policy.interruptible:
        return "interruptible"
    least = (
        ("reliability", offer.reliability, policy.least_reliability),
        ("CUDA", offer.cuda, policy.least_cuda),
        ("driver", offer.driver, policy.least_driver),
        ("GPU memory", offer.vram_gb, policy.least_vram_gb),
        ("disk", offer.disk_gb, policy.least_disk_gb),
        ("network", offer.down_mbps, policy.least_down_mbps),
        ("direct ports", offer.direct_ports, int(policy.need_direct_ports)),
    )
    for name, has, needs in least:
        if has < needs:
            return f"{name} {has:g} is under {needs:g}"
    return None if offer.verified else "not verified by the provider"


def score(
    offer: Offer, demand: Demand, policy: Policy, speeds: Speeds, *, work_s: float, trouble: float
) -> Score:
    """Price an hour of audio on this machine if it works for `work_s` seconds.

    An interruptible machine may lose the job at hand at any time, so it is charged for that beside its
    reliability. Trouble that we remember counts as a start that will be lost.
    """
    speed = throughput(demand, speeds.of(demand.engine, offer.gpu, offer.perf, policy.speed), policy)
    start_micros = offer.hourly_micros * start_of_s(offer, policy, speeds) / HOUR
    audio_hours = max(1.0, work_s) * speed / HOUR
    time_micros = offer.hourly_micros / speed
    lost = (1.0 - offer.reliability) + trouble + (0.15 if offer.interruptible else 0.0)
    risk = lost * (start_micros / audio_hours + time_micros)
    return Score(offer, speed, time_micros, start_micros / audio_hours, risk)


def dominates(one: Offer, other: Offer, speed_one: float, speed_other: float) -> bool:
    """Whether `one` is at least as good in everything that counts, and better in something."""
    if one.interruptible and not other.interruptible:
        return False
    if one.hourly_micros > other.hourly_micros:  # as nearly always, without a look at the rest
        return False
    ours = (-one.hourly_micros, -one.fee_micros, speed_one, one.reliability, one.down_mbps, _end(one))
    theirs = (
        -other.hourly_micros,
        -other.fee_micros,
        speed_other,
        other.reliability,
        other.down_mbps,
        _end(other),
    )
    better = one.interruptible != other.interruptible or ours != theirs
    return better and all(mine >= its for mine, its in zip(ours, theirs, strict=True))


def _end(offer: Offer) -> float:
    return float("inf") if offer.contract_end is None else offer.contract_end


def ranked(
    offers: Iterable[Offer],
    demand: Demand,
    policy: Policy,
    caps: Caps,
    speeds: Speeds,
    hosts: Mapping[str, Host],
    *,
    now: float,
    taken: frozenset[str] = frozenset(),
) -> list[Score]:
    """Every offer with its terms, the takeable ones first, best first.

    `taken` are machines that we rent already or just failed to rent: one host is not rented twice at once.
    After two preemptions of the same work only machines that nobody can take away are considered.
    """
    found = [_judged(offer, demand, policy, caps, speeds, hosts, now, taken) for offer in offers]
    fit = [item for item in found if item.objection is None]
    unfit_ones = [item for item in found if item.objection is not None]
    return sorted(fit, key=_order) + sorted(unfit_ones, key=_order)


def _judged(
    offer: Offer,
    demand: Demand,
    policy: Policy,
    caps: Caps,
    speeds: Speeds,
    hosts: Mapping[str, Host],
    now: float,
    taken: frozenset[str],
) -> Score:
    host = hosts.get(offer.machine_id)
    trouble = host.trouble if host else 0.0
    speed = throughput(demand, speeds.of(demand.engine, offer.gpu, offer.perf, policy.speed), policy)
    guessed = not demand.jobs or not demand.measured
    work = min(policy.max_life_s, max(_SPREAD_S if guessed else 0.0, demand.audio_s / speed))
    scored = score(offer, demand, policy, speeds, work_s=work, trouble=trouble)
    why = unfit(offer, policy, caps, now) or objection(host, now)
    if why is None and offer.machine_id in taken:
        why = "tried or rented already"
    if why is None and offer.interruptible and not _may_be_interrupted(demand, policy):
        why = "this work was interrupted too often"
    return Score(offer, scored.speed, scored.time, scored.start, scored.risk, why)


def _may_be_interrupted(demand: Demand, policy: Policy) -> bool:
    return demand.resumable and demand.preemptions < policy.preemptions_until_on_demand


def _order(item: Score) -> tuple[float, str]:
    return item.total, item.offer.id


def best(scores: Sequence[Score]) -> Score | None:
    """The offer to take: the first of `ranked` that no other takeable offer dominates."""
    fit = [item for item in scores if item.objection is None]
    for item in fit:
        if not any(dominates(other.offer, item.offer, other.speed, item.speed) for other in fit):
            return item
    return None
