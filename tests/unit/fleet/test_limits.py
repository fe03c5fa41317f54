"""What forbids renting at all, and the least that would be needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.fleet import Caps, Obstacle, Policy, obstacles
from lib.fleet.limits import least_wish
from lib.fleet.money import Accounts, Budget
from tests.unit.fleet.things import DOLLAR, NOW, accounts, offer

POLICY = Policy()
OFFERS = [
    offer(id="a", machine_id="a", hourly_micros=200_000, fee_micros=10_000),
    offer(id="b", machine_id="b", hourly_micros=150_000, fee_micros=40_000),
]
TIGHT = {
    "SPEND_CAP_MACHINE": Caps(machine=1000),
    "SPEND_CAP_BATCH": Caps(batch=1000),
    "SPEND_CAP_HOUR": Caps(hour=1000),
    "SPEND_CAP_DAY": Caps(day=1000),
    "SPEND_CAP_MONTH": Caps(month=1000),
    "MAX_DPH": Caps(hourly_price=1000),
}
FIELDS = {"MAX_DPH": "hourly_price"}


def found(caps: Caps, policy: Policy = POLICY, money: Accounts | None = None) -> tuple[Obstacle, ...]:
    return obstacles(OFFERS, policy, caps, money or accounts())


def test_nothing_stands_in_the_way_of_usual_limits() -> None:
    assert found(Caps()) == ()


@pytest.mark.parametrize("setting", TIGHT)
def test_a_limit_that_forbids_all_is_named_with_the_least_that_would_do(setting: str) -> None:
    (only,) = found(TIGHT[setting])
    assert only.setting == setting
    assert setting in only.sentence
    assert only.needed_micros is not None
    field = FIELDS.get(setting, setting.removeprefix("SPEND_CAP_").lower())
    assert found(replace(TIGHT[setting], **{field: only.needed_micros})) == ()
    assert found(replace(TIGHT[setting], **{field: only.needed_micros - 1})) != ()


def test_every_limit_that_forbids_is_named_at_once() -> None:
    both = found(Caps(hourly_price=1000, batch=1000))
    assert [item.setting for item in both] == ["MAX_DPH", "SPEND_CAP_BATCH"]
    price, batch = (item.needed_micros or 0 for item in both)
    assert found(Caps(hourly_price=price, batch=batch)) == ()


def test_what_is_spent_already_is_told() -> None:
    spent = accounts(spent_by_hour={int(NOW) // 3600: DOLLAR})
    (only,) = found(Caps(day=DOLLAR + 1000), money=spent)
    assert only.setting == "SPEND_CAP_DAY"
    assert only.taken_micros == DOLLAR
    assert "of which $1.0000 are spent" in only.sentence


def test_the_written_amount_is_enough() -> None:
    (only,) = found(Caps(batch=1000))
    written = round(float(only.sentence.split("at least $")[1].split()[0]) * DOLLAR)
    wish = least_wish(OFFERS[0], POLICY, NOW)
    assert Budget(accounts(), Caps(batch=written)).refusal(wish) is None


def test_no_machine_and_none_that_fits_are_no_matter_of_money() -> None:
    assert found(Caps(), replace(POLICY, max_machines=0))[0].setting == "MAX_MACHINES"
    (unfit,) = found(Caps(), replace(POLICY, least_cuda=99.0))
    assert unfit.setting == ""
    assert (
        unfit.sentence == "None of 2 machines on the market fits the work (the first: CUDA 12.8 is under 99)"
    )
    assert obstacles([], POLICY, Caps(), accounts())[0].sentence == "The market offers no machine"
