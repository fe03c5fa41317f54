"""How long the fleet's decisions take: an idle pass, a great many machines, a whole simulated day.

    .venv/bin/python bench/fleet.py [--rounds 5] [--json]

Medians of the rounds, milliseconds. The decision over 1,000 machines and 100,000 waiting jobs is the whole of
it: a verdict on each machine, 64 offers ranked, one chosen, and the longest life found that the caps allow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from job_watcher.simulation.checks import broken_promises
from job_watcher.simulation.market import Taste
from job_watcher.simulation.world import Scenario, World
from lib.fleet import Caps, Demand, Machine, Offer, Policy, Seen, Speeds, State, best, blind, ranked, verdict
from lib.fleet.money import Accounts, Budget, Commitment
from lib.fleet.scaling import wants_another
from lib.jobspec import JobSpec, normalize_job_spec
from lib.units import MICROS

NOW = 1_790_067_600.0
GOALS = {"idle_pass_ms": 5.0, "decision_ms": 200.0, "day_ms": 200.0}


def idle_pass() -> Callable[[], object]:
    """A pass of the leader with an empty queue and no machine."""
    world = World(Scenario(arrivals=[]), 1)
    process = world.processes[0]
    process.start()
    process.reconciler.step()

    def run() -> object:
        world.conditions.now += 30.0
        return process.reconciler.step()

    return run


def decision(machines: int = 1_000, jobs: int = 100_000) -> Callable[[], object]:
    """Everything that is decided in one pass over a large fleet."""
    policy = Policy(max_machines=machines * 2)
    caps = Caps(hour=2_000 * MICROS, day=20_000 * MICROS, month=300_000 * MICROS)
    fleet = [
        Machine(
            token=f"t{index}",
            state=State.READY,
            since=NOW - 600,
            instance=f"i{index}",
            gpu="RTX 3090",
            machine_id=f"m{index}",
            hourly_micros=200_000,
            expires_at=NOW + 3 * 3600 + index,
            created_at=NOW - 900,
            seen=Seen.RUNNING,
            answered_at=NOW,
            busy=2,
        )
        for index in range(machines)
    ]
    offers = [
        Offer(f"o{index}", f"x{index}", f"h{index}", "RTX 4090", 300_000 + 1_000 * index, cuda=12.8)
        for index in range(64)
    ]
    demand = Demand(waiting=jobs, running=2 * machines, audio_s_per_job=600.0)
    promised = tuple(Commitment(item.token, item.hourly_micros, 0, item.expires_at) for item in fleet)
    spent = {int(NOW) // 3600 - hour: 150 * MICROS for hour in range(24 * 20)}
    accounts = Accounts(NOW, promised, spent)
    speeds = Speeds()

    def run() -> object:
        found = [verdict(item, demand, policy, now=NOW, hold=300.0) for item in fleet]
        assert blind(fleet, None, policy, NOW) is None
        chosen = best(ranked(offers, demand, policy, caps, speeds, {}, now=NOW))
        assert chosen is not None
        assert wants_another(demand, fleet, chosen.offer, policy, speeds) is None  # it would save seconds
        wish = Commitment("", chosen.offer.hourly_micros, 0, NOW + 8 * 3600)
        return found, Budget(accounts, caps).affordable_life(wish, policy.least_life_s)

    return run


def jobs_of(count: int) -> list[JobSpec]:
    """Short narrations, about half a minute each."""
    text = "A sentence that is spoken on a machine far away. " * 9
    return [
        normalize_job_spec({"output_name": f"day/beat-{index:04d}", "speaker": "Ryan", "text": text})
        for index in range(count)
    ]


def day(specs: list[JobSpec]) -> Callable[[], object]:
    """A day with work in the morning, at noon and in the evening, on one watcher."""
    arrivals = [(hours * 3600.0, specs[index::3]) for index, hours in enumerate((1, 5, 11))]

    def run() -> object:
        world = World(Scenario(arrivals=arrivals, taste=Taste(base_speed=4.0), policy=Policy(speed=4.0)), 3)
        world.run()
        world.idle_until(86_400.0)
        assert world.conditions.queue.snapshot().done == len(specs)
        assert not broken_promises(world)
        return world

    return run


def median_ms(action: Callable[[], object], rounds: int) -> float:
    """Milliseconds, the median; one round before it does not count."""
    action()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 3)


def measure(rounds: int) -> dict[str, Any]:
    """All three, with their goals."""
    found = {
        "idle_pass_ms": median_ms(idle_pass(), rounds * 20),
        "decision_ms": median_ms(decision(), rounds),
        "day_ms": median_ms(day(jobs_of(60)), rounds),
    }
    return {"rounds": rounds, **found, "goals": GOALS, "met": all(found[key] < GOALS[key] for key in GOALS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.rounds)
    if args.json:
        print(json.dumps(found))
        return
    print(f"a pass with nothing to do                 {found['idle_pass_ms']:8.2f} ms  (goal 5)")
    print(f"1,000 machines, 100,000 waiting jobs      {found['decision_ms']:8.2f} ms  (goal 200)")
    print(f"a simulated day of 60 jobs                {found['day_ms']:8.2f} ms  (goal 200)")


if __name__ == "__main__":
    main()
