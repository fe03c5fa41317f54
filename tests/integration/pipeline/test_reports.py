"""How tasks ended is written together, and one that cannot be written does not hold up the others."""

from __future__ import annotations

import random

from job_pipeline.worker.held_tasks import HeldTasks
from job_pipeline.worker.rates import Rates
from job_pipeline.worker.reports import Reports
from lib.clock import ManualClock
from lib.pipeline.claims import claim
from lib.pipeline.states import TaskState
from lib.pipeline.work import Done
from lib.redact import Redactor
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import Shop


def test_an_end_that_cannot_be_written_fails_alone(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.held, "r1", "r2")
    tasks = claim(lite_shop.ledger, {"held": ["wait"]}, owner="ann", count=2, lease_s=60)
    held, clock = HeldTasks(), ManualClock()
    held.add(tasks)
    reports = Reports(
        lite_shop.ledger,
        held,
        Rates(clock),
        owner="ann",
        settles=True,
        redactor=Redactor(),
        clock=clock,
        chance=random.random,
    )
    reports.add(tasks[0], Done(result=object()))
    reports.add(tasks[1], Done(result="fine"))

    assert reports.write()
    assert lite_shop.task(tasks[0].run, "wait").state is TaskState.FAILED
    assert lite_shop.task(tasks[1].run, "wait").state is TaskState.SUCCEEDED
    assert (len(held), reports.due_in_s) == (0, None)
