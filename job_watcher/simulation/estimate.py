"""Estimates what a batch costs and when it is done, by running it on several simulated markets."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from job_watcher.simulation.audio_lengths import audio_by_job
from job_watcher.simulation.fault_schedule import Fault, Planned
from job_watcher.simulation.machine_history import Life, lives_of
from job_watcher.simulation.market import Taste
from job_watcher.simulation.outcome import DayOutcome, forbidding, outcome_of
from job_watcher.simulation.world import Scenario, World
from lib.fleet import Caps, Obstacle, Policy
from lib.jobspec import JobSpec
from lib.units import usd
from lib.voices import DEFAULT_ENGINE, VoiceRegistry

_DAYS_S: Final = 3 * 86_400.0  # what a cap of the day lets through in three days is waited for
_FORBIDDEN_S: Final = 6 * 3600.0  # while nothing may be rented, the market is watched that long
_ORDINARY_TROUBLE: Final = (
    (Fault.PREEMPTION, 0.35, 900.0),
    (Fault.PRICES, 0.4, 3600.0),
    (Fault.VANISH, 0.1, 0.0),
    (Fault.OFFLINE, 0.1, 600.0),
    (Fault.LOST_REPLY, 0.1, 120.0),
    (Fault.REFUSING, 0.15, 300.0),
    (Fault.CRASH, 0.1, 0.0),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """All days together, cheapest first, and one of them in detail: the middle one, or the worst."""

    jobs: int
    audio_s: float
    outcomes: tuple[DayOutcome, ...]
    shown: DayOutcome
    lives: tuple[Life, ...]
    arrivals: tuple[tuple[float, int], ...]

    @property
    def middle(self) -> DayOutcome:
        """The day of median cost."""
        return self.outcomes[len(self.outcomes) // 2]

    @property
    def worst(self) -> DayOutcome:
        """The day that left most jobs unfinished, else had most failures, else was dearest."""
        return max(self.outcomes, key=DayOutcome.badness)

    @property
    def forbidden(self) -> tuple[Obstacle, ...]:
        """What forbids renting on every day; () when any day rents something."""
        if any(item.machines for item in self.outcomes):
            return ()
        return self.shown.limits

    @property
    def expected_micros(self) -> int:
        """The median cost."""
        return int(statistics.median(item.cost_micros for item in self.outcomes))

    @property
    def worst_micros(self) -> int:
        """The dearest day."""
        return max(item.cost_micros for item in self.outcomes)

    @property
    def expected_finish_s(self) -> float | None:
        """The median time; None when half of the days do not finish."""
        return _finite(statistics.median(map(_finish, self.outcomes)))

    @property
    def worst_finish_s(self) -> float | None:
        """The longest day; None when one does not finish."""
        return _finite(max(map(_finish, self.outcomes)))

    @property
    def expected_failed(self) -> int:
        """Median of jobs that failed."""
        return statistics.median_high(item.failed for item in self.outcomes)

    @property
    def expected_unfinished(self) -> int:
        """Median of jobs that were left."""
        return statistics.median_high(item.unfinished for item in self.outcomes)

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
            "expected_finish_s": _rounded(self.expected_finish_s),
            "worst_finish_s": _rounded(self.worst_finish_s),
            "unfinished_at_worst": max(item.unfinished for item in self.outcomes),
            "failed_at_worst": max(item.failed for item in self.outcomes),
            "forbidden_by": [_obstacle(item) for item in self.forbidden],
            "middle_day": self.middle.to_json(),
            "worst_day": self.worst.to_json(),
            "shown_day": self.shown.seed,
            "machines": [life.to_json() for life in self.lives],
            "simulated_only": True,
        }


def _finish(outcome: DayOutcome) -> float:
    return math.inf if outcome.finish_s is None else outcome.finish_s


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _obstacle(item: Obstacle) -> dict[str, Any]:
    return {
        "setting": item.setting or None,
        "sentence": f"{item.sentence}.",
        "allowed_usd": None if item.allowed_micros is None else usd(item.allowed_micros),
        "needed_usd": None if item.needed_micros is None else usd(item.needed_micros),
    }


def usual_day(
    specs: Sequence[JobSpec],
    seed: int,
    policy: Policy,
    caps: Caps,
    audio_s: Mapping[str, float] | None = None,
) -> Scenario:
    """An ordinary day: a market of two dozen hosts, some of them bad, and a little trouble on the way."""
    chance = random.Random(seed)
    trouble = [
        Planned(kind, at=chance.uniform(60, 3600), seconds=seconds, step="ledger.change after")
        for kind, likely, seconds in _ORDINARY_TROUBLE
        if seed and chance.random() < likely
    ]
    return Scenario(
        arrivals=[(0.0, specs)],
        taste=Taste(bad_hosts=0.12 if seed else 0.0, base_speed=policy.speed, audio_s=audio_s or {}),
        policy=policy,
        caps=caps,
        faults=sorted(trouble, key=lambda item: item.at),
        limit_s=_DAYS_S,
    )


def estimate(
    specs: Sequence[JobSpec],
    *,
    days: int,
    policy: Policy,
    caps: Caps,
    audio_s: Mapping[str, float] | None = None,
    worst: bool = False,
    on_day: Callable[[int], None] = lambda done: None,
) -> Estimate:
    """Live through `days` days, from 0, each with its own market; one of them is told.

    `on_day` is called after each with how many were lived through.

    `audio_s` is how long each job's audio is, by request id; guessed where it is not given. The day that is
    told is lived through again: keeping all of them would take much more room than time.
    """
    lengths = audio_by_job(specs, VoiceRegistry(), DEFAULT_ENGINE) if audio_s is None else audio_s
    outcomes = []
    for seed in range(days):
        outcomes.append(_lived(specs, seed, policy, caps, lengths)[0])
        on_day(seed + 1)
    outcomes.sort(key=lambda item: (item.cost_micros, item.seed))
    chosen = max(outcomes, key=DayOutcome.badness) if worst else outcomes[len(outcomes) // 2]
    shown, world = _lived(specs, chosen.seed, policy, caps, lengths)
    return Estimate(
        jobs=len(specs),
        audio_s=sum(lengths[spec.request_id] for spec in specs),
        outcomes=tuple(outcomes),
        shown=shown,
        lives=tuple(lives_of(world)),
        arrivals=((0.0, len(specs)),),
    )


def _lived(
    specs: Sequence[JobSpec], seed: int, policy: Policy, caps: Caps, audio_s: Mapping[str, float]
) -> tuple[DayOutcome, World]:
    day = usual_day(specs, seed, policy, caps, audio_s)
    world = World(day, seed)
    limits = forbidding(world)
    if limits:  # only another market could help, not the caps of tomorrow
        world = World(replace(day, limit_s=_FORBIDDEN_S), seed)
    world.run()
    return outcome_of(world, seed, limits), world
