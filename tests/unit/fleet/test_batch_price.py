"""What a batch would cost before anything is rented."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from lib.fleet import Caps, Policy, Price, Speeds, price_batch
from tests.unit.fleet.things import DOLLAR, NOW, demand, offer

POLICY = Policy(speed=10.0)
ALONE = replace(POLICY, max_machines=1)


def price(jobs: int, **different: Any) -> Price | None:
    facts: dict[str, Any] = {"policy": POLICY, "caps": Caps(), "speeds": Speeds(), "hosts": {}, "now": NOW}
    return price_batch([offer()], demand(waiting=jobs), **(facts | different))


def test_nothing_to_do_and_nothing_to_rent_have_no_price() -> None:
    assert price(0) is None
    assert price(5, caps=Caps(hourly_price=1)) is None


def test_only_a_hold_that_a_person_set_is_expected() -> None:
    by_cost, held = price(1), price(1, policy=replace(POLICY, idle_hold_s=3600.0))
    assert by_cost is not None
    assert held is not None
    assert held.expected_micros - by_cost.expected_micros == pytest.approx(DOLLAR / 5, abs=2)


def test_one_job_costs_a_start_and_its_work() -> None:
    found = price(1)
    assert found is not None
    assert found.machines == 1
    assert 1_000 < found.expected_micros < 5_000  # some half a minute at 0.2 $/h
    assert found.expected_micros < found.worst_micros
    assert found.expected_finish_s < found.worst_finish_s


def test_a_big_batch_is_shared_and_a_minute_of_it_is_cheaper() -> None:
    small, big = price(10), price(20_000)
    assert small is not None
    assert big is not None
    assert big.machines == POLICY.max_machines
    assert big.expected_micros / 20_000 < small.expected_micros / 10


@pytest.mark.parametrize(
    ("setting", "caps"),
    [
        ("SPEND_CAP_BATCH", Caps(batch=DOLLAR // 2)),
        ("SPEND_CAP_DAY", Caps(day=DOLLAR // 2)),
        ("SPEND_CAP_MONTH", Caps(month=DOLLAR // 2)),
    ],
)
def test_a_batch_ends_at_its_cap_and_waits_for_those_of_the_calendar(setting: str, caps: Caps) -> None:
    found = price(20_000, caps=caps)
    assert found is not None
    if setting == "SPEND_CAP_BATCH":
        assert found.expected_micros == found.worst_micros == DOLLAR // 2
    else:  # the watcher goes on in the next window, and that is paid too
        usual = price(20_000)
        assert usual is not None
        assert found.expected_micros == usual.expected_micros
        assert found.worst_micros == usual.worst_micros
    for stop in (found.stopped, found.stopped_at_worst):
        assert stop is not None
        assert (stop.setting, stop.allowed_micros) == (setting, DOLLAR // 2)
        assert stop.needed_micros > DOLLAR // 2


def test_a_batch_that_may_outlast_a_cap_says_so_for_the_worst_case_only() -> None:
    usual = price(10)
    assert usual is not None
    found = price(10, caps=Caps(batch=(usual.expected_micros + usual.worst_micros) // 2))
    assert found is not None
    assert found.stopped is None
    assert found.stopped_at_worst is not None
    assert found.expected_micros < found.worst_micros == found.stopped_at_worst.allowed_micros


def test_a_cap_of_one_machine_makes_lives_shorter_and_starts_more() -> None:
    cap = DOLLAR // 8
    usual, short = price(4000, policy=ALONE), price(4000, policy=ALONE, caps=Caps(machine=cap))
    assert usual is not None
    assert short is not None
    assert short.expected_micros > usual.expected_micros
    assert short.expected_finish_s > usual.expected_finish_s
    lives = 1 + math.ceil(short.worst_micros / cap)
    assert short.worst_micros <= lives * cap


def test_machines_are_never_more_than_allowed() -> None:
    for most in (1, 2, 3):
        found = price(20_000, policy=replace(POLICY, max_machines=most))
        assert found is not None
        assert found.machines == most
    assert price(20_000, policy=replace(POLICY, max_machines=0)) is None


def test_an_offer_that_the_caps_cannot_pay_for_does_not_hide_a_cheaper_one() -> None:
    quick = offer(id="o2", machine_id="m2", gpu="H100", hourly_micros=DOLLAR // 2, perf=9.0)
    tight = Caps(hour=DOLLAR // 10)
    work = demand(waiting=50, audio_s_per_job=60.0)
    found = price_batch([quick, offer()], work, policy=POLICY, caps=tight, speeds=Speeds(), hosts={}, now=NOW)
    assert found is not None
    assert found.gpu == "RTX 3090"
    assert price(50, caps=Caps(hour=1000)) is None
