"""How many machines, and how long an idle one stays: W9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.fleet import Policy, Speeds, State
from lib.fleet.idle_gaps import IdleGaps
from lib.fleet.scaling import (
    cold_start_s,
    finish_s,
    hold_s,
    needed_life_s,
    paid_for,
    start_as_time_s,
    start_of_s,
    wants_another,
)
from tests.unit.fleet.things import demand, machine, offer

POLICY = Policy(speed=1.0, drain_target_s=1800, boot_s=100, download_gb=10, slots=2, max_machines=8)
COLD = 180.0  # 100 s of boot and 10 GB at 1000 Mbps


def wanted(waiting: int, machines: int, audio_s: float = 60.0, policy: Policy = POLICY) -> bool:
    have = [machine(token=f"t{index}") for index in range(machines)]
    work = demand(waiting=waiting, audio_s_per_job=audio_s)
    return wants_another(work, have, offer(), policy, Speeds()) is not None


def test_the_first_machine_comes_for_any_work() -> None:
    assert wanted(1, 0)
    assert not wanted(0, 0)


def test_a_cold_start_is_boot_and_downloads() -> None:
    assert cold_start_s(offer(), POLICY, Speeds()) == COLD
    assert cold_start_s(offer(down_mbps=100.0), POLICY, Speeds()) == 900.0


def test_another_comes_when_the_backlog_would_outlast_the_target() -> None:
    assert wanted(40, 1)  # 2400 s on one machine
    assert not wanted(29, 1)  # 1740 s


def test_another_comes_only_if_it_saves_its_own_cold_start() -> None:
    hasty = Policy(speed=1.0, drain_target_s=60, boot_s=100, download_gb=10, slots=1)
    saving = (3 * COLD) / 60  # with one machine: T - (T + c) / 2 >= c, so T >= 3c
    assert wanted(int(saving) + 1, 1, policy=hasty)
    assert not wanted(int(saving) - 1, 1, policy=hasty)


def test_another_comes_only_if_there_are_jobs_that_nobody_has_room_for() -> None:
    assert not wanted(2, 1, audio_s=3000.0)
    assert wanted(3, 1, audio_s=3000.0)


def test_a_slow_start_is_a_reason_to_stay_fewer() -> None:
    have = [machine()]
    work = demand(waiting=40, audio_s_per_job=60.0)
    assert wants_another(work, have, offer(), POLICY, Speeds()) is not None
    assert wants_another(work, have, offer(down_mbps=60.0), POLICY, Speeds()) is None


def test_machines_that_are_coming_count() -> None:
    coming = [machine(State.UNKNOWN), machine(State.RENTED), machine(State.PLANNED)]
    leaving = [machine(State.LEAVING), machine(State.DRAINING)]
    work = demand(waiting=30, audio_s_per_job=60.0)
    assert wants_another(work, coming, offer(), POLICY, Speeds()) is None
    assert wants_another(work, leaving, offer(), POLICY, Speeds()) is not None


def test_never_more_than_allowed() -> None:
    assert not wanted(100_000, 8)


def test_a_machine_that_leaves_is_paid_for_and_counts_against_the_most() -> None:
    work = demand(waiting=30, audio_s_per_job=60.0)
    two = Policy(speed=1.0, max_machines=2)
    for state in set(State) - {State.GONE}:
        one, both = [machine(state)], [machine(state), machine(State.LEAVING)]
        assert paid_for(both) == 2
        assert wants_another(work, both, offer(), two, Speeds()) is None, state
        if state in (State.LEAVING, State.DRAINING):
            assert wants_another(work, one, offer(), two, Speeds()) is not None
    assert paid_for([machine(State.GONE)]) == 0


def test_measured_speed_decides() -> None:
    speeds = Speeds()
    work = demand(waiting=40, audio_s_per_job=60.0)
    speeds.measured("hibari", "RTX 3090", 60.0, 6.0)
    assert finish_s(work, [machine()], POLICY, speeds) == 240.0
    assert wants_another(work, [machine()], offer(), POLICY, speeds) is None


def test_a_speed_follows_measurements_without_jumping() -> None:
    speeds = Speeds()
    for _ in range(20):
        speeds.measured("hibari", "A", 10.0, 1.0)
    speeds.measured("hibari", "A", 1.0, 1.0)
    assert 8.0 < speeds.of("hibari", "A", 1.0, 1.0) < 10.0
    speeds.measured("hibari", "A", 1.0, 0.0)  # too short to tell anything
    assert speeds.of("hibari", "B", 2.0, 3.0) == 6.0


def test_a_start_costs_its_disk_until_it_runs_then_its_price_and_its_downloads() -> None:
    paid = replace(POLICY, standing_share=0.1)
    assert start_as_time_s(360_000, 0, 120.0, 20.0, paid) == pytest.approx(20.0 + 10.0)
    assert start_as_time_s(360_000, 10_000, 120.0, 20.0, paid) == pytest.approx(130.0)  # the fee buys 100 s
    assert start_as_time_s(360_000, 0, 10.0, 20.0, paid) == 10.0  # no more of it than there is


def test_what_a_start_costs_is_measured() -> None:
    speeds = Speeds()
    guessed = start_of_s(offer(), POLICY, speeds)
    speeds.started("RTX 3090", COLD, running_s=POLICY.running_start_s + 100.0)
    assert start_of_s(offer(), POLICY, speeds) == pytest.approx(guessed + 100 * (1 - POLICY.standing_share))


def test_an_idle_machine_is_held_until_the_wait_cost_as_much_as_a_start() -> None:
    assert hold_s(42.0, POLICY) == 42.0


def test_the_hold_has_a_longest_and_a_person_may_set_it() -> None:
    assert hold_s(1_000_000.0, POLICY) == POLICY.longest_hold_s
    assert hold_s(42.0, Policy(idle_hold_s=7.0), gaps_of([600.0] * 9)) == 7.0


def gaps_of(lengths: Sequence[float]) -> IdleGaps:
    gaps, now = IdleGaps(), 0.0
    for length in lengths:
        gaps.heed(1, now)
        gaps.heed(0, now + 5.0)
        now += 5.0 + length
    gaps.heed(1, now)
    return gaps


def test_where_work_never_came_back_soon_no_machine_waits_for_it() -> None:
    assert hold_s(40.0, POLICY, gaps_of([600.0] * 3)) == 0.0


def test_where_nothing_says_that_more_work_will_come_no_machine_waits_for_it() -> None:
    assert hold_s(40.0, POLICY, gaps_of([])) == 0.0
    assert hold_s(40.0, POLICY, gaps_of([5.0])) == 20.0  # the next may take longer


def test_a_machine_waits_as_long_as_a_start_costs_for_jobs_that_wait_for_their_time() -> None:
    assert hold_s(40.0, POLICY, gaps_of([]), coming=True) == 40.0
    assert hold_s(1e6, POLICY, gaps_of([]), coming=True) == POLICY.longest_hold_s
    assert hold_s(40.0, Policy(idle_hold_s=7.0), gaps_of([]), coming=True) == 7.0
    assert hold_s(40.0, POLICY, gaps_of([600.0] * 3), coming=True) == 0.0  # they wait for longer


def test_where_work_comes_back_soon_a_machine_waits_for_it_and_not_longer() -> None:
    assert hold_s(40.0, POLICY, gaps_of([25.0] * 6)) == 25.0
    assert hold_s(40.0, POLICY, gaps_of([600.0] * 12 + [25.0] * 12)) == 25.0  # work changed its rhythm


def test_a_gap_begins_with_the_end_of_work_and_ends_with_the_next() -> None:
    gaps = IdleGaps()
    gaps.heed(0, 0.0)  # nothing was done yet
    gaps.heed(2, 50.0)
    assert not gaps.lately
    for moment in (60.0, 70.0):
        gaps.heed(0, moment)
    gaps.heed(1, 90.0)
    assert [*gaps.lately] == [30.0]
    gaps.heed(0, 100.0)
    gaps.interrupt()  # another led meanwhile
    gaps.heed(1, 500.0)
    assert [*gaps.lately] == [30.0]


@given(gaps=st.lists(st.floats(0, 1_000), max_size=20), start=st.floats(0.1, 900))
def test_the_hold_is_the_best_of_hindsight_over_the_gaps_that_are_known(
    gaps: list[float], start: float
) -> None:
    known = gaps_of(gaps)
    lately = [*known.lately, start / 2]

    def paid(hold: float) -> float:
        return sum(gap if gap <= hold else hold + start for gap in lately)

    hold = known.hold_s(start)
    assert 0.0 <= hold <= start
    if gaps:
        assert paid(hold) <= min(paid(0.0), paid(start), *(paid(gap) for gap in lately if gap < start)) + 1e-6


@given(gap=st.floats(0, 10_000), price=st.integers(10_000, 2_000_000), cold=st.floats(10, 900))
def test_the_hold_never_costs_more_than_twice_what_hindsight_would(
    gap: float, price: int, cold: float
) -> None:
    """Ski rental: the next job comes after `gap`; hindsight keeps the machine or starts anew.

    Without any gap known, the start before it counts too: hindsight had to pay for that one as well.
    """
    start = start_as_time_s(price, 0, cold, 20.0, POLICY)

    def ours(hold: float) -> float:
        return gap if gap <= hold else hold + start

    best = min(gap, start)
    assert ours(hold_s(start, POLICY)) <= 2 * best + 1e-6
    assert ours(hold_s(start, POLICY, gaps_of([]), coming=True)) <= 2 * best + 1e-6
    assert start + ours(hold_s(start, POLICY, gaps_of([]))) <= 2 * (start + best) + 1e-6


def test_a_life_covers_start_work_hold_and_end() -> None:
    work = demand(waiting=200, audio_s_per_job=60.0)
    life = needed_life_s(work, offer(), 1, POLICY, Speeds())
    assert life >= COLD + 12_000 + POLICY.settle_s
    assert needed_life_s(demand(waiting=1), offer(), 1, POLICY, Speeds()) == POLICY.usual_life_s
    assert needed_life_s(demand(waiting=10**6), offer(), 1, POLICY, Speeds()) == POLICY.max_life_s
