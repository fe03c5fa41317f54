"""Writes a release's ledger as SQL, runs in every state: `python -m tests.contract.pipeline.golden.make`.

A file that is there stays as it is for ever: a later release writes one of its own.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from lib.clock import ManualClock
from lib.pipeline import Dag
from lib.pipeline.claims import ClaimedTask, Done, Parked, TaskReport, finish
from lib.pipeline.gates import approve_gate, reject_gate
from lib.pipeline.ledger import HEAD, PipelineLedger
from lib.pipeline.model import GateRule
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.runs import StageRules, cancel_job
from lib.pipeline.trail import place_events
from lib.sql import open_database
from tests.contract.pipeline.floor import Floor, file
from tests.contract.pipeline.test_parked import Queue


def work(inputs: dict[str, Any]) -> str:
    """What every task of it does; never changed, because a stored digest is of it."""
    return "done"


SHOP = Dag("shop")
SHOP.task(name="script", gate=True, retries=1)(work)
SHOP.task(name="audio", requires=["script"], executor="queue", timeout=600.0)(work)
SHOP.task(name="pictures", requires=["script"], takes=[], lane="heavy")(work)
SHOP.task(name="film", requires=["audio", "pictures"], takes=["audio"])(work)
RULES = StageRules(gates={"script": GateRule(timeout_s=3600.0, on_timeout="approve")})


def fill(floor: Floor, queue: Queue) -> None:
    """One run in each state, named by it, and one for each state of a task that these do not have."""

    def to_gate(run: str) -> None:
        floor.start(SHOP, run, RULES, uri="file:///script.txt")
        done(floor.claim()[0])

    def done(task: ClaimedTask) -> None:
        assert floor.done(task, {"of": task.name}, files=[file(f"{task.name}.txt", task.run)])

    def behind_gate(run: str) -> tuple[ClaimedTask, ClaimedTask]:
        to_gate(run)
        approve_gate(floor.ledger, run, "script", operator="ann", notes="good")
        audio, pictures = sorted(floor.claim(), key=lambda task: task.name)
        return audio, pictures

    def park(task: ClaimedTask) -> None:
        specs = {f"{task.run}.{task.name}.{task.attempt}.{n}": {"text": str(n)} for n in range(2)}
        assert not finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")
        tend_parked(floor.ledger, queue)

    audio, pictures = behind_gate("completed")
    park(audio)
    done(pictures)
    queue.end()
    tend_parked(floor.ledger, queue)
    done(floor.claim()[0])
    done(floor.claim()[0])
    audio, pictures = behind_gate("failed")
    floor.fail(audio, for_good=True)
    done(pictures)
    to_gate("paused")
    reject_gate(floor.ledger, "paused", "script", operator="ann", notes="too long")
    audio, pictures = behind_gate("parked")
    park(audio)
    done(pictures)
    audio, pictures = behind_gate("canceled")
    cancel_job(floor.ledger, "canceled", operator="ann", notes="no")
    to_gate("needs_approval")
    floor.start(SHOP, "retried", RULES)
    floor.fail(floor.claim()[0], pause_s=60.0)
    audio, pictures = behind_gate("unsettled")
    floor.ledger.change_run("unsettled", lambda board, _: board.released("audio", "the worker stops"))
    finish(floor.ledger, [TaskReport(pictures, Done(result=None))], owner="ann:1", settle=False)
    floor.claim()
    behind_gate("running")
    floor.start(SHOP, "queued", RULES)
    place_events(floor.ledger)


def main() -> None:
    """Write the file of this release, once."""
    target = Path(__file__).with_name(f"tables_{HEAD}.sql")
    if target.exists():
        sys.exit(f"{target} is there; what a release wrote is never changed")
    with tempfile.TemporaryDirectory() as folder:
        with closing(open_database(f"sqlite:///{folder}/ledger.db")) as database:
            clock = ManualClock()
            fill(Floor(PipelineLedger(database, clock=clock), clock), Queue())
        with closing(sqlite3.connect(f"{folder}/ledger.db")) as connection:
            target.write_text("\n".join(connection.iterdump()) + "\n")


if __name__ == "__main__":
    main()
