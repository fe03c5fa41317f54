"""Accepting jobs: once per request id, all or none (Q14, Q32, Q38, depth limit)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import Changed, ErrorClass, Failure, JobQueue, JobSpec, JobState, Outcome, QueueOptions
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job, moment


def outcomes(
    queue: JobQueue, *jobs: JobSpec, changed: Changed = Changed.REFUSE, dry_run: bool = False
) -> list[Outcome]:
    return [item.outcome for item in queue.enqueue(jobs, changed=changed, dry_run=dry_run)]


def test_a_new_job_is_created_and_waits(queue: JobQueue) -> None:
    (outcome,) = queue.enqueue([job("a")])

    assert (outcome.outcome, outcome.state, outcome.dedup_until) == (Outcome.CREATED, JobState.WAITING, None)
    record = queue.job("a")
    assert record is not None
    assert record.state is JobState.WAITING
    assert record.attempt == 0


def test_the_same_job_again_is_a_duplicate_and_changes_nothing(queue: JobQueue) -> None:
    queue.enqueue([job("a")])

    (again,) = queue.enqueue([job("a")])

    assert (again.outcome, again.state, again.dedup_until) == (Outcome.DUPLICATE, JobState.WAITING, None)
    assert queue.snapshot().waiting == 1
    assert len(queue.claim("ann", count=5)) == 1


def test_fields_that_do_not_change_the_output_make_no_conflict(queue: JobQueue) -> None:
    queue.enqueue([job("a")])

    assert outcomes(queue, job("a", priority="high", max_attempts=7, timeout_s=9)) == [Outcome.DUPLICATE]


def test_one_conflict_keeps_the_whole_call_out(queue: JobQueue) -> None:
    queue.enqueue([job("a")])

    result = queue.enqueue([job("b"), job("a", text="Something else."), job("c")])

    assert [item.outcome for item in result] == [Outcome.WITHHELD, Outcome.CONFLICT, Outcome.WITHHELD]
    assert result[1].state is JobState.WAITING
    assert queue.job("b") is None
    assert queue.snapshot().waiting == 1


def test_conflicts_can_be_skipped(queue: JobQueue) -> None:
    queue.enqueue([job("a")])

    assert outcomes(queue, job("b"), job("a", text="Else."), changed=Changed.SKIP) == [
        Outcome.CREATED,
        Outcome.CONFLICT,
    ]
    assert queue.snapshot().waiting == 2
    ids = {lease.spec.text for lease in queue.claim("ann", count=5)}
    assert ids == {"This is a.", "This is b."}


def test_a_call_that_repeats_itself_is_judged_like_two_calls(queue: JobQueue) -> None:
    assert outcomes(queue, job("a"), job("a")) == [Outcome.CREATED, Outcome.DUPLICATE]
    assert outcomes(queue, job("b"), job("b", text="Else.")) == [Outcome.WITHHELD, Outcome.CONFLICT]
    assert queue.job("b") is None
    assert outcomes(queue, job("c"), job("c", text="Else."), changed=Changed.SKIP) == [
        Outcome.CREATED,
        Outcome.CONFLICT,
    ]


def test_a_dry_run_says_the_outcomes_and_changes_nothing(queue: JobQueue) -> None:
    queue.enqueue([job("a")])
    before = queue.last_event_id()

    assert outcomes(queue, job("a"), job("b"), dry_run=True) == [Outcome.DUPLICATE, Outcome.CREATED]
    assert queue.job("b") is None
    assert queue.last_event_id() == before


def test_a_dry_run_skips_conflicts_as_the_real_one_would(queue: JobQueue) -> None:
    queue.enqueue([job("a")])

    assert outcomes(queue, job("b"), job("a", text="Else."), changed=Changed.SKIP, dry_run=True) == [
        Outcome.CREATED,
        Outcome.CONFLICT,
    ]
    assert queue.job("b") is None


def test_a_job_for_later_is_delayed_until_then(queue: JobQueue, clock: ManualClock) -> None:
    (outcome,) = queue.enqueue([job("a", not_before=clock.now() + 60)])

    assert outcome.state is JobState.DELAYED
    assert queue.snapshot().delayed == 1
    assert queue.claim("ann") == []
    clock.advance(60)
    assert [lease.request_id for lease in queue.claim("ann")] == ["a"]


def test_a_time_that_is_over_delays_nothing(queue: JobQueue, clock: ManualClock) -> None:
    (outcome,) = queue.enqueue([job("a", not_before=clock.now() - 60)])

    assert outcome.state is JobState.WAITING


@pytest.mark.parametrize("count", [3, 1200])
def test_a_full_queue_rejects_the_whole_call(make_queue: MakeQueue, count: int) -> None:
    queue = make_queue(QueueOptions(max_depth=count))
    queue.enqueue([job("known")])

    result = queue.enqueue([job("known"), *(job(f"n{number}") for number in range(count))])

    assert result[0].outcome is Outcome.DUPLICATE
    assert {item.outcome for item in result[1:]} == {Outcome.REJECTED}
    assert queue.snapshot().outstanding == 1
    assert queue.job("n0") is None


def test_a_job_is_known_as_long_as_its_record(make_queue: MakeQueue, clock: ManualClock) -> None:
    queue = make_queue(QueueOptions(result_ttl_s=100))
    queue.enqueue([job("a")])
    queue.complete(queue.claim("ann")[0], {"ok": True})
    finished = clock.now()

    clock.advance(99)
    (known,) = queue.enqueue([job("a")])
    assert (known.outcome, known.state) == (Outcome.DUPLICATE, JobState.DONE)
    assert known.dedup_until == moment(finished + 100)

    clock.advance(1)
    assert outcomes(queue, job("a", text="Now it may differ.")) == [Outcome.CREATED]
    assert queue.result("a") is None
    assert queue.snapshot().done == 0
    assert queue.history() == []


def test_a_conflict_is_told_though_the_queue_is_full_too(make_queue: MakeQueue) -> None:
    queue = make_queue(QueueOptions(max_depth=1))
    queue.enqueue([job("a")])

    assert outcomes(queue, job("a", text="Else."), job("b")) == [Outcome.CONFLICT, Outcome.WITHHELD]


@pytest.mark.parametrize("others", [0, 600])
def test_duplicates_of_finished_jobs_say_how_long_they_are_known(
    make_queue: MakeQueue, clock: ManualClock, others: int
) -> None:
    queue = make_queue(QueueOptions(result_ttl_s=100))
    endings = [job("done"), job("failed"), job("canceled")]
    queue.enqueue(endings)
    done, failed = queue.claim("ann", count=2)
    queue.complete(done, {})
    queue.fail(failed, Failure(ErrorClass.BAD_INPUT, "no"))
    queue.cancel("canceled")
    known_until = clock.now() + 100
    clock.advance(1)

    outcomes = queue.enqueue([*endings, *(job(f"n{number}") for number in range(others))])

    assert [(item.state, item.dedup_until) for item in outcomes[:3]] == [
        (JobState.DONE, moment(known_until)),
        (JobState.FAILED, moment(known_until)),
        (JobState.CANCELED, moment(known_until)),
    ]


def test_a_job_that_waits_longer_than_records_are_kept_stays_known(
    make_queue: MakeQueue, clock: ManualClock
) -> None:
    queue = make_queue(QueueOptions(result_ttl_s=100))
    queue.enqueue([job("a")])
    clock.advance(200)

    assert outcomes(queue, job("a")) == [Outcome.DUPLICATE]
    assert queue.cancel("a").canceled


def test_results_beyond_the_limit_are_forgotten_oldest_first(
    make_queue: MakeQueue, clock: ManualClock
) -> None:
    queue = make_queue(QueueOptions(history_max=3))
    for number in range(6):
        queue.enqueue([job(f"j{number}")])
        queue.complete(queue.claim("ann")[0], {"number": number})
        clock.advance(1)

    assert [item.request_id for item in queue.history()] == ["j5", "j4", "j3"]
    assert queue.job("j0") is None
    assert queue.snapshot().done == 3


def test_results_beyond_their_time_are_swept_as_others_end(make_queue: MakeQueue, clock: ManualClock) -> None:
    queue = make_queue(QueueOptions(result_ttl_s=100))
    for name in ("a", "b"):
        queue.enqueue([job(name)])
        queue.complete(queue.claim("ann")[0], {})
        clock.advance(60)
    queue.enqueue([job("c")])
    queue.complete(queue.claim("ann")[0], {})

    assert [item.request_id for item in queue.history()] == ["c", "b"]
    assert queue.snapshot().done == 2


def test_canceled_jobs_that_are_forgotten_are_counted_no_more(
    make_queue: MakeQueue, clock: ManualClock
) -> None:
    queue = make_queue(QueueOptions(history_max=1))
    queue.enqueue([job("a"), job("b")])
    queue.cancel("a")
    clock.advance(1)
    queue.cancel("b")

    snapshot = queue.snapshot()
    assert (snapshot.canceled, snapshot.failed) == (1, 0)


def test_other_jobs_that_are_forgotten_leave_the_count_of_canceled(make_queue: MakeQueue) -> None:
    queue = make_queue(QueueOptions(history_max=1))
    queue.enqueue([job("done"), job("failed"), job("last")])
    done, failed, last = queue.claim("ann", count=3)
    queue.complete(done, {})
    queue.fail(failed, Failure(ErrorClass.BAD_INPUT, "no"))
    queue.complete(last, {})

    assert len(queue.history()) == 1
    assert queue.snapshot().canceled == 0


def test_waiting_work_is_never_trimmed(make_queue: MakeQueue) -> None:
    queue = make_queue(QueueOptions(history_max=1, events_max=1))
    queue.enqueue([job(f"j{number}") for number in range(700)])

    assert queue.snapshot().waiting == 700
    assert len(queue.claim("ann", count=500)) + len(queue.claim("ann", count=500)) == 700


class TestALargeFile:
    """More jobs than one script takes: staged in chunks, accepted in one step."""

    def test_is_enqueued_whole_and_in_order(self, queue: JobQueue) -> None:
        result = queue.enqueue([job(f"j{number:04}") for number in range(1300)])

        assert {item.outcome for item in result} == {Outcome.CREATED}
        assert queue.snapshot().waiting == 1300
        claimed = [lease.request_id for _ in range(3) for lease in queue.claim("ann", count=500)]
        assert claimed == [f"j{number:04}" for number in range(1300)]

    def test_with_a_conflict_in_the_last_chunk_leaves_nothing(self, queue: JobQueue) -> None:
        queue.enqueue([job("j1299", text="Else.")])

        result = queue.enqueue([job(f"j{number:04}") for number in range(1300)])

        assert [item.outcome for item in result].count(Outcome.WITHHELD) == 1299
        assert result[-1].outcome is Outcome.CONFLICT
        assert queue.snapshot().outstanding == 1
        assert queue.job("j0000") is None
        assert queue.jobs(["j0000", "j1299"])[0] is None

    def test_repeated_is_all_duplicates(self, queue: JobQueue) -> None:
        jobs = [job(f"j{number:04}") for number in range(1300)]
        queue.enqueue(jobs)

        again = queue.enqueue(jobs)

        assert {(item.outcome, item.dedup_until) for item in again} == {(Outcome.DUPLICATE, None)}
        assert queue.snapshot().waiting == 1300

    def test_takes_the_place_of_what_is_forgotten(self, make_queue: MakeQueue, clock: ManualClock) -> None:
        queue = make_queue(QueueOptions(result_ttl_s=100))
        queue.enqueue([job("j0001", text="Long ago.")])
        queue.complete(queue.claim("ann")[0], {})
        clock.advance(100)

        result = queue.enqueue([job(f"j{number:04}") for number in range(1300)])

        assert {item.outcome for item in result} == {Outcome.CREATED}
        assert queue.snapshot().done == 0
        assert queue.history() == []

    def test_keeps_priorities_and_delays(self, queue: JobQueue, clock: ManualClock) -> None:
        jobs = [job(f"j{number:04}") for number in range(1000)]
        jobs += [job("soon", not_before=clock.now() + 5), job("first", priority="high")]
        result = queue.enqueue(jobs)

        assert result[-2].state is JobState.DELAYED
        assert queue.snapshot().delayed == 1
        assert queue.claim("ann")[0].request_id == "first"

    def test_tells_of_each_job_what_became_of_it(self, queue: JobQueue, clock: ManualClock) -> None:
        jobs = [job(f"j{number:04}") for number in range(600)]
        jobs += [job("past", not_before=clock.now() - 5), job("later", not_before=clock.now() + 5)]

        result = queue.enqueue(jobs)

        assert [item.state for item in result[-2:]] == [JobState.WAITING, JobState.DELAYED]
        told = {event.request_id: event.kind for event in queue.follow_events("0-0", count=1000)}
        assert (len(told), told["past"], told["later"]) == (602, "created", "deferred")

    def test_dry_run_counts_the_depth_over_all_chunks(self, make_queue: MakeQueue) -> None:
        queue = make_queue(QueueOptions(max_depth=1100))
        jobs = [job(f"j{number:04}") for number in range(1300)]

        assert {item.outcome for item in queue.enqueue(jobs, dry_run=True)} == {Outcome.REJECTED}
        assert queue.snapshot().outstanding == 0
