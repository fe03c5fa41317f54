"""Settings become policy and caps in one place; an offer is one thing for who finds it and who judges it."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.fleet import Caps, Policy, caps_of, policy_of
from lib.offer import Offer
from lib.settings import Settings, load_settings
from tests.unit.house import calls_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environ={"HOME": str(tmp_path)}, cwd=tmp_path)


def test_settings_that_are_left_out_are_what_the_fleet_does_by_itself(settings: Settings) -> None:
    assert policy_of(settings) == Policy()
    assert caps_of(settings) == Caps()


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("max_dph", Decimal("0.0000019"), {"hourly_price": 1}),
        ("spend_cap_hour", Decimal("3.5"), {"hour": 3_500_000}),
        ("spend_cap_day", Decimal(4), {"day": 4_000_000}),
        ("spend_cap_month", Decimal(5), {"month": 5_000_000}),
        ("spend_cap_machine", Decimal(6), {"machine": 6_000_000}),
        ("spend_cap_batch", Decimal(7), {"batch": 7_000_000}),
        ("credit_floor", Decimal(8), {"credit_floor": 8_000_000}),
        ("max_machines", 9, {"max_machines": 9}),
        ("idle_hold_seconds", 10, {"idle_hold_s": 10.0}),
    ],
)
def test_each_setting_bounds_one_thing_and_nothing_else(
    settings: Settings, setting: str, value: object, expected: dict[str, Any]
) -> None:
    changed: dict[str, Any] = {setting: value}
    terms = replace(settings, **changed)
    known = {field.name for field in fields(Caps)}

    assert caps_of(terms) == replace(Caps(), **{key: expected[key] for key in expected if key in known})
    assert policy_of(terms) == replace(
        Policy(), **{key: expected[key] for key in expected if key not in known}
    )


def test_who_tells_what_a_provider_offers_says_all_of_it() -> None:
    told = list(calls_of("Offer", "lib/providers", "job_watcher/simulation"))

    assert [place for place, _ in told] == ["lib/providers/vast/asks.py", "job_watcher/simulation/market.py"]
    for place, call in told:
        assert [word.arg for word in call.keywords] == [field.name for field in fields(Offer)], place


def test_only_the_terms_and_the_bad_days_make_caps() -> None:
    made = {place for place, _ in calls_of("Caps", "lib", "job_runner", "job_watcher")}

    assert made == {"lib/fleet/policy_settings.py", "job_watcher/simulation/bad_days.py"}


def test_what_a_worker_gets_of_a_job_is_made_in_one_place() -> None:
    made = {place for place, _ in calls_of("SpoolJob", "lib", "job_runner", "job_watcher", "synth")}

    assert made == {"lib/dispatch/limits_and_intervals.py"}
