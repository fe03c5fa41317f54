"""Ledgers that earlier releases wrote are opened by this one and brought to their ends, for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.pipeline.claims import Parked, TaskReport, finish
from lib.pipeline.code_digest import digest_of_code
from lib.pipeline.gates import approve_gate
from lib.pipeline.graph import Graph
from lib.pipeline.ledger import HEAD, PipelineLedger
from lib.pipeline.orchestration import recover, settle_runs
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.runs import advance, resume
from lib.pipeline.snapshots import active_snapshot, save_snapshot
from lib.pipeline.trail import events_after
from lib.sql import open_database
from tests.contract.pipeline.floor import Floor
from tests.contract.pipeline.golden.make import SHOP
from tests.contract.pipeline.test_parked import Queue
from tests.contract.pipeline.told import Told

KEPT = sorted(Path(__file__).parent.glob("tables_*.sql"))
RUNS = {
    "completed": "completed",
    "failed": "failed",
    "paused": "paused",
    "parked": "running",
    "canceled": "canceled",
    "needs_approval": "needs_approval",
    "retried": "running",
    "unsettled": "running",
    "running": "running",
    "queued": "queued",
}


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    """An earlier release's ledger, an hour later."""
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.executescript(request.param.read_text())
    clock = ManualClock()
    clock.advance(4000.0)
    with closing(open_database(f"sqlite:///{tmp_path / 'ledger.db'}")) as database:
        yield Floor(PipelineLedger(database, clock=clock), clock, {"shop": SHOP})


def test_each_release_has_left_its_ledger() -> None:
    assert f"tables_{HEAD}" in [path.stem for path in KEPT]


def test_its_runs_are_what_they_were_and_their_trail_tells_so(floor: Floor) -> None:
    assert {run: floor.state(run) for run in RUNS} == RUNS
    told = Told()
    told.read(events_after(floor.ledger, 0))
    for run in RUNS:
        for name in floor.states(run):
            told.compare(floor.task(name, run))


def test_its_snapshot_is_the_one_it_was(floor: Floor) -> None:
    """The same code has no second snapshot, and what is stored is written again to the letter."""
    row = floor.ledger.look(lambda transaction: transaction.all("snapshots"))
    assert [Graph.from_json(each["graph"]).digest for each in row] == [each["id"] for each in row]
    assert [Graph.from_json(each["graph"]).to_json() for each in row] == [each["graph"] for each in row]
    kept = active_snapshot(floor.ledger, "shop")
    assert save_snapshot(floor.ledger, SHOP.graph()) == kept


def test_its_runs_come_to_their_ends(floor: Floor) -> None:
    queue = Queue()
    for run in ("failed", "canceled"):
        resume(floor.ledger, run, operator="bob")
    advance(floor.ledger, "paused", operator="bob")
    for _ in range(10):
        floor.clock.advance(1000.0)
        recover(floor.ledger)
        settle_runs(floor.ledger, everything=True)
        for run in RUNS:
            if floor.states(run)["script"] == "needs_approval":
                approve_gate(floor.ledger, run, "script", operator="bob")
        tend_parked(floor.ledger, queue)
        queue.end()
        tend_parked(floor.ledger, queue)
        for task in floor.claim(count=50):
            if task.executor == "queue" and not task.jobs:
                specs = {f"{task.run}.{task.attempt}": {"text": "a"}}
                finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")
            else:
                floor.done(task)
    assert {floor.state(run) for run in RUNS} == {"completed"}


def sample(inputs: dict[str, int]) -> list[int]:  # a comment
    """Words."""
    # Another one.

    return [value for name, value in inputs.items() if name in {"a", "b"}]  # and one more


def test_the_digest_of_code_is_the_same_on_every_python_and_at_every_place() -> None:
    assert digest_of_code(sample) == "99ad89b69515adf9d4f1d6b94cc81db8f52045eb2f2765eb0e5d5e4595538958"
