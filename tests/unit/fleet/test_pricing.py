"""What a batch would cost before anything is rented."""

from __future__ import annotations

from typing import Any

from lib.fleet import Caps, Policy, Price, Speeds, price_batch
from tests.unit.fleet.things import DOLLAR, NOW, demand, offer

POLICY = Policy(speed=10.0)


def price(jobs: int, **different: Any) -> Price | None:
    facts: dict[str, Any] = {"policy": POLICY, "caps": Caps(), "speeds": Speeds(), "hosts": {}, "now": NOW}
    return price_batch([offer()], demand(waiting=jobs), **(facts | different))


def test_nothing_to_do_and_nothing_to_rent_have_no_price() -> None:
    assert price(0) is None
    assert price(5, caps=Caps(hourly_price=1)) is None


def test_one_job_costs_a_start_its_work_and_a_hold() -> None:
    found = price(1)
    assert found is not None
    assert found.machines == 1
    assert 10_000 < found.expected_micros < 60_000
    assert found.expected_micros < found.worst_micros
    assert found.expected_finish_s < found.worst_finish_s


def test_a_big_batch_is_shared_and_a_minute_of_it_is_cheaper() -> None:
    small, big = price(10), price(20_000)
    assert small is not None
    assert big is not None
    assert big.machines == POLICY.max_machines
    assert big.cost_per_audio_minute_micros < small.cost_per_audio_minute_micros


def test_the_worst_case_is_never_above_what_the_caps_allow() -> None:
    found = price(20_000, caps=Caps(batch=DOLLAR // 2))
    assert found is not None
    assert found.worst_micros <= max(DOLLAR // 2, found.expected_micros)
