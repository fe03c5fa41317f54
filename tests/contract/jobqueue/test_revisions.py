"""A line is changed under its id (Q42)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.clock import ManualClock
from lib.jobqueue import (
    Changed,
    ErrorClass,
    Failure,
    JobQueue,
    JobState,
    LeaseLost,
    Outcome,
    QueueOptions,
)
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import claimed, finished, job, known, moment

NEW = "Another text."


def replaced(queue: JobQueue, request_id: str = "a", **fields: Any) -> tuple[Outcome, JobState | None, int]:
    (found,) = queue.enqueue([job(request_id, **{"text": NEW, **fields})], changed=Changed.REPLACE)
    return found.outcome, found.state, found.revision


def kinds(queue: JobQueue, request_id: str = "a") -> list[str]:
    return [event.kind for event in queue.follow_events("0-0") if event.request_id == request_id]


class TestAReplacedJob:
    def test_that_waits_keeps_its_place_and_is_spoken_as_the_new_one(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])

        assert replaced(queue) == (Outcome.REPLACED, JobState.WAITING, 2)

        lease = claimed(queue)
        assert (lease.request_id, lease.spec.text, lease.revision) == ("a", NEW, 2)
        assert kinds(queue) == ["created", "replaced", "claimed"]
        assert claimed(queue).request_id == "b"

    def test_that_waits_has_waited_since_it_began_to(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a")])
        since = known(queue).since
        clock.advance(5)

        replaced(queue)

        assert known(queue).since == since

    def test_that_was_done_is_not_forgotten_at_the_time_of_its_old_record(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {})

        (found,) = queue.enqueue([job("a", text=NEW)], changed=Changed.REPLACE)

        assert found.dedup_until is None

    def test_that_was_done_waits_since_it_was_replaced(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {})
        clock.advance(5)

        replaced(queue)

        assert known(queue).since == moment(clock.now())

    def test_that_runs_loses_its_lease(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        old = queue.begin(claimed(queue))

        assert replaced(queue) == (Outcome.REPLACED, JobState.WAITING, 2)

        assert queue.renew([old]) == [old]
        with pytest.raises(LeaseLost):
            queue.complete(old, {"of": "old"})
        with pytest.raises(LeaseLost):
            queue.fail(old, Failure(ErrorClass.TRANSIENT, "late"))
        new = claimed(queue, "bob")
        assert (new.spec.text, new.attempt) == (NEW, 0)
        assert new.lease_no > old.lease_no
        queue.complete(new, {"of": "new"})
        assert finished(queue).result == {"of": "new"}

    def test_that_is_done_is_queued_again_and_its_record_stays_readable(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        order = queue.complete(claimed(queue), {"of": "old"})

        assert replaced(queue) == (Outcome.REPLACED, JobState.WAITING, 2)

        assert known(queue).order > order
        assert [item.order for item in queue.revisions("a")] == [order]
        assert queue.result("a") is None
        assert queue.history() == []
        (before,) = queue.revisions("a")
        assert (before.revision, before.state, before.result) == (1, JobState.DONE, {"of": "old"})
        queue.complete(claimed(queue), {"of": "new"})
        assert (finished(queue).revision, finished(queue).result) == (2, {"of": "new"})
        assert [item.revision for item in queue.revisions("a")] == [1]
        snapshot = queue.snapshot()
        assert (snapshot.done, snapshot.waiting, snapshot.pending) == (1, 0, 0)

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELED])
    def test_that_ended_badly_is_queued_again(self, queue: JobQueue, state: JobState) -> None:
        queue.enqueue([job("a")])
        if state is JobState.FAILED:
            queue.fail(claimed(queue), Failure(ErrorClass.BAD_INPUT, "no"))
        else:
            queue.cancel("a")

        assert replaced(queue) == (Outcome.REPLACED, JobState.WAITING, 2)

        assert [item.state for item in queue.revisions("a")] == [state]
        snapshot = queue.snapshot()
        assert (snapshot.failed, snapshot.canceled, snapshot.waiting) == (0, 0, 1)
        assert claimed(queue).spec.text == NEW

    def test_that_waits_for_its_time_waits_no_more(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a", not_before=clock.now() + 60)])

        assert replaced(queue) == (Outcome.REPLACED, JobState.WAITING, 2)

        assert known(queue).due_at is None
        assert claimed(queue).spec.text == NEW
        clock.advance(61)
        assert queue.claim("bob") == []

    def test_with_a_later_time_waits_for_it(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a")])

        assert replaced(queue, not_before=clock.now() + 60) == (Outcome.REPLACED, JobState.DELAYED, 2)

        assert queue.claim("ann") == []
        clock.advance(61)
        assert claimed(queue).spec.text == NEW

    def test_has_its_attempts_anew_and_no_death_held_against_it(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", max_attempts=2)])
        queue.fail(queue.begin(claimed(queue)), Failure(ErrorClass.TRANSIENT, "once"))

        replaced(queue, max_attempts=2)

        record = known(queue)
        assert (record.attempt, record.excused, record.lost, record.poisoned) == (0, 0, 0, 0)
        assert record.last_error is None
        state = queue.fail(queue.begin(claimed(queue)), Failure(ErrorClass.TRANSIENT, "again"))
        assert state is JobState.DELAYED

    def test_with_another_priority_goes_into_that_line(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", priority="low"), job("b"), job("c")])

        replaced(queue, priority="high")

        assert claimed(queue).request_id == "a"
        assert known(queue).priority == "high"

    def test_counts_towards_the_limit_where_it_was_finished(self, make_queue: MakeQueue) -> None:
        queue = make_queue(QueueOptions(max_depth=1))
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {})
        queue.enqueue([job("b")])

        assert replaced(queue)[0] is Outcome.REJECTED
        assert replaced(queue, "b")[0] is Outcome.REPLACED
        assert known(queue).revision == 1
        assert finished(queue).revision == 1

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_of_a_large_file_is_refused_with_the_whole_where_there_is_no_room(
        self, make_queue: MakeQueue, dry_run: bool
    ) -> None:
        queue = make_queue(QueueOptions(max_depth=600))
        names = [f"j{number:03}" for number in range(590)]
        queue.enqueue([job(name) for name in names])
        for _ in range(2):
            queue.complete_many([(lease, {}) for lease in queue.claim("ann", count=300)])
        queue.enqueue([job(f"other{number}") for number in range(5)])
        file = [job(name, text=NEW) for name in names] + [job(f"new{number:02}") for number in range(10)]

        refused = queue.enqueue(file, changed=Changed.REPLACE, dry_run=dry_run)

        assert {item.outcome for item in refused} == {Outcome.REJECTED}
        assert queue.snapshot().outstanding == 5
        taken = queue.enqueue(file[:-5], changed=Changed.REPLACE, dry_run=dry_run)
        assert [item.outcome for item in taken] == [Outcome.REPLACED] * 590 + [Outcome.CREATED] * 5
        assert queue.snapshot().outstanding == (5 if dry_run else 600)

    def test_keeps_the_records_of_its_revisions_for_their_time(
        self, make_queue: MakeQueue, clock: ManualClock
    ) -> None:
        queue = make_queue(QueueOptions(result_ttl_s=100))
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {"of": 1})
        clock.advance(60)
        replaced(queue)
        queue.complete(claimed(queue), {"of": 2})
        replaced(queue, text="A third.")

        assert [item.revision for item in queue.revisions("a")] == [1, 2]
        clock.advance(41)
        assert [item.revision for item in queue.revisions("a")] == [2]

    def test_of_no_finished_revision_has_none(self, queue: JobQueue) -> None:
        assert queue.revisions("a") == []
        queue.enqueue([job("a")])
        assert queue.revisions("a") == []
        replaced(queue)
        assert queue.revisions("a") == []

    def test_in_a_dry_run_is_left_alone(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])

        (found,) = queue.enqueue([job("a", text=NEW)], changed=Changed.REPLACE, dry_run=True)

        assert found.outcome is Outcome.REPLACED
        assert known(queue).revision == 1

    def test_of_a_large_file_is_replaced_too(self, queue: JobQueue) -> None:
        queue.enqueue([job("j3"), job("j700")])
        queue.complete(claimed(queue), {"of": "old"})
        specs = [job(f"j{number}", text=NEW) for number in range(1200)]

        outcomes = queue.enqueue(specs, changed=Changed.REPLACE)

        assert [o.outcome for o in outcomes if o.outcome is not Outcome.CREATED] == [Outcome.REPLACED] * 2
        assert queue.snapshot().waiting == 1200
        assert known(queue, "j3").revision == known(queue, "j700").revision == 2

    def test_that_is_left_as_it_was_needs_no_room(self, make_queue: MakeQueue) -> None:
        queue = make_queue(QueueOptions(max_depth=2))
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {})
        queue.enqueue([job("b")])

        found = queue.enqueue([job("a", text=NEW), job("c")], changed=Changed.SKIP)

        assert [item.outcome for item in found] == [Outcome.CONFLICT, Outcome.CREATED]

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_that_stands_twice_in_a_call_needs_room_once(self, make_queue: MakeQueue, dry_run: bool) -> None:
        queue = make_queue(QueueOptions(max_depth=1))
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {})

        found = queue.enqueue([job("a", text=NEW)] * 2, changed=Changed.REPLACE, dry_run=dry_run)

        assert [item.outcome for item in found] == [Outcome.REPLACED] * 2

    def test_twice_in_one_call_with_two_texts_is_a_conflict(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])

        found = queue.enqueue([job("a", text=NEW), job("a", text="Third.")], changed=Changed.REPLACE)

        assert Outcome.CONFLICT in {item.outcome for item in found}
        assert known(queue).revision == 1


class TestFieldsOutsideTheFingerprint:
    def test_are_updated_without_speaking_again(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])

        (found,) = queue.enqueue([job("b", priority="high", timeout_s=7)], changed=Changed.REPLACE)

        assert (found.outcome, found.revision) == (Outcome.UPDATED, 1)
        lease = claimed(queue)
        assert (lease.request_id, lease.spec.timeout_s) == ("b", 7)
        assert "replaced" not in kinds(queue, "b")

    def test_that_are_as_they_were_change_nothing(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", priority="high")])

        (found,) = queue.enqueue([job("a", priority="high")], changed=Changed.REPLACE)

        assert (found.outcome, kinds(queue)) == (Outcome.DUPLICATE, ["created"])

    def test_are_left_alone_without_the_word(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])

        (found,) = queue.enqueue([job("b", priority="high")])

        assert found.outcome is Outcome.DUPLICATE
        assert claimed(queue).request_id == "a"

    def test_bring_a_delayed_job_forward_and_put_it_off(self, queue: JobQueue, clock: ManualClock) -> None:
        later = clock.now() + 100
        queue.enqueue([job("a", not_before=later), job("b")])

        queue.enqueue([job("a"), job("b", not_before=later)], changed=Changed.REPLACE)

        assert claimed(queue).request_id == "a"
        assert queue.claim("ann") == []
        assert known(queue, "b").state is JobState.DELAYED
        clock.advance(101)
        assert claimed(queue).request_id == "b"

    def test_leave_a_running_job_its_lease(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        lease = claimed(queue)

        (found,) = queue.enqueue([job("a", max_attempts=9)], changed=Changed.REPLACE)

        assert found.outcome is Outcome.UPDATED
        assert known(queue).max_attempts == 9
        queue.complete(lease, {})

    def test_of_a_done_job_are_what_its_record_hands_back(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", callback_data={"n": 1})])
        queue.complete(claimed(queue), {"of": 1, "callback_data": {"n": 1}})

        same = queue.enqueue([job("a", callback_data={"n": 1})], changed=Changed.REPLACE)
        for number in (2, 3):
            (told,) = queue.enqueue([job("a", callback_data={"n": number})], changed=Changed.REPLACE)
            assert told.outcome is Outcome.UPDATED
        again = queue.enqueue([job("a", callback_data={"n": 3})], changed=Changed.REPLACE)

        assert [item.outcome for item in (*same, *again)] == [Outcome.DUPLICATE] * 2
        assert finished(queue).result == {"of": 1, "callback_data": {"n": 3}}
        assert finished(queue).revision == 1

    def test_of_a_failed_job_count_when_it_is_retried(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", priority="low"), job("b")])
        assert claimed(queue).request_id == "b"
        queue.cancel("a")

        queue.enqueue([job("a", priority="high", timeout_s=5), job("c")], changed=Changed.REPLACE)
        queue.retry(["a"])

        lease = claimed(queue)
        assert (lease.request_id, lease.spec.timeout_s) == ("a", 5)

    def test_put_a_waiting_job_off_and_say_so_once(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a")])

        for seconds in (100, 200):
            queue.enqueue([job("a", not_before=clock.now() + seconds)], changed=Changed.REPLACE)

        assert kinds(queue) == ["created", "deferred"]
        assert known(queue).due_at == moment(clock.now() + 200)

    def test_leave_a_job_that_waits_for_its_next_try_its_wait(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a", max_attempts=5, not_before=clock.now() + 1)])
        clock.advance(2)
        queue.fail(queue.begin(claimed(queue)), Failure(ErrorClass.TRANSIENT, "once"))
        due = known(queue).due_at

        queue.enqueue([job("a", max_attempts=6)], changed=Changed.REPLACE)
        queue.enqueue([job("a", max_attempts=6, not_before=clock.now() + 900)], changed=Changed.REPLACE)

        record = known(queue)
        assert (record.state, record.due_at, record.max_attempts) == (JobState.DELAYED, due, 6)

    def test_of_a_running_job_do_not_lose_its_place_in_the_stream(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", priority="low")])
        lease = claimed(queue)

        queue.enqueue([job("a", priority="high")], changed=Changed.REPLACE)
        queue.complete(lease, {})

        snapshot = queue.snapshot()
        assert (snapshot.waiting, snapshot.pending, snapshot.done) == (0, 0, 1)
        assert queue.claim("bob") == []

    def test_of_a_done_job_that_is_unchanged_need_no_room(self, make_queue: MakeQueue) -> None:
        queue = make_queue(QueueOptions(max_depth=1))
        queue.enqueue([job("a")])
        queue.complete(claimed(queue), {"callback_data": {}})
        queue.enqueue([job("b")])

        (found,) = queue.enqueue([job("a")], changed=Changed.REPLACE)

        assert found.outcome is Outcome.DUPLICATE
