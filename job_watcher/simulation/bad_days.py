"""Bad days: a scenario full of faults from a number, and a check of everything that must hold after it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from job_watcher.simulation.checks import broken_promises
from job_watcher.simulation.conditions import Told
from job_watcher.simulation.fault_schedule import Planned, schedule, sicknesses
from job_watcher.simulation.market import Taste
from job_watcher.simulation.world import MIDNIGHT, Scenario, World
from lib.fleet import Caps, Policy
from lib.jobspec import JobSpec, normalize_job_spec
from lib.units import MICROS

_MOST_JOBS = 24
_LINES = 60


@cache
def _specs() -> tuple[JobSpec, ...]:
    """The same jobs on every day: making them costs more than using them.

    Every third is another job for the name of the one before it, in another format.
    """
    text = "A sentence that is spoken on a machine far away. "
    return tuple(
        normalize_job_spec(
            {
                "request_id": f"day:beat-{index:03d}",
                "output_name": f"day/beat-{index - (index % 3 == 1):03d}",
                "format": "flac" if index % 6 == 1 else "wav",
                "speaker": "Ryan",
                "text": text * (3 + index % 9),
            }
        )
        for index in range(_MOST_JOBS)
    )


def bad_day(seed: int) -> Scenario:
    """The scenario of a number: work in one to three heaps, and up to eight faults around it."""
    chance = random.Random(seed * 2 + 1)
    jobs = chance.randint(2, _MOST_JOBS)
    heaps = chance.randint(1, 3)
    horizon = chance.choice((900.0, 3600.0, 7200.0))
    start = MIDNIGHT - chance.uniform(0, 3 * 3600)
    specs = _in_batches(_specs()[:jobs], random.Random(f"batches of {seed}"))
    if chance.random() < 0.3:  # some work waits for its hour, with no machine to wait for it
        later = start + chance.uniform(horizon, 2 * horizon)
        specs = (*specs[:-2], *(replace(spec, not_before=later) for spec in specs[-2:]))
    arrivals = [(chance.uniform(0, horizon) if heap else 0.0, specs[heap::heaps]) for heap in range(heaps)]
    watchers = chance.choice((1, 1, 2, 2, 3))
    sick, alone = sicknesses(random.Random(seed * 2 + 2), horizon_s=horizon)
    return Scenario(
        arrivals=arrivals,
        taste=Taste(
            hosts=chance.choice((3, 10, 20)),
            bad_hosts=chance.choice((0.0, 0.2, 0.5)),
            base_speed=chance.choice((0.05, 0.1, 0.4, 2.0)),
            list_lag_s=chance.choice((0.0, 15.0, 100.0)),
            linger_s=chance.choice((0.0, 20.0, 60.0)),
            dead_man=chance.random() < 0.5,
        ),
        policy=Policy(
            speed=chance.choice((0.2, 1.0)),
            least_reliability=0.9,
            least_cuda=11.0,
            max_machines=chance.choice((1, 2, 4)),
        ),
        caps=Caps(
            hour=chance.choice((MICROS // 4, MICROS // 2, 2 * MICROS)),
            day=chance.choice((MICROS // 2, 2 * MICROS, 10 * MICROS)),
            machine=chance.choice((MICROS // 5, MICROS, 5 * MICROS)),
            batch=chance.choice((None, None, MICROS // 4, 3 * MICROS)),
        ),
        faults=_of_the_day(schedule(chance, horizon_s=horizon * 1.3, most=8, watchers=watchers), sick, alone),
        watchers=watchers,
        strangers=chance.randint(0, 2),
        start=start,
        limit_s=24 * 3600.0,
    )


def _in_batches(specs: Sequence[JobSpec], chance: random.Random) -> tuple[JobSpec, ...]:
    """A quarter of the days has one batch without a name; on the others jobs of up to three lie mixed."""
    names = chance.choice(((None,), (None, "book"), ("book", "film"), ("book", "film", None)))
    if names == (None,):
        return tuple(specs)
    return tuple(replace(spec, batch=chance.choice(names)) for spec in specs)


def _of_the_day(faults: list[Planned], sick: list[Planned], alone: bool) -> list[Planned]:
    return sick if alone else [*faults, *sick]


def run_day(seed: int) -> World:
    """Live through a bad day; what broke is in `conditions.violations`."""
    world = World(bad_day(seed), seed)
    world.run()
    for sentence in broken_promises(world):
        world.conditions.wrong(sentence)
    return world


def trace(world: World, seed: int) -> str:
    """A failing day for people: what broke, the command that repeats it, and the story around it."""
    conditions = world.conditions
    head = [
        f"seed {seed} broke {len(conditions.violations)} promises:",
        *(f"  {sentence}" for sentence in conditions.violations[:5]),
        f"repeat it: python -m tests.simulation.day {seed}",
        "",
    ]
    story = conditions.story
    first = next((index for index, told in enumerate(story) if told.kind == "VIOLATION"), len(story))
    begin = max(0, first - _LINES + 10)
    lines = [line(told, world.start) for told in story[begin : begin + _LINES]]
    return "\n".join([*head, *lines])


def line(told: Told, start: float) -> str:
    """One line of the story."""
    seconds = told.at - start
    who = " ".join(part for part in (told.watcher, told.token[:6]) if part)
    return f"{seconds / 60:8.2f} min  {who:22}  {told.kind:12}  {told.text}"
