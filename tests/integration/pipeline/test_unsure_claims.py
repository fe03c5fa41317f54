"""A claim whose commit nobody confirmed: what it leased is done at once, what it did not is claimed anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from job_pipeline.worker.options import PipelineWorkerOptions
from job_pipeline.worker.program import PipelineWorker
from lib.errors import Unavailable
from lib.pipeline.claims import UnsureClaim, claim
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.sql import open_database
from tests.integration.pipeline import sample_dags
from tests.integration.pipeline.shop import SAMPLES, Shop, until


class CutOff(PipelineLedger):
    """Loses its connection once, in the commit of the first claim: behind what was `written`, or before.

    Then it calls `at_cut`. `most`: how many leases were held at the same time of tasks that had not ended; a
    worker may learn that its process is free a moment before it learns of the end.
    """

    def __init__(self, shop: Shop, written: bool, at_cut: Callable[[], None] = lambda: None) -> None:
        super().__init__(open_database(shop.url, schema=shop.schema))
        self._shop, self._written, self._cuts, self._at_cut = shop, written, 1, at_cut
        self.most = 0

    def change(self, work: Callable[[Transaction], Any]) -> Any:
        def cut(transaction: Transaction) -> Any:
            answer = work(transaction)
            begun = transaction.all("leases_of", owner="ann")
            ended = {run for run, _, _, event, _ in self._shop.notes() if event == "ends"}
            self.most = max(self.most, sum(row["run"] not in ended for row in begun))
            if not begun or not self._cuts:
                return answer
            self._cuts -= 1
            self._at_cut()
            if not self._written:
                raise Unavailable("the connection ended")
            return _Cut()

        answer = super().change(cut)
        if isinstance(answer, _Cut):
            raise Unavailable("the connection ended")
        return answer


class _Cut:
    pass


@pytest.mark.parametrize("written", [True, False])
def test_what_a_claim_leased_is_done_by_the_same_worker_in_the_same_attempt(
    lite_shop: Shop, written: bool
) -> None:
    lite_shop.start(sample_dags.five, "r1")
    names = [f"{SAMPLES}:five"]
    options = PipelineWorkerOptions(dags=names, owner="ann", folder=lite_shop.runs, poll_s=0.05)
    worker = PipelineWorker(lambda: CutOff(lite_shop, written), options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: lite_shop.states() == {"completed": 1})
    finally:
        worker.drain()
        thread.join()

    top = lite_shop.task("r1", "top")
    assert (top.attempt, top.failures, top.lease_no) == (1, 0, 1)
    assert lite_shop.story("r1")[:3] == ["job_started", "stage_started:top", "stage_completed:top"]


def test_no_more_is_claimed_than_there_is_room_for_beside_what_was_leased(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.held, "r1", "r2")
    options = PipelineWorkerOptions(dags=[f"{SAMPLES}:held"], owner="ann", folder=lite_shop.runs, poll_s=0.05)
    ledgers = [CutOff(lite_shop, True), CutOff(lite_shop, True)]
    given = iter(ledgers)
    worker = PipelineWorker(lambda: next(given), options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: lite_shop.began("wait"))  # it holds on until both claims were made, were there two
        (lite_shop.runs / "go-1").touch()
        until(lambda: lite_shop.states() == {"completed": 2})
    finally:
        worker.drain()
        thread.join()

    assert max(ledger.most for ledger in ledgers) == options.concurrency


@pytest.mark.parametrize("written", [True, False])
def test_a_worker_that_is_drained_gives_back_what_it_may_have_leased(lite_shop: Shop, written: bool) -> None:
    lite_shop.start(sample_dags.five, "r1")
    options = PipelineWorkerOptions(dags=[f"{SAMPLES}:five"], owner="ann", folder=lite_shop.runs, poll_s=0.05)
    worker = PipelineWorker(lambda: CutOff(lite_shop, written, worker.drain), options)
    worker.run()

    top = lite_shop.task("r1", "top")
    assert (top.state, top.lease_owner, top.failures) == ("pending", None, 0)
    assert top.ready_at is not None
    assert lite_shop.notes() == []


def test_a_claim_tells_which_tasks_it_is_unsure_of(lite_shop: Shop) -> None:
    lite_shop.start(sample_dags.five, "r1", "r2")
    ledger = CutOff(lite_shop, True)
    with closing(ledger.database), pytest.raises(UnsureClaim, match="the connection ended") as told:
        claim(ledger, {"five": ["top"]}, owner="ann", count=2, lease_s=60)
    assert {(task.run, task.name) for task in told.value.tasks} == {("r1", "top"), ("r2", "top")}
