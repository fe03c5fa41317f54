"""Large files: their place in the order of asking, and what is told of each job (Q42, Q43)."""

from __future__ import annotations

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import Changed, JobState, Outcome
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from tests.contract.jobqueue.jobs import job
from tests.integration.jobqueue.staged import ITEMS, JOBS, PAUSE_MS, stage_all


@pytest.fixture
def queue(timed_queue: RedisQueue) -> RedisQueue:
    return timed_queue


class TestTheOrderOfAsking:
    """A committed file was asked for when it was committed, whoever moves its jobs, and whenever (Q43)."""

    @staticmethod
    def order_of(queue: RedisQueue, name: str) -> int:
        record = queue.job(name)
        assert record is not None
        return record.order

    def test_what_is_asked_for_while_a_file_is_moved_comes_after_all_of_it(
        self, faces: ScriptCalls, queue: RedisQueue
    ) -> None:
        stage_all(faces)
        faces.commit("b1", PAUSE_MS, 10_000)
        faces.publish("b1", 100, PAUSE_MS)

        queue.enqueue([job("later")])
        while faces.publish("b1", 300, PAUSE_MS):
            pass

        orders = [self.order_of(queue, item.request_id) for item in ITEMS]
        assert orders == sorted(set(orders))
        assert orders[-1] < self.order_of(queue, "later")

    def test_a_job_asked_for_again_before_it_was_moved_comes_last(
        self, faces: ScriptCalls, queue: RedisQueue
    ) -> None:
        stage_all(faces)
        faces.commit("b1", PAUSE_MS, 10_000)
        queue.enqueue([job("between")])

        (again,) = queue.enqueue([JOBS[7]])

        assert (again.outcome, again.state) == (Outcome.DUPLICATE, JobState.WAITING)
        assert self.order_of(queue, "between") < self.order_of(queue, "j0007")

    def test_a_batch_that_the_version_before_committed_gets_its_order_when_it_is_moved(
        self, faces: ScriptCalls, queue: RedisQueue, raw: redis.Redis, clock: ManualClock
    ) -> None:
        stage_all(faces)
        faces.commit("b1", PAUSE_MS, 10_000)
        raw.hset("pab:jobs:batches", "b1", f'["committed",{round(clock.now() * 1000)}]')

        while faces.publish("b1", 500, PAUSE_MS):
            pass

        orders = [self.order_of(queue, item.request_id) for item in ITEMS]
        assert len(set(orders)) == len(orders)
        assert min(orders) > 0


def test_a_large_file_tells_what_became_of_each_job_where_another_is_moved_meanwhile(
    faces: ScriptCalls, queue: RedisQueue
) -> None:
    stage_all(faces)
    faces.commit("b1", PAUSE_MS, 10_000)
    file = [job("new"), *(job(spec.request_id, text="Another.") for spec in JOBS)]

    outcomes = queue.enqueue(file, changed=Changed.REPLACE)

    assert [item.outcome for item in outcomes] == [Outcome.CREATED] + [Outcome.REPLACED] * len(JOBS)
    assert {item.revision for item in outcomes[1:]} == {2}


def test_a_look_sees_what_is_accepted_and_not_moved_and_moves_nothing(
    faces: ScriptCalls, queue: RedisQueue
) -> None:
    stage_all(faces)
    faces.commit("b1", PAUSE_MS, 10_000)

    (seen,) = queue.enqueue([JOBS[7]], dry_run=True)

    assert (seen.outcome, seen.state) == (Outcome.DUPLICATE, JobState.WAITING)
    assert faces.publish("b1", 1, PAUSE_MS) == len(JOBS) - 1


def test_a_conflict_in_a_large_file_names_the_revision_that_is_known(queue: RedisQueue) -> None:
    queue.enqueue([JOBS[0]])
    queue.enqueue([job("j0000", text="Another.")], changed=Changed.REPLACE)

    conflict = queue.enqueue(JOBS)[0]

    assert (conflict.outcome, conflict.revision) == (Outcome.CONFLICT, 2)
