"""What stays of a job's earlier tries, what they cost it, and what is told of them (Q34, Q35, Q36)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease, QueueOptions
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job


def claimed(queue: JobQueue) -> Lease:
    (lease,) = queue.claim("ann")
    return lease


def failure(error_class: ErrorClass) -> Failure:
    return Failure(error_class, f"it was {error_class.value}")


@pytest.fixture
def lease(queue: JobQueue) -> Lease:
    queue.enqueue([job("a")])
    return queue.begin(claimed(queue))


@pytest.mark.parametrize("ending", ["done", "failed", "canceled"])
def test_a_job_that_ended_keeps_nothing_of_the_tries_before(
    queue: JobQueue, lease: Lease, clock: ManualClock, ending: str
) -> None:
    """A done job would else be shown with the error of a try that was made up for, for ever."""
    queue.fail(lease, failure(ErrorClass.TRANSIENT))
    clock.advance(5)
    second = queue.begin(claimed(queue))
    queue.progress(second, {"pieces_done": 1})
    record = queue.job("a")
    assert record is not None
    assert record.last_error is not None
    assert record.progress is not None

    if ending == "done":
        queue.complete(second, {"n": 1})
    elif ending == "failed":
        queue.fail(second, failure(ErrorClass.BAD_INPUT))
    else:
        queue.cancel("a")

    record = queue.job("a")
    assert record is not None
    assert record.state is JobState(ending)
    assert (record.last_error, record.progress) == (None, None)


def test_a_job_that_was_handed_back_shows_no_progress(queue: JobQueue, lease: Lease) -> None:
    queue.progress(lease, {"pieces_done": 1})

    queue.release(lease, "drain")

    record = queue.job("a")
    assert record is not None
    assert (record.state, record.progress) == (JobState.WAITING, None)


def test_a_job_that_is_given_up_when_its_lease_is_taken_back_is_told_of(
    make_queue: MakeQueue, clock: ManualClock
) -> None:
    queue = make_queue(QueueOptions(lost_limit=1))
    queue.enqueue([job("a")])
    queue.begin(claimed(queue))
    clock.advance(10_000)

    assert queue.claim("bob") == []

    last = queue.follow_events("0-0")[-1]
    assert (last.kind, last.request_id, last.data) == ("failed", "a", {"class": "poison"})


@pytest.mark.parametrize("begun", [True, False])
def test_a_machine_that_was_lost_costs_its_job_no_attempt(queue: JobQueue, begun: bool) -> None:
    queue.enqueue([job("a", max_attempts=1)])
    lease = claimed(queue)

    queue.fail(queue.begin(lease) if begun else lease, failure(ErrorClass.LOST_MACHINE))

    record = queue.job("a")
    assert record is not None
    assert record.attempt - record.excused == 0
    assert (record.attempt, record.lost) == ((1, 1) if begun else (0, 0))
    assert queue.fail(queue.begin(claimed(queue)), failure(ErrorClass.TRANSIENT)) is JobState.FAILED
