"""What a batch would cost and when it would be done: lived through several times on simulated markets."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from job_watcher.rehearsal.checks import broken_promises
from job_watcher.rehearsal.faults import Fault, Planned
from job_watcher.rehearsal.lives import Life, lives_of, usd
from job_watcher.rehearsal.machine import CHARACTERS_PER_SECOND
from job_watcher.rehearsal.market import Taste
from job_watcher.rehearsal.world import Scenario, World
from lib.fleet import Caps, Policy
from lib.jobqueue import TERMINAL
from lib.jobspec import JobSpec

_ORDINARY_TROUBLE = (
    (Fault.PREEMPTION, 0.35, 900.0),
    (Fault.PRICES, 0.4, 3600.0),
    (Fault.VANISH, 0.1, 0.0),
    (Fault.OFFLINE, 0.1, 600.0),
    (Fault.LOST_REPLY, 0.1, 120.0),
    (Fault.REFUSING, 0.15, 300.0),
    (Fault.CRASH, 0.1, 0.0),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One simulated day."""

    seed: int
    cost_micros: int
    finish_s: float  # from the start to the last job's end; the limit when some never ended
    done: int
    failed: int
    unfinished: int
    machines: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """All days together, and the middle one in detail."""

    jobs: int
    audio_s: float
    outcomes: tuple[Outcome, ...]
    shown: Outcome
    lives: tuple[Life, ...]
    arrivals: tuple[tuple[float, int], ...]

    @property
    def expected_micros(self) -> int:
        """The median cost."""
        return int(statistics.median(item.cost_micros for item in self.outcomes))

    @property
    def worst_micros(self) -> int:
        """The dearest day."""
        return max(item.cost_micros for item in self.outcomes)

    @property
    def expected_finish_s(self) -> float:
        """The median time."""
        return statistics.median(item.finish_s for item in self.outcomes)

    @property
    def worst_finish_s(self) -> float:
        """The longest day."""
        return max(item.finish_s for item in self.outcomes)

    @property
    def per_minute_micros(self) -> int:
        """Expected cost of a minute of audio."""
        return int(self.expected_micros * 60 / max(1.0, self.audio_s))

    def to_json(self) -> dict[str, Any]:
        """The value of `simulate --json`."""
        return {
            "jobs": self.jobs,
            "audio_s": round(self.audio_s, 1),
            "days": len(self.outcomes),
            "expected_cost_usd": usd(self.expected_micros),
            "worst_cost_usd": usd(self.worst_micros),
            "cost_per_audio_minute_usd": usd(self.per_minute_micros),
            "expected_finish_s": round(self.expected_finish_s, 1),
            "worst_finish_s": round(self.worst_finish_s, 1),
            "unfinished_at_worst": max(item.unfinished for item in self.outcomes),
            "failed_at_worst": max(item.failed for item in self.outcomes),
            "shown_day": self.shown.seed,
            "machines": [life.to_json() for life in self.lives],
            "simulated_only": True,
        }


def usual_day(specs: Sequence[JobSpec], seed: int, policy: Policy, caps: Caps) -> Scenario:
    """An ordinary day: a market of two dozen hosts, some of them bad, and a little trouble on the way."""
    chance = random.Random(seed)
    trouble = [
        Planned(kind, at=chance.uniform(60, 3600), seconds=seconds, step="ledger.change after")
        for kind, likely, seconds in _ORDINARY_TROUBLE
        if seed and chance.random() < likely
    ]
    return Scenario(
        arrivals=[(0.0, specs)],
        taste=Taste(bad_hosts=0.12 if seed else 0.0, base_speed=policy.speed),
        policy=policy,
        caps=caps,
        faults=sorted(trouble, key=lambda item: item.at),
        limit_s=3 * 86_400.0,
    )


def audio_of(specs: Sequence[JobSpec]) -> float:
    """Seconds of audio that the jobs make, by the length of their texts."""
    return sum(max(1.0, len(spec.text) / CHARACTERS_PER_SECOND) * spec.variants for spec in specs)


def estimate(specs: Sequence[JobSpec], *, days: int, policy: Policy, caps: Caps) -> Estimate:
    """Live through `days` days, from 1, each with its own market; the one of median cost is told."""
    worlds = []
    for seed in range(days):
        world = World(usual_day(specs, seed, policy, caps), seed)
        world.run()
        worlds.append((_outcome(world, seed), world))
    worlds.sort(key=lambda item: (item[0].cost_micros, item[0].seed))
    shown, told = worlds[len(worlds) // 2]
    return Estimate(
        jobs=len(specs),
        audio_s=audio_of(specs),
        outcomes=tuple(outcome for outcome, _ in worlds),
        shown=shown,
        lives=tuple(lives_of(told)),
        arrivals=((0.0, len(specs)),),
    )


def _outcome(world: World, seed: int) -> Outcome:
    snapshot = world.conditions.queue.snapshot()
    history = world.conditions.queue.history(limit=max(1, snapshot.done + snapshot.failed))
    ends = [item.finished_at for item in history if item.state in TERMINAL]
    unfinished = snapshot.outstanding
    finish = world.scenario.limit_s if unfinished else max(ends, default=world.start) - world.start
    lives = lives_of(world)
    return Outcome(
        seed=seed,
        cost_micros=sum(life.cost_micros for life in lives),
        finish_s=finish,
        done=snapshot.done,
        failed=snapshot.failed,
        unfinished=unfinished,
        machines=len(lives),
        problems=tuple([*world.conditions.violations, *broken_promises(world)]),
    )
