"""What `job-watcher instances` and `sweep` say of the ledger, and `status` of the watchers (W1)."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from lib.machines import open_ledger
from lib.machines.model import Category, Charge, Epoch
from tests.contract.machines.rows import NOON, planned, step
from tests.e2e.home import Home, check_shape


def data_of(home: Home) -> Path:
    return home.folder / "data"


def test_where_nothing_was_rented_they_say_so_and_make_no_ledger(tmp_path: Path) -> None:
    home = Home(tmp_path, JOBS_DATA_DIR=str(tmp_path / "data"))

    listed, swept = home.run("instances", program="job-watcher"), home.run("sweep", program="job-watcher")

    paid = home.run("costs", program="job-watcher")
    assert (listed.returncode, swept.returncode, paid.returncode) == (0, 0, 0)
    assert paid.stdout == "Nothing was ever rented from here, so nothing was paid; PROVIDER is local.\n"
    assert listed.stdout == "Nothing is rented; PROVIDER is local, which rents no machines.\n"
    assert swept.stdout.startswith("Nothing to sweep: PROVIDER is local")
    assert not (data_of(home) / "ledger.db").exists()


def test_what_the_ledger_holds_is_shown_with_its_price_and_no_sweep_calls_it_in_order(tmp_path: Path) -> None:
    home = Home(tmp_path, JOBS_DATA_DIR=str(tmp_path / "data"))
    data_of(home).mkdir()
    with contextlib.closing(open_ledger(f"sqlite:///{data_of(home)}/ledger.db")) as ledger:
        ledger.open_epoch(Epoch(1, "ann", NOON))
        kept, gone = planned(ledger, 1), planned(ledger, 2)
        ledger.change(step(kept, instance="i1001"))
        ledger.change(step(gone, state="gone", closed=True))
        ledger.charge([Charge(kept.token, Category.COMPUTE, int(NOON // 3600), 70_000)], epoch=1)
        ledger.charge([Charge(gone.token, Category.COMPUTE, int(NOON // 3600) + 48, 140_000)], epoch=1)

    paid = json.loads(home.run("costs", "--since", "2026-01-01", "--json", program="job-watcher").stdout)
    listed = json.loads(home.run("instances", "--json", program="job-watcher").stdout)
    shown = home.run("instances", program="job-watcher").stdout
    swept = home.run("sweep", program="job-watcher")
    chart = home.run("costs", "--since", "2026-01-01", "--chart", program="job-watcher").stdout.splitlines()

    days = [line.split() for line in chart[:3]]
    assert [day[::2] for day in days] == [["2026-09-21", "$0.0700"], ["2026-09-22"], ["2026-09-23", "$0.14"]]
    assert len(days[2][1]) == pytest.approx(2 * len(days[0][1]), abs=1)
    check_shape("job-watcher-costs", paid)
    assert (paid["total"]["total_usd"], paid["open"]["machines"]) == ("0.210000", 1)
    check_shape("job-watcher-instances", listed)
    (machine,) = listed["instances"]
    assert (machine["instance"], machine["state"], machine["spent_usd"]) == ("i1001", "rented", "0.07")
    assert "i1001" in shown
    assert "0.210" in shown
    assert swept.returncode == 1
    assert "the ledger holds 1 that may still cost money" in swept.stderr
    swept_json = home.run("sweep", "--json", program="job-watcher")
    check_shape("job-watcher-sweep", json.loads(swept_json.stdout))
    assert swept_json.returncode == 1


def test_status_names_the_watchers_that_live(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert "no watcher runs" in home.run("status", program="job-watcher").stdout
    watcher = home.start("run", program="job-watcher")
    try:
        while "works" not in (shown := home.run("status", program="job-watcher").stdout):
            assert watcher.poll() is None
        assert "local" in shown
    finally:
        watcher.terminate()
        watcher.communicate(timeout=60)
        home.run("down")
