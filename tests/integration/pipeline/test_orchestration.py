"""Where workers are all there is, nothing waits for ever: they take back leases and let gates time out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from job_pipeline.worker.upkeep import EVERY_S, WorkerUpkeep
from lib.clock import ManualClock
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import GateRule
from lib.pipeline.runs import StageRules
from lib.sql import open_database
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, diamond


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    database = open_database(f"sqlite:///{tmp_path / 'pipeline.db'}")
    clock = ManualClock()
    yield Floor(PipelineLedger(database, clock=clock), clock)
    database.close()


def test_a_worker_takes_back_what_another_left(floor: Floor) -> None:
    floor.start(diamond())
    upkeep = WorkerUpkeep(floor.ledger, floor.clock, lambda: 0.5)
    floor.claim("gone:1")
    floor.clock.advance(LEASE_S + 1)
    upkeep.tend()
    assert floor.states()["top"] == "pending"
    assert 0 < upkeep.due_in_s <= EVERY_S


def test_a_worker_lets_gates_time_out(floor: Floor) -> None:
    rules = StageRules(gates={"script": GateRule(timeout_s=60.0, on_timeout="approve")})
    floor.start(dag_of("one", script={"gate": True}), rules=rules)
    upkeep = WorkerUpkeep(floor.ledger, floor.clock, lambda: 0.5)
    floor.work()
    floor.clock.advance(61.0)
    upkeep.tend()
    assert floor.state() == "completed"


def test_it_looks_only_now_and_then(floor: Floor) -> None:
    floor.start(diamond())
    upkeep = WorkerUpkeep(floor.ledger, floor.clock, lambda: 0.5)
    floor.clock.advance(EVERY_S)
    upkeep.tend()
    floor.claim("gone:1")
    floor.clock.advance(EVERY_S / 2)
    before = floor.trail()
    upkeep.tend()
    assert floor.trail() == before
