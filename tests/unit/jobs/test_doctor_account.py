"""What keeps machines from being rented on an account, judged (W1, W8)."""

from __future__ import annotations

import pytest

from lib.errors import ExitStatus
from lib.jobs.doctor import Trouble, exit_status
from lib.jobs.doctor_account import KINDS, AccountCheckup, diagnose_account

DOLLAR = 1_000_000
BAD = Trouble("it", "it is broken")
BREAKS: dict[tuple[str, ...], AccountCheckup] = {
    ("D029",): AccountCheckup("Vast", unasked=BAD),
    ("D030",): AccountCheckup("Vast", limits=[BAD]),
    ("D031",): AccountCheckup("Vast", key_accepted=False),
    ("D032",): AccountCheckup("Vast", needed=["misc"], missing=["misc"]),
    ("D033",): AccountCheckup("Vast", needed=["misc"], excess=["user_write"]),
    ("D034",): AccountCheckup("Vast", credit_micros=DOLLAR, floor_micros=DOLLAR),
    ("D035",): AccountCheckup("Vast", credit_micros=DOLLAR, can_pay=False),
    ("D036",): AccountCheckup("Vast", ssh_keys=1),
    ("D037",): AccountCheckup("Vast", clock_ahead_s=-61.0),
    ("D038",): AccountCheckup("Vast", market=BAD),
    ("D039",): AccountCheckup("Vast", unseen=[BAD]),
    ("D040",): AccountCheckup("Vast", image="python:3.12-slim"),
}


@pytest.mark.parametrize("ids", BREAKS, ids="-".join)
def test_each_broken_thing_is_found_alone_and_says_what_to_do(ids: tuple[str, ...]) -> None:
    found = diagnose_account(BREAKS[ids])

    assert tuple(item.kind.id for item in found) == ids
    assert all(item.subject and item.sentence and item.fix for item in found)
    assert all("\n" not in item.sentence + item.fix and item.sentence[-1] != "." for item in found)


def test_everything_that_can_be_found_is_broken_here() -> None:
    assert {name for ids in BREAKS for name in ids} == {kind.id for kind in KINDS}


def test_where_all_is_well_nothing_is_found() -> None:
    well = AccountCheckup(
        "Vast",
        image=f"python@sha256:{'0' * 64}",
        key_accepted=True,
        credit_micros=DOLLAR + 1,
        floor_micros=DOLLAR,
        can_pay=True,
        ssh_keys=0,
        clock_ahead_s=60.0,
    )
    assert diagnose_account(well) == []


def test_what_is_not_known_is_no_finding() -> None:
    assert diagnose_account(AccountCheckup("Vast")) == []


def test_what_a_thief_could_do_is_a_warning_and_what_hinders_renting_an_error() -> None:
    assert exit_status(diagnose_account(BREAKS[("D033",)])) is ExitStatus.OK
    assert exit_status(diagnose_account(BREAKS[("D032",)])) is ExitStatus.BAD_CONFIGURATION
