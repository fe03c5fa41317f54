"""The bill of a rehearsal beside what the watcher's own ledger counted (W8)."""

from __future__ import annotations

import contextlib
from pathlib import Path

from job_watcher.rehearsal.bill_and_ledger import compared, counted_in
from lib.machines import open_ledger
from lib.machines.model import Category, Charge, Epoch
from tests.contract.machines.rows import NOON, planned, step


def test_they_agree_within_a_hundredth_of_the_bill() -> None:
    found = compared([("1", 0.5), ("2", 0.25)], {"1": 504_000, "2": 250_000})
    assert found.agrees
    assert (found.total.billed, found.total.counted, found.total.drift) == (750_000, 754_000, 4_000)
    assert not compared([("1", 0.5)], {"1": 506_000}).agrees


def test_what_one_machine_has_too_much_does_not_make_up_for_another() -> None:
    found = compared([("1", 0.5), ("2", 0.5)], {"1": 450_000, "2": 550_000})
    assert found.total.agrees
    assert not found.agrees
    assert [each.percent for each in found.machines] == [-10.0, 10.0]


def test_a_machine_that_only_one_of_them_knows_is_told() -> None:
    found = compared([("1", 0.5)], {"a token": 70_000})
    known = [(each.instance, each.billed, each.counted, each.percent) for each in found.machines]
    assert known == [("1", 500_000, None, -100.0), ("a token", None, 70_000, None)]
    told = found.to_json()
    assert (told["drift_usd"], told["drift_percent"], told["agrees"]) == ("-0.430000", -86.0, False)
    assert told["machines"][1]["billed_usd"] is None


def test_the_ledger_is_added_up_by_the_companys_id(tmp_path: Path) -> None:
    assert counted_in(tmp_path) == {}
    with contextlib.closing(open_ledger(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
        ledger.open_epoch(Epoch(1, "ann", NOON))
        known, unnamed = planned(ledger, 1), planned(ledger, 2)
        ledger.change(step(known, instance="i1001"))
        hour = int(NOON // 3600)
        ledger.charge(
            [
                Charge(known.token, Category.ADJUSTMENT, hour, 70_000),
                Charge(known.token, Category.COMPUTE, hour + 1, 5),
                Charge(unnamed.token, Category.ADJUSTMENT, hour, 3),
            ],
            epoch=1,
        )
    assert counted_in(tmp_path) == {"i1001": 70_005, unnamed.token: 3}
