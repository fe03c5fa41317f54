"""How jobs end and come back: results, failure classes, cancel, retry (Q18, Q20, Q22, Q29, Q35, Q36)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease, LeaseLost, QueueOptions
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job, moment


def claimed(queue: JobQueue) -> Lease:
    (lease,) = queue.claim("ann")
    return lease


def failure(error_class: ErrorClass) -> Failure:
    return Failure(error_class, f"it was {error_class.value}", {"log": ["one", "two"]})


@pytest.fixture
def lease(queue: JobQueue) -> Lease:
    queue.enqueue([job("a")])
    return queue.begin(claimed(queue))


def test_a_result_is_recorded_with_its_circumstances(
    queue: JobQueue, lease: Lease, clock: ManualClock
) -> None:
    clock.advance(7)
    queue.complete(lease, {"files": [{"name": "a.wav", "größe": 3}], "empty": [], "none": None})

    finished = queue.result("a")
    assert finished is not None
    assert finished.result == {"files": [{"name": "a.wav", "größe": 3}], "empty": [], "none": None}
    assert (finished.state, finished.attempt, finished.consumer) == (JobState.DONE, 1, "ann")
    assert finished.finished_at - finished.enqueued_at == moment(7)
    assert finished.started_at == finished.enqueued_at
    assert finished.error is None
    assert queue.snapshot().outstanding == 0


def test_completing_again_after_a_lost_reply_is_fine_and_changes_nothing(
    queue: JobQueue, lease: Lease
) -> None:
    queue.complete(lease, {"n": 1})
    events = queue.last_event_id()

    queue.complete(lease, {"n": 2})

    finished = queue.result("a")
    assert finished is not None
    assert finished.result == {"n": 1}
    assert queue.last_event_id() == events
    assert queue.snapshot().done == 1


def test_done_is_final(queue: JobQueue, lease: Lease, clock: ManualClock) -> None:
    queue.complete(lease, {"n": 1})
    clock.advance(1000)

    assert queue.claim("bob") == []
    assert queue.renew([lease]) == [lease]
    with pytest.raises(LeaseLost):
        queue.fail(lease, failure(ErrorClass.BAD_INPUT))
    with pytest.raises(LeaseLost):
        queue.release(lease, "drain")
    assert not queue.cancel("a").canceled
    assert not queue.retry(["a"])[0].retried
    record = queue.job("a")
    assert record is not None
    assert record.state is JobState.DONE


def test_bad_input_is_terminal_at_once_with_the_evidence(queue: JobQueue, lease: Lease) -> None:
    assert queue.fail(lease, failure(ErrorClass.BAD_INPUT)) is JobState.FAILED

    finished = queue.result("a")
    assert finished is not None
    assert finished.error == {
        "class": "bad_input",
        "message": "it was bad_input",
        "evidence": {"log": ["one", "two"]},
    }
    snapshot = queue.snapshot()
    assert (snapshot.failed, snapshot.canceled, snapshot.outstanding) == (1, 0, 0)


class TestATransientFailure:
    def test_waits_longer_each_time_and_ends_when_attempts_are_spent(
        self, queue: JobQueue, lease: Lease, clock: ManualClock
    ) -> None:
        assert queue.fail(lease, failure(ErrorClass.TRANSIENT)) is JobState.DELAYED
        record = queue.job("a")
        assert record is not None
        assert record.due_at == moment(clock.now() + 5)
        assert record.last_error is not None
        assert record.last_error["message"] == "it was transient"
        snapshot = queue.snapshot()
        assert (snapshot.waiting, snapshot.pending, snapshot.delayed) == (0, 0, 1)
        assert queue.claim("ann") == []

        clock.advance(5)
        second = queue.begin(claimed(queue))
        assert queue.snapshot().delayed == 0
        assert second.attempt == 2
        assert queue.fail(second, failure(ErrorClass.TRANSIENT)) is JobState.DELAYED
        record = queue.job("a")
        assert record is not None
        assert record.due_at == moment(clock.now() + 10)

        clock.advance(10)
        third = queue.begin(claimed(queue))
        assert queue.fail(third, failure(ErrorClass.TRANSIENT)) is JobState.FAILED
        finished = queue.result("a")
        assert finished is not None
        assert finished.attempt == 3

    def test_told_again_after_a_lost_reply_counts_once(self, queue: JobQueue, lease: Lease) -> None:
        assert queue.fail(lease, failure(ErrorClass.TRANSIENT)) is JobState.DELAYED
        events = queue.last_event_id()
        assert queue.fail(lease, failure(ErrorClass.TRANSIENT)) is JobState.DELAYED
        assert queue.last_event_id() == events

    def test_before_begin_counts_as_an_attempt(self, queue: JobQueue) -> None:
        queue.enqueue([job("b", max_attempts=1)])

        assert queue.fail(claimed(queue), failure(ErrorClass.TRANSIENT)) is JobState.FAILED


def test_poison_is_terminal_the_second_time(queue: JobQueue, lease: Lease, clock: ManualClock) -> None:
    assert queue.fail(lease, failure(ErrorClass.POISON)) is JobState.DELAYED
    clock.advance(600)
    assert queue.fail(queue.begin(claimed(queue)), failure(ErrorClass.POISON)) is JobState.FAILED

    record = queue.job("a")
    assert record is not None
    assert record.poisoned == 2


def test_a_machine_lost_too_often_ends_the_job(make_queue: MakeQueue) -> None:
    queue = make_queue(QueueOptions(lost_limit=2))
    queue.enqueue([job("a")])

    assert queue.fail(queue.begin(claimed(queue)), failure(ErrorClass.LOST_MACHINE)) is JobState.WAITING
    assert queue.fail(queue.begin(claimed(queue)), failure(ErrorClass.LOST_MACHINE)) is JobState.FAILED


class TestCancel:
    def test_takes_a_waiting_job_out(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])

        outcome = queue.cancel("a")

        assert (outcome.canceled, outcome.state) == (True, JobState.CANCELED)
        assert [item.request_id for item in queue.claim("ann", count=5)] == ["b"]

    def test_takes_a_delayed_job_out(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.claim("ann")  # whoever asked before
        queue.enqueue([job("a", not_before=clock.now() + 5)])

        assert queue.cancel("a").canceled
        assert queue.snapshot().delayed == 0
        clock.advance(10)
        assert queue.claim("ann") == []

    def test_takes_a_handed_back_job_out(self, queue: JobQueue, lease: Lease) -> None:
        queue.release(lease, "drain")

        assert queue.cancel("a").canceled
        assert queue.claim("bob") == []
        assert queue.snapshot().outstanding == 0

    def test_ends_a_running_job_and_its_worker_learns_it(self, queue: JobQueue, lease: Lease) -> None:
        assert queue.cancel("a").canceled

        assert queue.renew([lease]) == [lease]
        with pytest.raises(LeaseLost):
            queue.complete(lease, {})
        with pytest.raises(LeaseLost):
            queue.fail(lease, failure(ErrorClass.TRANSIENT))
        assert queue.snapshot().pending == 0

    def test_is_recorded_among_the_failed_with_its_class(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        queue.cancel("a")

        finished = queue.result("a")
        assert finished is not None
        assert finished.state is JobState.CANCELED
        assert finished.error is not None
        assert finished.error["class"] == "canceled"
        snapshot = queue.snapshot()
        assert (snapshot.failed, snapshot.canceled) == (0, 1)

    def test_twice_or_of_an_unknown_job_changes_nothing(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        queue.cancel("a")

        again, unknown = queue.cancel("a"), queue.cancel("zzz")

        assert (again.canceled, again.state) == (False, JobState.CANCELED)
        assert (unknown.canceled, unknown.state) == (False, None)

    def test_by_the_worker_itself(self, queue: JobQueue, lease: Lease) -> None:
        assert queue.fail(lease, failure(ErrorClass.CANCELED)) is JobState.CANCELED
        assert queue.snapshot().canceled == 1


class TestHistory:
    @pytest.fixture
    def finished(self, queue: JobQueue, clock: ManualClock) -> JobQueue:
        for number in range(9):
            queue.enqueue([job(f"j{number}")])
            lease = claimed(queue)
            if number % 3 == 0:
                queue.complete(lease, {})
            elif number % 3 == 1:
                queue.fail(lease, failure(ErrorClass.BAD_INPUT))
            else:
                queue.cancel(lease.request_id)
            clock.advance(10)
        return queue

    def test_is_most_recent_first(self, finished: JobQueue) -> None:
        assert [item.request_id for item in finished.history(limit=4)] == ["j8", "j7", "j6", "j5"]

    @pytest.mark.parametrize(
        ("status", "ids"),
        [
            (JobState.DONE, ["j6", "j3", "j0"]),
            (JobState.FAILED, ["j7", "j4", "j1"]),
            (JobState.CANCELED, ["j8", "j5", "j2"]),
        ],
    )
    def test_can_be_of_one_kind(self, finished: JobQueue, status: JobState, ids: list[str]) -> None:
        assert [item.request_id for item in finished.history(status=status)] == ids
        assert [item.request_id for item in finished.history(status=status, limit=1)] == ids[:1]

    def test_is_read_on_behind_the_last_record(self, finished: JobQueue) -> None:
        first = finished.history(limit=4)
        second = finished.history(limit=4, behind=first[-1])
        third = finished.history(limit=4, behind=second[-1])

        assert [item.request_id for item in second + third] == ["j4", "j3", "j2", "j1", "j0"]
        assert finished.history(limit=4, behind=third[-1]) == []
        failed = finished.history(status=JobState.FAILED, limit=1)
        assert [item.request_id for item in finished.history(status=JobState.FAILED, behind=failed[0])] == [
            "j4",
            "j1",
        ]

    def test_pages_neither_repeat_nor_hide_a_record_while_jobs_finish(
        self, finished: JobQueue, clock: ManualClock
    ) -> None:
        seen = finished.history(limit=3)
        while page := finished.history(limit=3, behind=seen[-1]):
            finished.enqueue([job(f"new{len(seen)}"), job(f"newer{len(seen)}")])
            finished.complete_many([(lease, {}) for lease in finished.claim("bob", count=2)])
            clock.advance(1)
            seen += page

        assert [item.request_id for item in seen] == [f"j{number}" for number in reversed(range(9))]

    def test_of_one_moment_is_paged_through_whole(self, queue: JobQueue) -> None:
        names = {f"j{number}" for number in range(450)}
        queue.enqueue([job(name) for name in names])
        queue.complete_many([(lease, {}) for lease in queue.claim("ann", count=450)])
        seen = queue.history(limit=7)
        while page := queue.history(limit=150, behind=seen[-1]):
            seen += page

        assert len(seen) == 450
        assert {item.request_id for item in seen} == names
        assert len(queue.history(limit=1000)) == 450

    def test_can_begin_at_a_time(self, finished: JobQueue, clock: ManualClock) -> None:
        recent = finished.history(since=clock.now() - 25)

        assert [item.request_id for item in recent] == ["j8", "j7"]


def test_many_records_come_in_the_order_asked_for(queue: JobQueue) -> None:
    names = [f"j{number}" for number in range(230)]
    queue.enqueue([job(name) for name in names])
    leases = {lease.request_id: lease for lease in queue.claim("ann", count=230)}
    queue.complete_many([(leases[name], {"of": name}) for name in names[:-2]])
    queue.fail(leases["j228"], failure(ErrorClass.BAD_INPUT))

    found = queue.results(["unknown", *reversed(names)])

    assert found[:2] == [None, None], "unknown, and running"
    assert found[2] == queue.result("j228")
    assert [item.result for item in found[3:] if item] == [{"of": name} for name in reversed(names[:-2])]
    assert queue.results([]) == []


def test_an_unknown_id_has_no_record_but_near_ones(queue: JobQueue) -> None:
    queue.enqueue([job("course:beat-001"), job("course:beat-002"), job("other")])

    assert queue.job("course:beat-01") is None
    assert queue.result("course:beat-01") is None
    assert "course:beat-001" in queue.nearest("course:beat-01")
    assert queue.nearest("zzzzzzzz") == ()


class TestARecordWhoseTimeIsOver:
    @pytest.fixture
    def queue(self, make_queue: MakeQueue, clock: ManualClock) -> JobQueue:
        queue = make_queue(QueueOptions(result_ttl_s=100))
        queue.enqueue([job("done"), job("failed"), job("canceled")])
        done, failed = queue.claim("ann", count=2)
        queue.complete(done, {})
        queue.fail(failed, Failure(ErrorClass.BAD_INPUT, "no"))
        queue.cancel("canceled")
        clock.advance(99.9)
        assert len(queue.history()) == 3
        clock.advance(0.1)
        return queue

    def test_is_shown_by_nothing(self, queue: JobQueue) -> None:
        assert queue.history() == []
        for request_id in ("done", "failed", "canceled"):
            assert queue.job(request_id) is None
            assert queue.jobs([request_id]) == [None]
            assert queue.result(request_id) is None

    def test_can_neither_be_retried_nor_canceled(self, queue: JobQueue) -> None:
        for outcome in queue.retry(["failed", "canceled"]):
            assert (outcome.retried, outcome.state) == (False, None)
        assert queue.cancel("done").state is None
        assert queue.snapshot().outstanding == 0


@pytest.mark.parametrize("ending", ["done", "failed", "canceled"])
def test_what_ended_cannot_be_canceled(queue: JobQueue, ending: str) -> None:
    queue.enqueue([job("a")])
    if ending == "canceled":
        queue.cancel("a")
    else:
        (lease,) = queue.claim("ann")
        if ending == "done":
            queue.complete(lease, {"ok": True})
        else:
            queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no"))
    before = queue.result("a")

    outcome = queue.cancel("a")

    assert not outcome.canceled
    assert outcome.state is JobState(ending)
    assert queue.result("a") == before
