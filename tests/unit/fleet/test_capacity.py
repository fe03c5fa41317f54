"""How many jobs a machine holds between two passes: enough not to idle, never half the batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.fleet import Caps, Demand, Policy, Speeds, best, ranked
from lib.fleet.capacity import jobs_to_hold, throughput
from lib.fleet.model import PASS_S
from lib.fleet.scaling import finish_s, needed_life_s, wants_another
from tests.unit.fleet.things import NOW, demand, machine, offer

POLICY = Policy(speed=8.0)
SHORT = demand(waiting=200, audio_s_per_job=16.0)  # two seconds of work each


def test_a_machine_holds_the_work_of_a_pass_and_a_half() -> None:
    assert jobs_to_hold(SHORT, 8.0, POLICY) == 1 + 8
    assert jobs_to_hold(SHORT, 16.0, POLICY) == 1 + 15


def test_of_long_jobs_it_holds_the_one_it_speaks_and_the_next() -> None:
    assert jobs_to_hold(demand(waiting=200, audio_s_per_job=600.0), 8.0, POLICY) == POLICY.slots


@given(jobs=st.integers(0, 10_000), audio=st.floats(0.0, 100_000.0), speed=st.floats(0.01, 10_000.0))
def test_a_lost_machine_never_holds_half_the_batch(jobs: int, audio: float, speed: float) -> None:
    held = jobs_to_hold(Demand(waiting=jobs, audio_s_per_job=audio), speed, POLICY)
    assert POLICY.slots <= held <= max(POLICY.slots, min(POLICY.most_slots, jobs / 3))


@pytest.mark.parametrize("speed", [0.05, 0.5, 8.0, 80.0])
@pytest.mark.parametrize("audio", [2.0, 16.0, 120.0])
def test_what_it_holds_keeps_it_busy_until_the_next_pass(speed: float, audio: float) -> None:
    work = demand(waiting=10_000, audio_s_per_job=audio)
    held = jobs_to_hold(work, speed, POLICY)
    assert held == POLICY.most_slots or (held - 1) * audio / speed >= PASS_S
    assert throughput(work, speed, POLICY) == min(speed, held * audio / PASS_S)


def test_of_very_short_jobs_a_faster_gpu_makes_no_more_and_is_not_taken() -> None:
    tiny = demand(waiting=500, audio_s_per_job=2.0)
    slow = offer(id="slow", machine_id="m1", perf=1.0, hourly_micros=100_000)
    fast = offer(id="fast", machine_id="m2", perf=2.6, hourly_micros=180_000)
    assert throughput(tiny, 8.0, POLICY) == throughput(tiny, 2.6 * 8.0, POLICY) == 6.4
    for work, chosen in ((tiny, "slow"), (demand(waiting=500, audio_s_per_job=600.0), "fast")):
        found = best(ranked([slow, fast], work, POLICY, Caps(), Speeds(), {}, now=NOW))
        assert found is not None
        assert found.offer.id == chosen


def test_the_end_of_the_backlog_is_reckoned_with_what_machines_really_make() -> None:
    tiny = demand(waiting=6400, audio_s_per_job=2.0)
    hasty = Policy(speed=80.0)
    assert finish_s(tiny, [machine()], hasty, Speeds()) == 2000.0  # 160 s if it never waited for a pass
    assert wants_another(tiny, [machine()], offer(), hasty, Speeds()) is not None
    assert needed_life_s(tiny, offer(), 1, hasty, Speeds()) > 4000.0
