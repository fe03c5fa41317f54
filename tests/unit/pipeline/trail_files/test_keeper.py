"""Beside a program that stays, the trail's files are kept up to date until its end (P24)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.clock import ManualClock
from lib.errors import Unavailable
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.trail_files import kept_trail_files
from lib.sql import open_database
from tests.contract.pipeline.floor import Floor, diamond
from tests.unit.pipeline.trail_files.test_crashes import check_files


def open_again(floor: Floor) -> PipelineLedger:
    return PipelineLedger(open_database(f"sqlite:///{floor.ledger.database.address.file}"))


class Told(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.any = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.any.set()


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_happened_last_is_written_at_the_end(floor: Floor, tmp_path: Path) -> None:
    """P24."""
    with kept_trail_files(lambda: open_again(floor), tmp_path, every_s=3600):
        floor.start(diamond())
        floor.work()

    assert check_files(floor.ledger, tmp_path) == 10


def test_a_folder_that_cannot_be_written_is_told_once_and_written_later(
    floor: Floor, tmp_path: Path, told: Told
) -> None:
    """P24."""
    floor.start(diamond())
    in_the_way = tmp_path / "jobs"
    in_the_way.write_text("no folder")
    log = logging.getLogger("lib.pipeline.trail_files.keeper")
    log.addHandler(told)
    try:
        with kept_trail_files(lambda: open_again(floor), tmp_path, every_s=0.01):
            assert told.any.wait(30)
            in_the_way.unlink()
            give_up = time.monotonic() + 30
            while not (tmp_path / "jobs" / "state.jsonl").exists():
                assert time.monotonic() < give_up
                time.sleep(0.01)
    finally:
        log.removeHandler(told)

    assert told.lines == ["the files of the trail are behind and follow later: File exists"]
    assert check_files(floor.ledger, tmp_path) == 1


class LongAway(PipelineLedger):
    """The first time it is asked, it takes a minute to say that its server does not answer."""

    def __init__(self, floor: Floor, clock: ManualClock) -> None:
        super().__init__(open_database(f"sqlite:///{floor.ledger.database.address.file}"))
        self._passing, self._is_away = clock, True

    def look(self, work: Callable[[Transaction], Any]) -> Any:
        if self._is_away:
            self._is_away = False
            self._passing.sleep(60)
            raise Unavailable("the server does not answer")
        return super().look(work)


def test_a_keeper_that_waited_for_its_database_does_not_rest_for_it(floor: Floor, tmp_path: Path) -> None:
    """P24."""
    floor.start(diamond())
    clock = ManualClock()
    with kept_trail_files(lambda: LongAway(floor, clock), tmp_path, every_s=0.01, clock=clock):
        give_up = time.monotonic() + 30
        trail = tmp_path / "jobs" / "state.jsonl"
        while not trail.exists() or not trail.stat().st_size:
            assert time.monotonic() < give_up
            time.sleep(0.01)
