"""Thousands of bad days, and after each every promise holds. A failing day prints how to repeat it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from job_watcher.simulation.bad_days import bad_day, line, run_day, trace
from job_watcher.simulation.fault_schedule import STEPS, Fault

ROOT = Path(__file__).parents[2]
SOAK = os.environ.get("JOB_RUNNER_SOAK") == "1"
SEEDS = 500  # the range in which every planted bug is found
SOAK_SEEDS = 100_000
PROCESSES = 2


@dataclass
class Lived:
    """What days showed: the traces of those that broke something, and how often each thing happened."""

    broken: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def add(self, other: Lived) -> None:
        self.broken += other.broken
        self.told += other.told


def live(seeds: range) -> Lived:
    """The days of these seeds, up to the third that breaks something."""
    lived = Lived()
    for seed in seeds:
        try:
            world = run_day(seed)
        except Exception as error:  # a planted or a real mistake of any kind is a broken day
            command = f"python -m tests.simulation.day {seed}"
            lived.broken.append(f"seed {seed} raised {error!r}\nrepeat it: {command}")
        else:
            lived.told.update(item.kind for item in world.conditions.story)
            if world.conditions.violations:
                lived.broken.append(trace(world, seed))
        if len(lived.broken) == 3:
            break
    return lived


def live_through(seeds: int, first: int = 0) -> Lived:
    step = 50
    parts = [range(begin, min(begin + step, first + seeds)) for begin in range(first, first + seeds, step)]
    whole = Lived()
    # Not forked: a lock that a thread of this process holds at that moment would be held in them for ever.
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for number, lived in enumerate(pool.map(live, parts), start=1):
            whole.add(lived)
            if lived.broken or number % 20 == 0:  # a run of hours tells at once what it finds
                print(
                    f"{number * step} of {seeds} days lived, {len(whole.broken)} broke a promise", flush=True
                )
                print(*lived.broken, sep="\n\n", flush=True)
    return whole


@pytest.fixture(scope="module")
def lived() -> Lived:
    """The quick look's days, lived once."""
    return live_through(SEEDS)


@pytest.mark.timeout(300)
def test_every_promise_holds_on_hundreds_of_bad_days(lived: Lived) -> None:
    assert not lived.broken, "\n\n".join(lived.broken[:3])


@pytest.mark.timeout(300)
def test_crashes_and_pauses_are_reached_and_not_only_planned(lived: Lived) -> None:
    assert lived.told["crash"] > SEEDS // 12
    assert lived.told["pause"] > SEEDS // 20


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
@pytest.mark.skipif(not SOAK, reason="JOB_RUNNER_SOAK=1 lives through all of them")
def test_every_promise_holds_on_a_hundred_thousand_bad_days() -> None:
    found = live_through(SOAK_SEEDS, first=SEEDS).broken
    assert not found, "\n\n".join(found[:3])


def test_the_same_seed_tells_the_same_story() -> None:
    first, second = run_day(7), run_day(7)
    stories = [[line(told, day.start) for told in day.conditions.story] for day in (first, second)]
    assert stories[0] == stories[1]
    assert len(stories[0]) > 10


def test_every_kind_of_fault_and_every_step_comes_up() -> None:
    planned = [fault for seed in range(1_500) for fault in bad_day(seed).faults]
    assert {fault.kind for fault in planned} == set(Fault)
    assert {fault.step for fault in planned if fault.kind is Fault.CRASH} == set(STEPS)


def test_a_rental_made_long_after_its_call_is_swept() -> None:
    days = (seed for seed in range(400) if any(f.kind is Fault.LATE_RENT for f in bad_day(seed).faults))
    stories = ([item.kind for item in run_day(seed).conditions.story] for seed in days)
    assert any("late" in story and "orphan" in story for story in stories)


def test_the_command_of_a_failing_day_repeats_it() -> None:
    command = [sys.executable, "-m", "tests.simulation.day", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "seed 3 keeps every promise\n")
