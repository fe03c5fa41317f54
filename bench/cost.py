"""What an hour of finished audio costs in the simulation, beside simpler ways to rent, and at best.

    .venv/bin/python -m bench.cost [--seeds 10] [--day bursty] [--json]

The very loop of the watcher, on a virtual clock, on markets without faults. Each seed is a day of its own;
every way of renting lives through the same days on the same markets: at a moment of the day the same hosts
are there at the same prices, and each starts and works as it would for any other, whoever asks, when, how
often and in what order. Dollars are all that the market bills within 24 hours of the first job. Nobody can be
cheaper than the clairvoyant: where somebody is, the comparison is wrong, and this ends with status 1.

- *always on*: the machine that ours rents first, from then until the day's end.
- *one a job*: each job by itself, when it comes: a machine is rented for it and given back after it. What the
  jobs before it have rented and not given back yet it cannot have; what they measured it knows.
- *ten minutes*: as ours, but an idle machine is always kept for ten minutes.
- *clairvoyant*: who knows the whole day; `bench/clairvoyant.py` says what he may.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.clairvoyant import Errand, known_hosts, least_micros
from job_watcher.simulation.market import STANDING_SHARE, Lot, Stay, Taste
from job_watcher.simulation.world import Scenario, World
from lib.fleet import Caps, Policy, Speeds
from lib.fleet.model import HOUR
from lib.jobspec import JobSpec, normalize_job_spec
from lib.units import MICROS

DAY_S = 86_400.0
GOAL = 1.3
#: So wide that no way of renting is held back by them.
CAPS = Caps(hour=100 * MICROS, day=1_000 * MICROS, month=9_000 * MICROS, machine=500 * MICROS)
OURS = Policy()
_TEN_MINUTES = replace(OURS, idle_hold_s=600.0)
_ONE_A_JOB = replace(OURS, max_machines=1, idle_hold_s=0.0)
SPECS = tuple(
    normalize_job_spec({"output_name": f"day/part-{index:03d}", "speaker": "Ryan", "text": "A part."})
    for index in range(400)
)


@dataclass(frozen=True, slots=True)
class Day:
    """Jobs with their moments in seconds from the start; `audio_s` by request id."""

    arrivals: Sequence[tuple[float, Sequence[JobSpec]]]
    audio_s: Mapping[str, float]

    def hours(self) -> float:
        """Hours of audio."""
        return sum(self.audio_s[job.request_id] for _, jobs in self.arrivals for job in jobs) / HOUR


def bursty(chance: random.Random) -> Day:
    """Five batches at any time of the day, each of 8 to 24 parts of two to six minutes."""
    moments = [0.0, *sorted(chance.uniform(0, 20 * HOUR) for _ in range(4))]
    return _day(chance, [(at, chance.randint(8, 24)) for at in moments], 120.0, 360.0)


def steady(chance: random.Random) -> Day:
    """A part of two to six minutes every ten minutes, for twenty hours, give or take two minutes."""
    return _day(chance, [(600.0 * index + chance.uniform(0, 240), 1) for index in range(120)], 120.0, 360.0)


def single(chance: random.Random) -> Day:
    """One episode of twenty to forty minutes, in one job."""
    return _day(chance, [(0.0, 1)], 1200.0, 2400.0)


DAYS: Mapping[str, Callable[[random.Random], Day]] = {
    "bursty": bursty,
    "steady": steady,
    "single job": single,
}


def _day(chance: random.Random, heaps: Sequence[tuple[float, int]], least_s: float, most_s: float) -> Day:
    jobs = iter(SPECS)
    arrivals = [(at, [next(jobs) for _ in range(count)]) for at, count in heaps]
    lengths = {job.request_id: chance.uniform(least_s, most_s) for _, several in arrivals for job in several}
    return Day(arrivals, lengths)


def taste_of(day: Day, others: Sequence[Stay] = ()) -> Taste:
    """A market of two dozen hosts that keep what they promise."""
    return Taste(audio_s=day.audio_s, base_speed=OURS.speed, by_itself=True, others=others)


def _scenario(day: Day, policy: Policy) -> Scenario:
    return Scenario(
        day.arrivals, taste_of(day), policy, CAPS, limit_s=DAY_S, credit_micros=10**10, attentive=True
    )


def _lived(scenario: Scenario, seed: int) -> World:
    world = World(scenario, seed)
    world.run()
    snapshot = world.conditions.queue.snapshot()
    if snapshot.outstanding or snapshot.failed or world.conditions.violations:
        raise RuntimeError(
            f"seed {seed}: not all was done well: {snapshot} {world.conditions.violations[:1]}"
        )
    return world


def _billed(world: World, opened: float) -> float:
    end = int(opened + DAY_S) // HOUR
    bills = [lot.bills for lot in world.conditions.market.lots.values()]
    return sum(micros for bill in bills for (_, hour), micros in bill.items() if hour < end)


def lived(day: Day, seed: int, policy: Policy) -> float:
    """Micro-dollars that the market billed for the day under this policy."""
    world = _lived(_scenario(day, policy), seed)
    return _billed(world, world.start)


def _always_on(day: Day, seed: int) -> float:
    first = Day([(0.0, day.arrivals[0][1])], day.audio_s)
    world = _lived(_scenario(first, OURS), seed)
    lot = next(iter(world.conditions.market.lots.values()))
    boot_s = lot.runs_at - lot.started_at
    runs_s = world.start + DAY_S - lot.runs_at
    return lot.offer.fee_micros + lot.hourly_micros * (STANDING_SHARE * boot_s + runs_s) / HOUR


def one_a_job(day: Day, seed: int) -> float:
    """The same of whoever rents a machine for each job."""
    paid, stays, speeds = 0.0, list[Stay](), Speeds()
    opened = Scenario(arrivals=[]).start
    for at, job in ((at, job) for at, jobs in day.arrivals for job in jobs):
        alone = replace(
            _scenario(Day([(0.0, [job])], day.audio_s), _ONE_A_JOB),
            taste=taste_of(day, stays),
            start=opened + at,
            opened=opened,
            speeds=speeds,
        )
        world = _lived(alone, seed)
        paid += _billed(world, opened)
        stays += [_stay(lot) for lot in world.conditions.market.lots.values()]
    return paid


def _stay(lot: Lot) -> Stay:
    assert lot.destroyed_at is not None, "a day ends without machines"
    return Stay(lot.offer.machine_id, lot.started_at, lot.destroyed_at)


def clairvoyant(day: Day, seed: int) -> float:
    """The same of him who knew it."""
    start = Scenario(arrivals=[]).start
    errands = [Errand(start + at, day.audio_s[job.request_id]) for at, jobs in day.arrivals for job in jobs]
    return least_micros(errands, known_hosts(taste_of(day), seed, OURS, CAPS, start, start + DAY_S))


WAYS: Mapping[str, Callable[[Day, int], float]] = {
    "ours": lambda day, seed: lived(day, seed, OURS),
    "always on": _always_on,
    "one a job": one_a_job,
    "ten minutes": lambda day, seed: lived(day, seed, _TEN_MINUTES),
    "clairvoyant": clairvoyant,
}


def measure(kind: str, seeds: int) -> dict[str, Any]:
    """Dollars for an hour of audio by way of renting, medians; and ours by the clairvoyant's."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        day = DAYS[kind](random.Random(f"{kind} {seed}"))
        for way, cost in WAYS.items():
            found[way].append(cost(day, seed) / MICROS / day.hours())
    ours, known = found["ours"], found["clairvoyant"]
    ratios = [mine / best for mine, best in zip(ours, known, strict=True)]
    lowest = sum(
        all(found[way][seed] >= ours[seed] for way in WAYS if way != "clairvoyant") for seed in range(seeds)
    )
    return {
        "day": kind,
        "seeds": seeds,
        "usd_per_audio_hour": {way: round(statistics.median(each), 5) for way, each in found.items()},
        "of_clairvoyant": round(statistics.median(ratios), 3),
        "of_clairvoyant_worst": round(max(ratios), 3),
        "lowest_on": lowest,
        "below_clairvoyant": sorted(
            way
            for way, each in found.items()
            if any(one < best for one, best in zip(each, known, strict=True))
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--day", choices=[*DAYS])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    fair = True
    for kind in [args.day] if args.day else DAYS:
        found = measure(kind, args.seeds)
        fair = fair and not found["below_clairvoyant"]
        if args.json:
            print(json.dumps(found), flush=True)
            continue
        money = "  ".join(f"{way} {usd:.4f}" for way, usd in found["usd_per_audio_hour"].items())
        print(f"{kind:10}  $ an audio hour: {money}")
        ratio, worst = found["of_clairvoyant"], found["of_clairvoyant_worst"]
        print(
            f"{'':10}  ours by the clairvoyant's {ratio:.2f}, worst {worst:.2f} (goal {GOAL});"
            f" lowest of all on {found['lowest_on']} of {found['seeds']} days"
        )
        for way in found["below_clairvoyant"]:
            print(f"{'':10}  not fair: {way} was cheaper than the clairvoyant on some day")
    sys.exit(0 if fair else 1)


if __name__ == "__main__":
    main()
