"""Sums up a simulated day: cost, time, and why jobs failed in it or stayed unfinished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from job_watcher.provisioning.accounts import accounts_of
from job_watcher.simulation.checks import broken_promises
from job_watcher.simulation.machine_history import lives_of
from job_watcher.simulation.world import World
from lib.fleet import Obstacle, obstacles
from lib.fleet.money import hours_of_interest
from lib.jobqueue import TERMINAL, JobState
from lib.units import seconds_text, usd

_HELD_BACK = frozenset({"cap", "no_offer", "credit", "account", "image", "programs"})


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """One simulated day. `limits` are what forbids renting when it begins, `reasons` sentences for people."""

    seed: int
    cost_micros: int
    finish_s: float | None  # from the start to the last job's end; None when some never ended
    done: int
    failed: int
    unfinished: int
    machines: int
    problems: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    limits: tuple[Obstacle, ...] = ()

    def badness(self) -> tuple[int, int, int]:
        """Sort key, worst last: jobs left over, jobs that failed, money."""
        return self.unfinished, self.failed, self.cost_micros

    def to_json(self) -> dict[str, Any]:
        """One day in `simulate --json`."""
        return {
            "day": self.seed,
            "cost_usd": usd(self.cost_micros),
            "finish_s": None if self.finish_s is None else round(self.finish_s, 1),
            "done": self.done,
            "failed": self.failed,
            "unfinished": self.unfinished,
            "machines": self.machines,
            "reasons": list(self.reasons),
        }


def forbidding(world: World) -> tuple[Obstacle, ...]:
    """What forbids renting any machine at this moment."""
    conditions, scenario = world.conditions, world.scenario
    market, now = conditions.market, conditions.now
    offers = [*market.offers(interruptible=False), *market.offers(interruptible=True)]
    batches = waiting_batches(world)
    books = conditions.ledger.books(hours_of_interest(now), batches)
    by_batch = [
        obstacles(offers, scenario.policy, scenario.caps, accounts_of(books, now, batch), batch=batch)
        for batch in batches
    ]
    if not all(by_batch):
        return ()
    return tuple(dict.fromkeys(item for found in by_batch for item in found))


def waiting_batches(world: World) -> tuple[str, ...]:
    """The batches of jobs that are in line now, or come later."""
    specs = (spec for _, heap in world.scenario.arrivals for spec in heap)
    queue = world.conditions.queue
    records = ((spec.batch or "", queue.job(spec.request_id)) for spec in specs)
    return tuple(
        dict.fromkeys(batch for batch, record in records if record is None or record.state not in TERMINAL)
    )


def outcome_of(world: World, seed: int, limits: tuple[Obstacle, ...]) -> DayOutcome:
    """What a day that is over came to; `limits` are what was `forbidding` when it began."""
    queue = world.conditions.queue
    snapshot = queue.snapshot()
    history = queue.history(limit=max(1, snapshot.done + snapshot.failed))
    ends = [item.finished_at for item in history if item.state in TERMINAL]
    left = snapshot.outstanding
    lives = lives_of(world)
    unfinished = tuple(_why_unfinished(world, () if lives else limits)) if left else ()
    reasons = [*(f"{_jobs(left)} unfinished: {reason}." for reason in unfinished), *_failures(world)]
    if left and not unfinished:
        reasons.insert(0, f"{_jobs(left)} unfinished when the simulation ended.")
    problems = broken_promises(world, unfinished=not unfinished)
    return DayOutcome(
        seed=seed,
        cost_micros=sum(life.cost_micros for life in lives),
        finish_s=None if left else max(ends, default=world.start) - world.start,
        done=snapshot.done,
        failed=snapshot.failed,
        unfinished=left,
        machines=len(lives),
        problems=tuple([*world.conditions.violations, *problems]),
        reasons=tuple(reasons),
        limits=limits,
    )


def _jobs(count: int) -> str:
    return "1 job stays" if count == 1 else f"{count} jobs stay"


def _why_unfinished(world: World, limits: tuple[Obstacle, ...]) -> Iterator[str]:
    """What holds renting back: from the first moment, at the end, or, in passing, on the way."""
    found = [item.sentence for item in limits or forbidding(world)]
    if found:
        yield from found
        return
    told = [item for item in world.conditions.story if item.kind in _HELD_BACK]
    if told:
        yield (
            f"after {seconds_text(world.scenario.limit_s)} of trying, what held renting back last was that "
            f"{told[-1].text}"
        )


def _failures(world: World) -> Iterator[str]:
    """Why jobs failed, most frequent first."""
    reasons: Counter[str] = Counter()
    for _, specs in world.scenario.arrivals:
        for finished in world.conditions.queue.results([spec.request_id for spec in specs]):
            if finished is not None and finished.state is JobState.FAILED:
                failure = finished.failure()
                reasons[failure.message if failure else "no reason is known"] += 1
    for reason, count in reasons.most_common():
        yield f"{'1 job' if count == 1 else f'{count} jobs'} failed: {reason}"
