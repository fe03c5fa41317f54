"""Caps and reservations: W8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.fleet import Caps
from lib.fleet.model import HOUR
from lib.fleet.money import (
    MARGIN,
    Budget,
    Commitment,
    cost,
    credit_refusal,
    dollars,
    hourly_shares,
    windows,
)
from tests.unit.fleet.things import DOLLAR, NOW, accounts

CAPS = Caps(hour=DOLLAR, day=4 * DOLLAR, month=20 * DOLLAR, machine=3 * DOLLAR, batch=None)


def wish(**different: Any) -> Commitment:
    base = Commitment("", 400_000, 0, NOW + 2 * HOUR, "film")
    return base._replace(**different)


def test_a_machine_that_fits_is_allowed() -> None:
    assert Budget(accounts(), CAPS).refusal(wish()) is None


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        ({"hourly_price": 399_999}, "over the most allowed"),
        ({"machine": 700_000}, "cap of one machine"),
        ({"batch": 800_000}, "batch 'film'"),
        ({"hour": 400_000}, "an? hour"),
        ({"day": 800_000}, "a day"),
        ({"month": 800_000}, "a month"),
    ],
)
def test_each_cap_refuses_by_its_name(caps: dict[str, int], words: str) -> None:
    facts = {"hour": DOLLAR, "day": 4 * DOLLAR, "month": 20 * DOLLAR, "machine": 3 * DOLLAR} | caps
    answer = Budget(accounts(), Caps(**facts)).refusal(wish())
    assert answer is not None
    assert any(word in answer for word in (words, words.replace("an?", "a")))


def test_what_is_promised_to_others_is_reserved() -> None:
    others = [Commitment(f"t{index}", 300_000, 0, NOW + 3 * HOUR) for index in range(2)]
    assert Budget(accounts(*others), CAPS).refusal(wish()) is not None
    assert Budget(accounts(others[0]), CAPS).refusal(wish()) is None


def test_a_fee_is_reserved_until_it_was_charged() -> None:
    heavy = Commitment("t1", 100_000, 700_000, NOW + HOUR)
    assert Budget(accounts(heavy), CAPS).refusal(wish()) is not None
    paid = accounts(heavy, spent_by_machine={"t1": 700_000})
    assert Budget(paid, CAPS).refusal(wish()) is None


def test_fees_that_are_promised_count_against_their_batch_until_they_were_charged() -> None:
    caps = Caps(batch=1_500_000, hour=5 * DOLLAR)
    heavy = Commitment("t1", 0, 700_000, NOW + HOUR, "film")
    assert Budget(accounts(heavy), caps).refusal(wish()) is not None
    assert Budget(accounts(heavy._replace(batch="other")), caps).refusal(wish()) is None
    assert Budget(accounts(heavy, spent_by_machine={"t1": 700_000}), caps).refusal(wish()) is None


def test_what_was_spent_counts_in_its_own_windows_only() -> None:
    this_hour, last_hour = int(NOW) // HOUR, int(NOW) // HOUR - 1
    assert Budget(accounts(spent_by_hour={this_hour: 800_000}), CAPS).refusal(wish()) is not None
    assert Budget(accounts(spent_by_hour={last_hour: 800_000}), CAPS).refusal(wish()) is None
    assert (
        Budget(accounts(spent_by_hour={last_hour: 3_500_000}), CAPS).refusal(wish()) is not None
    )  # the day's


def test_the_next_hour_is_reserved_too() -> None:
    late = NOW + HOUR - 60  # one minute of this hour is left
    answer = Budget(accounts(now=late), Caps(hour=300_000)).refusal(wish(until=late + HOUR))
    assert answer is not None
    assert "hour" in answer


@pytest.mark.parametrize(("left_s", "fits"), [(901, True), (899, False)])
def test_near_an_hours_end_the_next_one_has_room_for_the_fee_too(left_s: float, fits: bool) -> None:
    """A rental may be made minutes after its call, and pays its fee then."""
    now = NOW + HOUR - left_s
    heavy = Commitment("", 100_000, 250_000, now + HOUR)
    caps = Caps(hour=300_000, day=DOLLAR, machine=DOLLAR)
    books = accounts(now=now, spent_by_hour={})
    next_hour = Commitment("t1", 50_000, 0, now + 3 * HOUR)

    assert (Budget(replace(books, commitments=(next_hour,)), caps).refusal(heavy) is None) is fits


def test_of_two_batches_racing_for_the_last_dollar_one_rents() -> None:
    caps = Caps(hour=2 * DOLLAR, day=DOLLAR, machine=DOLLAR)
    first = wish()
    assert Budget(accounts(), caps).refusal(first) is None
    taken = first._replace(token="t1")
    assert Budget(accounts(taken), caps).refusal(wish(batch="other")) is not None


def test_the_life_of_a_machine_is_cut_to_what_the_caps_allow() -> None:
    caps = Caps(hour=DOLLAR, day=DOLLAR, machine=600_000)
    life = Budget(accounts(), caps).affordable_life(wish(until=NOW + 8 * HOUR), 1200.0)
    assert 1200 <= life < 8 * HOUR
    assert Budget(accounts(), caps).refusal(wish(until=NOW + life)) is None
    assert Budget(accounts(), caps).refusal(wish(until=NOW + life + 60)) is not None


def test_a_life_that_would_be_too_short_is_none() -> None:
    assert Budget(accounts(), Caps(machine=10_000)).affordable_life(wish(), 1200.0) == 0.0


def test_credit_keeps_its_floor_after_all_that_is_promised() -> None:
    promised = Commitment("t1", DOLLAR, 0, NOW + 2 * HOUR)
    caps = Caps(credit_floor=DOLLAR)
    assert credit_refusal(3 * DOLLAR, accounts(promised), caps) is None
    assert credit_refusal(3 * DOLLAR - 1, accounts(promised), caps) is not None
    assert credit_refusal(None, accounts(), caps) is not None


@pytest.mark.parametrize(
    ("hourly_micros", "seconds", "micros"),
    [(1, 1, 1), (HOUR, 1, 1), (HOUR + 1, 1, 2), (200_000, 0, 0), (200_000, -5, 0), (200_000, HOUR, 200_000)],
)
def test_a_part_of_a_micro_dollar_is_counted_whole(hourly_micros: int, seconds: float, micros: int) -> None:
    """Rounded down, many short times would be spent beyond a cap, and told too cheap."""
    assert cost(hourly_micros, seconds) == micros


@given(
    price=st.integers(1, 5 * DOLLAR),
    begin=st.floats(NOW, NOW + 90_000),
    length=st.floats(0, 400_000),
)
def test_shares_of_hours_add_up_to_the_whole(price: int, begin: float, length: float) -> None:
    shares = list(hourly_shares(price, begin, begin + length))
    total = sum(micros for _, micros in shares)
    assert cost(price, length) - 1 <= total <= cost(price, length) + len(shares)
    assert [hour for hour, _ in shares] == sorted({hour for hour, _ in shares})


@given(
    prices=st.lists(st.integers(10_000, 500_000), max_size=6),
    hours=st.lists(st.floats(0.3, 40), min_size=6, max_size=6),
    now=st.floats(NOW, NOW + 40 * 86_400),
)
def test_machines_taken_one_after_another_never_overspend_a_window(
    prices: list[int], hours: list[float], now: float
) -> None:
    caps = Caps(hour=DOLLAR, day=5 * DOLLAR, month=30 * DOLLAR, machine=5 * DOLLAR)
    taken: list[Commitment] = []
    for index, (price, life) in enumerate(zip(prices, hours, strict=False)):
        one = Commitment(f"t{index}", price, 1_000, now + life * HOUR)
        if Budget(accounts(*taken, now=now), caps).refusal(one) is None:
            taken.append(one)
    for window in windows(caps, now):
        spent = sum(
            item.hourly_micros * max(0.0, min(item.until, window.end) - max(now, window.begin)) / HOUR
            for item in taken
        )
        assert spent * MARGIN <= window.cap + 1


def test_windows_follow_the_calendar_over_the_end_of_a_year() -> None:
    new_years_eve = 1_798_760_000.0  # 2026-12-31 23:33 UTC
    months = [window for window in windows(CAPS, new_years_eve) if window.name == "month"]
    assert [round((item.end - item.begin) / 86_400) for item in months] == [31, 31]
    assert months[0].end == months[1].begin


def test_money_is_written_for_people() -> None:
    assert [dollars(value) for value in (0, 3_100, 1_250_000)] == ["$0.00", "$0.0031", "$1.25"]
