"""The trail's files follow the ledger, and mend what was torn or taken away (P24)."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from lib.files import NotPlain, alone_at
from lib.pipeline.runs import advance, cancel_job
from lib.pipeline.trail_files import TrailFiles
from lib.pipeline.trail_files.lines import Lines, line_of
from tests.contract.pipeline.floor import Floor, diamond
from tests.unit.pipeline.trail_files.test_crashes import check_files


@pytest.fixture
def trail_files(floor: Floor, tmp_path: Path) -> TrailFiles:
    return TrailFiles(floor.ledger, tmp_path)


def test_it_has_what_happened_and_nothing_again(
    floor: Floor, trail_files: TrailFiles, tmp_path: Path
) -> None:
    """P24."""
    floor.start(diamond(), "r1")
    floor.start(diamond(), "r2")
    first = trail_files.catch_up()
    floor.work()
    second = trail_files.catch_up()

    assert (first, trail_files.catch_up()) == (2, 0)
    assert check_files(floor.ledger, tmp_path) == first + second


def test_a_part_is_written_when_no_more_is_asked_for_and_the_rest_later(floor: Floor, tmp_path: Path) -> None:
    floor.start(diamond(), "r1")
    floor.work()
    trail_files = TrailFiles(floor.ledger, tmp_path, page=3)

    assert trail_files.catch_up(pages=1) == 3
    assert len((tmp_path / "jobs/state.jsonl").read_text().splitlines()) == 3
    assert trail_files.catch_up(pages=1) == 3
    assert trail_files.catch_up() == 4
    for file in ("jobs/state.jsonl", "runs/r1/events.jsonl"):
        told = [json.loads(line)["position"] for line in (tmp_path / file).read_text().splitlines()]
        assert told == list(range(1, 11))


def test_it_is_seen_that_others_wrote_just_now(floor: Floor, trail_files: TrailFiles, tmp_path: Path) -> None:
    other = TrailFiles(floor.ledger, tmp_path)
    assert not other.others_wrote(3600)
    floor.start(diamond(), "r1")
    trail_files.catch_up()

    assert other.others_wrote(3600)
    assert not trail_files.others_wrote(3600)
    long_ago = time.time() - 7200
    os.utime(tmp_path / "jobs/state.jsonl", (long_ago, long_ago))
    assert not other.others_wrote(3600)


def test_the_state_of_a_run_follows_each_change(
    floor: Floor, trail_files: TrailFiles, tmp_path: Path
) -> None:
    """P23."""
    floor.start(diamond())
    trail_files.catch_up()
    before = json.loads((tmp_path / "runs/r1/state.json").read_text())["state"]
    cancel_job(floor.ledger, "r1", operator="ann")
    trail_files.catch_up()

    assert before == "queued"
    assert json.loads((tmp_path / "runs/r1/state.json").read_text())["state"] == "canceled"


@pytest.mark.parametrize("file", ["jobs/state.jsonl", "runs/r1/events.jsonl"])
@pytest.mark.parametrize("left", [0, 1, 40, -1])
def test_a_torn_last_line_is_written_again(
    floor: Floor, trail_files: TrailFiles, tmp_path: Path, file: str, left: int
) -> None:
    """P24: `left` bytes of the last line are left, or all but its end."""
    floor.start(diamond(), "r1")
    floor.work()
    trail_files.catch_up()
    whole = (tmp_path / file).read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    os.truncate(tmp_path / file, len(whole) - last + (left if left >= 0 else last + left))
    advance(floor.ledger, "r1", operator="ann", stage="top")

    trail_files.catch_up()

    check_files(floor.ledger, tmp_path)


@pytest.mark.parametrize("file", ["jobs/state.jsonl", "runs/r1/events.jsonl"])
def test_a_file_that_was_taken_away_is_written_again(
    floor: Floor, trail_files: TrailFiles, tmp_path: Path, file: str
) -> None:
    """P24."""
    floor.start(diamond(), "r1")
    floor.start(diamond(), "r2")
    trail_files.catch_up()
    (tmp_path / file).unlink()
    floor.work()

    trail_files.catch_up()

    check_files(floor.ledger, tmp_path)


@pytest.mark.parametrize("tail", [b"\0" * 300, b'{"position": "x"}\n', b"no json\n\n", b'{"position":9'])
def test_what_a_lost_power_left_behind_the_last_line_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    """P24."""
    path = tmp_path / "lines"
    path.write_bytes(b'{"position":1}\n{"position":2}\n' + tail)

    with alone_at(path) as descriptor:
        lines = Lines(descriptor)
        found = lines.position
        lines.append([line_of({"position": 2}), line_of({"position": 3})])

    assert found == 2
    assert path.read_text() == '{"position":1}\n{"position":2}\n{"position":3}\n'


@pytest.mark.parametrize("length", [1, 65_500, 65_536, 200_000])
def test_the_last_line_is_found_however_long_it_is(tmp_path: Path, length: int) -> None:
    path = tmp_path / "lines"
    with alone_at(path) as descriptor:
        Lines(descriptor).append([line_of({"position": 1}), line_of({"position": 2, "error": "x" * length})])
    with alone_at(path) as descriptor:
        assert Lines(descriptor).position == 2


def test_something_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotPlain), alone_at(tmp_path / "pipe"):
        pass
