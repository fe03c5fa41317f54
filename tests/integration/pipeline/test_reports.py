"""How tasks ended is written together, and one that cannot be written does not hold up the others."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sqlalchemy import text

from job_pipeline.worker.held_tasks import HeldTasks
from job_pipeline.worker.rates import Rates
from job_pipeline.worker.reports import Reports
from lib.clock import ManualClock
from lib.pipeline.claims import claim, renew
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.states import TaskState
from lib.pipeline.work import ClaimedTask, Done
from lib.redact import Redactor
from lib.sql import open_database
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import Shop


def reports_of(ledger: PipelineLedger, tasks: Sequence[ClaimedTask]) -> tuple[Reports, HeldTasks]:
    held, clock = HeldTasks(), ManualClock()
    held.add(tasks)
    made = Reports(
        ledger,
        held,
        Rates(clock),
        owner="ann",
        settles=True,
        redactor=Redactor(),
        clock=clock,
        chance=random.random,
    )
    return made, held


def test_an_end_that_cannot_be_written_fails_alone(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.held, "r1", "r2")
    tasks = claim(lite_shop.ledger, {"held": ["wait"]}, owner="ann", count=2, lease_s=60)
    reports, held = reports_of(lite_shop.ledger, tasks)
    reports.add(tasks[0], Done(result=object()))
    reports.add(tasks[1], Done(result="fine"))

    assert reports.write()
    assert lite_shop.task(tasks[0].run, "wait").state is TaskState.FAILED
    assert lite_shop.task(tasks[1].run, "wait").state is TaskState.SUCCEEDED
    assert (len(held), reports.due_in_s) == (0, None)


def test_a_run_that_somebody_holds_on_to_does_not_hold_up_the_others(pg_shop: Shop) -> None:
    pg_shop.start(sample_dags.held, "r1", "r2")
    ledger = PipelineLedger(
        open_database(pg_shop.url, schema=pg_shop.schema, patience_s=0.1, statement_timeout_ms=300)
    )
    tasks = claim(ledger, {"held": ["wait"]}, owner="ann", count=2, lease_s=60)
    reports, held = reports_of(ledger, tasks)
    for task in tasks:
        reports.add(task, Done(result="fine"))

    with pg_shop.ledger.database.engine.begin() as other:
        other.execute(text("SELECT 1 FROM pipeline_runs WHERE id = 'r1' FOR UPDATE"))
        other.execute(text("SELECT 1 FROM pipeline_tasks WHERE run = 'r1' FOR UPDATE"))
        before = {run: pg_shop.task(run, "wait").lease_expires_at for run in ("r1", "r2")}
        assert renew(ledger, tasks, owner="ann", lease_s=90) == []  # waits for nobody
        after = {run: pg_shop.task(run, "wait").lease_expires_at for run in ("r1", "r2")}
        assert reports.write()
        assert pg_shop.task("r2", "wait").state is TaskState.SUCCEEDED
        assert [task.run for task in held.all()] == ["r1"]
    assert (after["r1"] == before["r1"], after["r2"] == before["r2"]) == (True, False)

    assert reports.write(at_once=True)
    assert pg_shop.states() == {"completed": 2}
    ledger.database.close()
