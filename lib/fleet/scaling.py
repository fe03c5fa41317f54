"""Decides how many machines to have, and how long an idle one is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lib.fleet.capacity import jobs_to_hold, throughput
from lib.fleet.idle_gaps import IdleGaps
from lib.fleet.lifecycle import PAYING, State
from lib.fleet.model import Demand, Machine, Policy
from lib.fleet.speeds import Speeds
from lib.offer import Offer

#: States that bring or will bring work done. An unknown one counts: it may be on its way.
COMING: Final = frozenset({State.PLANNED, State.UNKNOWN, State.RENTED, State.READY})


def paid_for(machines: Iterable[Machine]) -> int:
    """How many count against the most allowed: a machine that leaves is paid for until it is gone."""
    return sum(item.state in PAYING for item in machines)


def cold_start_s(offer: Offer, policy: Policy, speeds: Speeds) -> float:
    """Seconds from rent to the first job there: start, and downloads at the offer's network speed."""
    guess = policy.boot_s + policy.download_gb * 8_000 / max(1.0, offer.down_mbps)
    return speeds.cold_start(offer.gpu, guess)


def start_as_time_s(
    hourly_micros: int, fee_micros: int, cold_s: float, running_s: float, policy: Policy
) -> float:
    """What a start costs, as seconds at the machine's price.

    Until it runs only its disk is paid; from then on all of it, and its downloads beside.
    """
    running_s = min(cold_s, running_s)
    fee_as_time = fee_micros * 3600 / max(1, hourly_micros)
    return running_s + policy.standing_share * (cold_s - running_s) + fee_as_time


def hold_s(start_s: float, policy: Policy, gaps: IdleGaps | None = None, *, coming: bool = False) -> float:
    """How long an idle machine is worth keeping, where a start costs as much as `start_s` of waiting.

    Ski rental: whoever pays rent until the rent equals the purchase never pays more than twice the best
    that somebody who knows the future could do. With `gaps`, less where no work is `coming` that is known of,
    or where it never came back so soon.
    """
    if policy.idle_hold_s is not None:
        return policy.idle_hold_s
    worth_s = min(policy.longest_hold_s, start_s)
    return worth_s if gaps is None else gaps.hold_s(worth_s, coming=coming)


def start_of_s(offer: Offer, policy: Policy, speeds: Speeds) -> float:
    """What a start there costs, as seconds at its price."""
    cold = cold_start_s(offer, policy, speeds)
    running = speeds.running.get(offer.gpu, policy.running_start_s)
    return start_as_time_s(offer.hourly_micros, offer.fee_micros, cold, running, policy)


def finish_s(demand: Demand, machines: Iterable[Machine], policy: Policy, speeds: Speeds) -> float | None:
    """Seconds until the backlog is done by the machines that work or are coming; None without any."""
    total = sum(
        throughput(demand, speeds.of(demand.engine, item.gpu, 1.0, policy.speed), policy)
        for item in machines
        if item.state in COMING
    )
    return demand.audio_s / total if total else None


def wants_another(
    demand: Demand, machines: Iterable[Machine], offer: Offer, policy: Policy, speeds: Speeds
) -> str | None:
    """Why one more machine like `offer` should be rented; None when it should not.

    The first is wanted for any work at all. A further one only when the backlog would outlast the target,
    there are jobs enough to share, and it brings the end nearer by at least its own cold start: otherwise
    we would pay for a start that nobody notices.
    """
    have = list(machines)
    if not demand.waiting or paid_for(have) >= policy.max_machines:
        return None
    coming = [item for item in have if item.state in COMING]
    now_s = finish_s(demand, coming, policy, speeds)
    if now_s is None:
        return f"{demand.jobs} jobs and no machine"
    speed = speeds.of(demand.engine, offer.gpu, offer.perf, policy.speed)
    room = len(coming) * jobs_to_hold(demand, speed, policy)
    if now_s <= policy.drain_target_s or demand.waiting <= room:
        return None
    cold = cold_start_s(offer, policy, speeds)
    own = throughput(demand, speed, policy)
    rate = demand.audio_s / now_s
    then_s = (demand.audio_s + own * cold) / (rate + own)
    if now_s - then_s < cold:
        return None
    return f"the backlog would take {now_s / 60:.0f} min; with one more {then_s / 60:.0f} min"


def needed_life_s(demand: Demand, offer: Offer, sharing: int, policy: Policy, speeds: Speeds) -> float:
    """How long a machine is asked for: its start, twice its share of the work, its hold and its end."""
    cold = cold_start_s(offer, policy, speeds)
    own = throughput(demand, speeds.of(demand.engine, offer.gpu, offer.perf, policy.speed), policy)
    work = demand.audio_s / own / max(1, sharing)
    hold = hold_s(start_of_s(offer, policy, speeds), policy)
    settle = max(policy.settle_s, 3 * demand.audio_s_per_job / own)
    wanted = cold + 2 * work + hold + settle
    return min(policy.max_life_s, max(policy.usual_life_s, wanted))
