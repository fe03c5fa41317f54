"""Days on which a promise was once broken, found among some 125,000; each is lived through again."""

from __future__ import annotations

import pytest

from job_watcher.simulation.bad_days import run_day, trace

DAYS = {
    # concluded that a rental never came from a listing that was too early to show it
    "too early": (23303, 26213, 42561),
    # time that a machine had run passed for its fee, so that the caps lost sight of the fee
    "fee": (13639, 16255, 18615, 22174, 32895),
    # a rental made minutes after its call paid its fee in the next hour, where nothing was kept for it
    "late fee": (86684,),
    # the last bill of a rental that nobody had a row for was not read
    "orphan": (4048, 8473, 12601, 33808, 44340, 46658),
    # hours that a predecessor had counted by another clock were not given up for the bill
    "counted": (62629,),
    # a process that was leaving made another pass
    "leaving": (23911, 24445, 28925, 30957, 37974),
    # a job that stood still was judged by the length of others, and a machine whose workers ended was held
    "broken": (3708, 4476, 4478, 4493, 4815),
    # how long a job may stand still followed from the speed of another, slow machine
    "still": (358,),
    # a machine that had fallen silent was judged as one that answers and is broken
    "mute": (50067,),
    # jobs of a machine whose end was written, and the answer lost, were held until the next sweep
    "held": (9931,),
    # raised prices, refused destroys, a clock that jumped, an end that came too soon
    "hard": (4414, 9810, 15689, 19790, 20857, 23764, 24269, 29424, 43052, 71418, 91002),
}


@pytest.mark.parametrize("kind", DAYS)
def test_a_day_that_once_broke_a_promise_keeps_them_all(kind: str) -> None:
    for seed in DAYS[kind]:
        world = run_day(seed)
        assert not world.conditions.violations, trace(world, seed)
