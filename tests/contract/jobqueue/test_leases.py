"""Leases: one at a time, fenced on every write, given on when they run out (Q33-Q36, Q40)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.clock import ManualClock
from lib.jobqueue import (
    ErrorClass,
    Failure,
    JobQueue,
    JobState,
    Lease,
    LeaseLost,
    QueueOptions,
)
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job, moment

OOPS = Failure(ErrorClass.TRANSIENT, "the engine stumbled", {"log": ["last line"]})

SOON = 5.0  # seconds; a sleeping worker looks by itself only every ten

WRITES: dict[str, Callable[[JobQueue, Lease], object]] = {
    "begin": lambda queue, lease: queue.begin(lease),
    "progress": lambda queue, lease: queue.progress(lease, {"percent": 50}),
    "complete": lambda queue, lease: queue.complete(lease, {"from": "the old worker"}),
    "fail": lambda queue, lease: queue.fail(lease, OOPS),
    "release": lambda queue, lease: queue.release(lease, "drain"),
}


def claimed(queue: JobQueue, consumer: str = "ann") -> Lease:
    (lease,) = queue.claim(consumer)
    return lease


@pytest.fixture
def waiting(queue: JobQueue) -> JobQueue:
    queue.enqueue([job("a")])
    return queue


def test_a_claimed_job_is_not_given_twice(waiting: JobQueue) -> None:
    lease = claimed(waiting)

    assert lease.spec == job("a")
    assert (lease.lease_no, lease.attempt, lease.consumer) == (1, 0, "ann")
    assert waiting.claim("bob") == []
    record = waiting.job("a")
    assert record is not None
    assert (record.state, record.consumer) == (JobState.RUNNING, "ann")


def test_an_empty_queue_gives_nothing_at_once(queue: JobQueue) -> None:
    assert queue.claim("ann", count=3) == []


def test_jobs_come_in_the_order_they_were_enqueued(queue: JobQueue) -> None:
    queue.enqueue([job("a"), job("b"), job("c")])

    assert [lease.request_id for lease in queue.claim("ann", count=2)] == ["a", "b"]
    assert [lease.request_id for lease in queue.claim("bob", count=2)] == ["c"]


class TestAWorkerThatWentSilent:
    """Its lease ran out and another worker took the job; it wakes up later, unaware."""

    @pytest.fixture
    def anns(self, waiting: JobQueue) -> Lease:
        return waiting.begin(claimed(waiting, "ann"))

    @pytest.fixture
    def bobs(self, waiting: JobQueue, clock: ManualClock, anns: Lease) -> Lease:
        clock.advance(180)
        return claimed(waiting, "bob")

    def test_loses_the_job_to_the_next_who_asks(self, anns: Lease, bobs: Lease) -> None:
        assert (bobs.request_id, bobs.lease_no) == (anns.request_id, anns.lease_no + 1)
        assert bobs.token != anns.token

    @pytest.mark.parametrize("write", WRITES)
    def test_cannot_write(self, waiting: JobQueue, anns: Lease, bobs: Lease, write: str) -> None:
        before = waiting.job("a")
        events = waiting.last_event_id()

        with pytest.raises(LeaseLost, match="lease 1 of job a, held by ann, is lost"):
            WRITES[write](waiting, anns)

        assert waiting.job("a") == before
        assert waiting.last_event_id() == events
        assert waiting.result("a") is None

    def test_is_told_when_it_renews(self, waiting: JobQueue, anns: Lease, bobs: Lease) -> None:
        before = waiting.job("a")

        assert waiting.renew([anns, bobs]) == [anns]
        assert waiting.renew([anns]) == [anns]
        assert waiting.job("a") == before

    def test_cannot_write_after_the_new_owner_finished(
        self, waiting: JobQueue, anns: Lease, bobs: Lease
    ) -> None:
        waiting.complete(bobs, {"from": "bob"})

        for write in WRITES.values():
            with pytest.raises(LeaseLost):
                write(waiting, anns)
        finished = waiting.result("a")
        assert finished is not None
        assert finished.result == {"from": "bob"}
        assert finished.attempt == 2

    def test_does_not_stop_others_of_its_batch(self, waiting: JobQueue, anns: Lease, bobs: Lease) -> None:
        waiting.enqueue([job("b")])
        other = claimed(waiting, "ann")

        lost, order = waiting.complete_many([(anns, {}), (other, {"ok": 1})])
        assert lost is None
        assert order is not None
        assert waiting.result("b") is not None

    def test_is_fenced_even_under_its_own_name(
        self, waiting: JobQueue, anns: Lease, clock: ManualClock
    ) -> None:
        clock.advance(180)
        again = claimed(waiting, "ann")

        with pytest.raises(LeaseLost):
            waiting.complete(anns, {})
        waiting.complete(again, {})


@pytest.mark.parametrize("write", WRITES)
def test_the_right_number_with_a_wrong_token_is_no_lease(waiting: JobQueue, write: str) -> None:
    lease = replace(claimed(waiting), token="forged")

    with pytest.raises(LeaseLost):
        WRITES[write](waiting, lease)
    assert waiting.renew([lease]) == [lease]


def test_a_lease_lasts_exactly_as_long_as_it_says(waiting: JobQueue, clock: ManualClock) -> None:
    (lease,) = waiting.claim("ann", lease_ms=5000)
    assert lease.expires_at == moment(clock.now() + 5)

    clock.advance(4.999)
    assert waiting.claim("bob") == []
    assert waiting.snapshot().stale_pel == 0
    clock.advance(0.001)
    assert waiting.snapshot().stale_pel == 1
    assert len(waiting.claim("bob")) == 1


def test_renewal_extends_from_now(waiting: JobQueue, clock: ManualClock) -> None:
    lease = claimed(waiting)
    for _ in range(5):
        clock.advance(170)
        assert waiting.renew([lease]) == []
        assert waiting.claim("bob") == []
    waiting.complete(lease, {})


def test_reclaim_finds_exactly_the_expired_leases(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([job(f"j{number:03}") for number in range(300)])
    leases = queue.claim("ann", count=300)
    clock.advance(100)
    stale = leases[250:253]
    assert queue.renew([lease for lease in leases if lease not in stale]) == []
    clock.advance(80)

    assert {lease.request_id for lease in queue.claim("bob", count=10)} == {"j250", "j251", "j252"}


def test_expired_leases_go_out_before_new_work(waiting: JobQueue, clock: ManualClock) -> None:
    claimed(waiting)
    waiting.enqueue([job("b", priority="high")])
    clock.advance(180)

    assert [lease.request_id for lease in waiting.claim("bob", count=2)] == ["a", "b"]


class TestAnAttempt:
    def test_is_work_that_began_not_a_lease(self, waiting: JobQueue, clock: ManualClock) -> None:
        for _ in range(5):
            assert claimed(waiting).attempt == 0
            clock.advance(180)

        assert waiting.begin(claimed(waiting)).attempt == 1

    def test_is_counted_once_per_lease(self, waiting: JobQueue) -> None:
        lease = claimed(waiting)

        assert waiting.begin(lease).attempt == 1
        assert waiting.begin(lease).attempt == 1

    def test_is_not_spent_by_a_drain(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a", max_attempts=2)])
        for _ in range(4):
            queue.release(queue.begin(claimed(queue)), "drain")

        lease = queue.begin(claimed(queue))
        record = queue.job("a")
        assert record is not None
        assert record.attempt - record.excused == 1
        assert queue.fail(lease, OOPS) is JobState.DELAYED
        clock.advance(600)
        assert queue.fail(claimed(queue), OOPS) is JobState.FAILED

    def test_is_not_spent_by_a_lost_machine(self, queue: JobQueue) -> None:
        queue.enqueue([job("a", max_attempts=1)])
        lost = Failure(ErrorClass.LOST_MACHINE, "the host went offline")

        assert queue.fail(queue.begin(claimed(queue)), lost) is JobState.WAITING
        assert queue.fail(claimed(queue), lost) is JobState.WAITING

        record = queue.job("a")
        assert record is not None
        assert record.lost == 1, "the second machine had not begun"
        assert queue.claim("bob") != []

    def test_of_a_worker_that_never_returned_is_excused_and_counted_apart(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a", max_attempts=1)])
        queue.begin(claimed(queue))
        clock.advance(180)

        claimed(queue, "bob")

        record = queue.job("a")
        assert record is not None
        assert (record.attempt, record.excused, record.lost) == (1, 1, 1)


def test_a_released_job_goes_out_first_and_at_once(queue: JobQueue) -> None:
    queue.enqueue([job("a"), job("b")])
    lease = claimed(queue)

    queue.release(lease, "drain")

    snapshot = queue.snapshot()
    assert (snapshot.waiting, snapshot.pending, snapshot.stale_pel) == (2, 0, 0)
    assert claimed(queue, "bob").request_id == "a"


class TestPriorities:
    def test_high_goes_first(self, queue: JobQueue) -> None:
        queue.enqueue([job("n"), job("l", priority="low"), job("h", priority="high")])

        assert [claimed(queue).request_id for _ in range(3)] == ["h", "n", "l"]

    def test_an_empty_claim_uses_no_turn_up(self, queue: JobQueue) -> None:
        for _ in range(6):
            assert queue.claim("ann") == []
        queue.enqueue([job("n"), job("h", priority="high")])

        assert claimed(queue).request_id == "h", "six turns of ten are high's, and none of them is gone"

    def test_a_claim_uses_as_many_turns_up_as_it_leases(self, queue: JobQueue) -> None:
        queue.enqueue([job("only")])
        assert len(queue.claim("ann", count=6)) == 1
        queue.enqueue(
            [job(f"{name}{number}", priority=name) for name in ("high", "normal") for number in range(9)]
        )

        order = [claimed(queue).request_id for _ in range(6)]
        assert order == ["high0", "high1", "high2", "high3", "high4", "normal0"]

    @pytest.mark.parametrize("batch", [1, 10, 7])
    def test_none_starves(self, queue: JobQueue, batch: int) -> None:
        for priority in ("high", "normal", "low"):
            queue.enqueue([job(f"{priority}{number}", priority=priority) for number in range(100)])

        taken = [lease.spec.priority for _ in range(70 // batch) for lease in queue.claim("ann", count=batch)]

        counts = {priority: taken.count(priority) for priority in ("high", "normal", "low")}
        assert counts == {"high": 42, "normal": 21, "low": 7}

    def test_an_empty_one_leaves_its_turns_to_the_others(self, queue: JobQueue) -> None:
        queue.enqueue([job(f"l{number}", priority="low") for number in range(25)])

        assert len(queue.claim("ann", count=25)) == 25


class TestABlockedClaim:
    def test_wakes_at_once_for_a_new_job(self, queue: JobQueue) -> None:
        claims: list[tuple[float, list[Lease]]] = []
        worker = threading.Thread(
            target=lambda: claims.append((time.monotonic(), queue.claim("ann", block_s=30)))
        )
        worker.start()
        queue.enqueue([job("a")])
        worker.join(SOON)

        assert [lease.request_id for _, leases in claims for lease in leases] == ["a"]

    def test_returns_empty_when_its_time_is_over(self, queue: JobQueue) -> None:
        started = time.monotonic()

        assert queue.claim("ann", block_s=0.1) == []
        assert 0.09 < time.monotonic() - started < 5

    def test_is_unblocked_by_wake(self, queue: JobQueue) -> None:
        worker = threading.Thread(target=lambda: queue.claim("ann", block_s=60))
        worker.start()
        queue.wake()
        worker.join(SOON)

        assert not worker.is_alive()

    def test_does_not_begin_to_wait_after_wake(self, queue: JobQueue) -> None:
        queue.wake()
        started = time.monotonic()

        assert queue.claim("ann", block_s=60) == []
        assert time.monotonic() - started < 5

    def test_wakes_for_a_released_job(self, waiting: JobQueue) -> None:
        lease = claimed(waiting)
        found: list[Lease] = []
        worker = threading.Thread(target=lambda: found.extend(waiting.claim("bob", block_s=30)))
        worker.start()
        waiting.release(lease, "drain")
        worker.join(SOON)

        assert [item.request_id for item in found] == ["a"]

    def test_wakes_for_a_job_whose_machine_was_lost(self, waiting: JobQueue) -> None:
        lease = claimed(waiting)
        found: list[Lease] = []
        worker = threading.Thread(target=lambda: found.extend(waiting.claim("bob", block_s=30)))
        worker.start()
        waiting.fail(lease, Failure(ErrorClass.LOST_MACHINE, "gone"))
        worker.join(SOON)

        assert [item.request_id for item in found] == ["a"]

    def test_wakes_when_the_queue_is_resumed(self, waiting: JobQueue) -> None:
        waiting.pause()
        found: list[Lease] = []
        worker = threading.Thread(target=lambda: found.extend(waiting.claim("bob", block_s=30)))
        worker.start()
        waiting.resume()
        worker.join(SOON)

        assert [item.request_id for item in found] == ["a"]


def test_pause_stops_claims_but_not_running_jobs_or_enqueueing(waiting: JobQueue) -> None:
    lease = claimed(waiting)
    waiting.pause()

    waiting.enqueue([job("b")])
    assert waiting.claim("bob") == []
    assert waiting.renew([lease]) == []
    waiting.complete(lease, {})
    assert waiting.snapshot().paused
    events = waiting.last_event_id()
    waiting.pause()
    assert waiting.last_event_id() == events

    waiting.resume()
    assert not waiting.snapshot().paused
    assert claimed(waiting).request_id == "b"


def test_progress_is_the_latest_and_ends_with_the_work(waiting: JobQueue) -> None:
    lease = claimed(waiting)
    waiting.progress(lease, {"percent": 10})
    waiting.progress(lease, {"percent": 60})

    record = waiting.job("a")
    assert record is not None
    assert record.progress == {"percent": 60}
    waiting.complete(lease, {})
    record = waiting.job("a")
    assert record is not None
    assert record.progress is None


def test_leases_of_zero_machines_lost_too_often_are_poison(make_queue: MakeQueue, clock: ManualClock) -> None:
    queue = make_queue(QueueOptions(lost_limit=3))
    queue.enqueue([job("a")])
    for _ in range(3):
        queue.begin(claimed(queue))
        clock.advance(180)

    assert queue.claim("bob") == []
    finished = queue.result("a")
    assert finished is not None
    assert finished.error is not None
    assert finished.failed_unheld
    assert finished.error["class"] == "poison"
    assert "3 workers were lost" in finished.error["message"]
