"""Failed and canceled jobs put back by a person (Q20)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease
from tests.contract.jobqueue.jobs import job


def claimed(queue: JobQueue) -> Lease:
    (lease,) = queue.claim("ann")
    return lease


def failure(error_class: ErrorClass) -> Failure:
    return Failure(error_class, f"it was {error_class.value}", {"log": ["one", "two"]})


class TestRetry:
    @pytest.fixture
    def failed(self, queue: JobQueue) -> str:
        queue.enqueue([job("a", max_attempts=2)])
        queue.fail(queue.begin(claimed(queue)), failure(ErrorClass.BAD_INPUT))
        return "a"

    def test_requeues_with_attempts_to_spend_anew(self, queue: JobQueue, failed: str) -> None:
        (outcome,) = queue.retry([failed])

        assert (outcome.retried, outcome.state) == (True, JobState.WAITING)
        assert queue.result(failed) is None
        assert queue.history() == []
        again = queue.begin(claimed(queue))
        assert again.spec == job("a", max_attempts=2)
        assert queue.fail(again, failure(ErrorClass.TRANSIENT)) is JobState.DELAYED

    def test_requeues_a_canceled_job(self, queue: JobQueue) -> None:
        queue.enqueue([job("b")])
        queue.cancel("b")

        assert queue.retry(["b"])[0].retried
        assert queue.snapshot().canceled == 0
        assert claimed(queue).request_id == "b"

    def test_keeps_a_job_back_until_its_time(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.claim("ann")  # whoever asked before
        due = clock.now() + 60
        queue.enqueue([job("later", not_before=due), job("soon", not_before=clock.now() + 1)])
        for name in ("later", "soon"):
            queue.cancel(name)
        clock.advance(1)

        outcomes = queue.retry(["later", "soon"])

        assert [item.state for item in outcomes] == [JobState.DELAYED, JobState.WAITING]
        assert [event.kind for event in queue.follow_events("0-0")][-2:] == ["deferred", "retried"]
        record = queue.job("later")
        assert record is not None
        assert record.due_at == due
        assert [lease.request_id for lease in queue.claim("ann", count=5)] == ["soon"]
        clock.advance(59)
        assert [lease.request_id for lease in queue.claim("ann", count=5)] == ["later"]

    def test_of_anything_else_changes_nothing_and_names_its_state(self, queue: JobQueue, failed: str) -> None:
        queue.enqueue([job("b")])

        outcomes = queue.retry(["b", "unknown", failed, failed])

        assert [(item.retried, item.state) for item in outcomes] == [
            (False, JobState.WAITING),
            (False, None),
            (True, JobState.WAITING),
            (False, JobState.WAITING),
        ]


@pytest.mark.parametrize("ending", ["failed", "canceled"])
def test_a_job_that_was_mended_is_no_more_among_those_that_ended_badly(queue: JobQueue, ending: str) -> None:
    queue.enqueue([job("a")])
    if ending == "failed":
        queue.fail(queue.claim("ann")[0], Failure(ErrorClass.BAD_INPUT, "no"))
    else:
        queue.cancel("a")
    assert [item.request_id for item in queue.history(status=JobState(ending))] == ["a"]

    queue.retry(["a"])
    assert queue.history() == queue.history(status=JobState(ending)) == []
    queue.complete(queue.claim("ann")[0], {})

    assert [item.state for item in queue.history()] == [JobState.DONE]
    assert queue.history(status=JobState(ending)) == []
    snapshot = queue.snapshot()
    assert (snapshot.done, snapshot.failed, snapshot.canceled) == (1, 0, 0)
