"""The trail's files have every event once, whoever writes it and whenever they are killed (P24)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import TrailEvent
from lib.pipeline.trail import events_after
from lib.pipeline.trail_files import TrailFiles
from lib.pipeline.views import event_json, run_states
from tests.contract.pipeline.conftest import empty
from tests.contract.pipeline.floor import Floor
from tests.unit.house import ROOT

LONG = (pytest.mark.soak, pytest.mark.timeout(3600))


def crash(floor: Floor, folder: Path, groups: Sequence[Sequence[int]]) -> int:
    """Have processes work at this ledger and die; how many were killed."""
    url = f"sqlite:///{floor.ledger.database.address.file}"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.unit.pipeline.trail_files.crashing",
            url,
            str(folder),
            json.dumps(groups),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(done.stdout)


def check_files(ledger: PipelineLedger, folder: Path) -> int:
    """Hold every file against the ledger; how many events there are."""
    trail = [event_json(event) for event in all_events(ledger)]
    assert lines(folder / "jobs" / "state.jsonl") == trail
    runs = {event["run"] for event in trail}
    states = run_states(ledger, sorted(runs))
    for run in runs:
        mine = folder / "runs" / run
        assert lines(mine / "events.jsonl") == [event for event in trail if event["run"] == run]
        assert json.loads((mine / "state.json").read_text())["state"] == states[run]["state"]
    return len(trail)


def all_events(ledger: PipelineLedger) -> list[TrailEvent]:
    found: list[TrailEvent] = []
    position = 0
    while page := events_after(ledger, position):
        found += page
        position = page[-1].position
    return found


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def real_floor(floor: Floor) -> Floor:
    """The same on the clock of the machine, which the processes have."""
    empty(floor.ledger.database)
    return Floor(PipelineLedger(floor.ledger.database), floor.clock)


@pytest.mark.parametrize("kills", [8, pytest.param(300, marks=LONG)])
def test_no_event_is_lost_or_told_twice_when_its_teller_is_killed_anywhere(
    real_floor: Floor, tmp_path: Path, kills: int
) -> None:
    """P24."""
    killed = crash(real_floor, tmp_path, [[seed] for seed in range(1, kills + 1)])

    assert killed > kills / 2
    TrailFiles(real_floor.ledger, tmp_path).catch_up()
    assert check_files(real_floor.ledger, tmp_path) > kills


@pytest.mark.parametrize("groups", [2, pytest.param(50, marks=LONG)])
def test_processes_that_write_at_once_and_die_leave_one_order(
    real_floor: Floor, tmp_path: Path, groups: int
) -> None:
    """P24."""
    seeds = [[0, 0, 3 * group + 1] for group in range(groups)]

    crash(real_floor, tmp_path, [*seeds, [0, 0]])

    # The last two lived: what all told is whole without anybody's help.
    assert TrailFiles(real_floor.ledger, tmp_path).catch_up() == 0
    assert check_files(real_floor.ledger, tmp_path) >= groups * 2 * 3 * 7
