"""Every asking has a place in one order (Q43)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import Changed, JobQueue
from tests.contract.jobqueue.jobs import claimed, finished, job, known

NEW = "Another text."


class TestTheOrderOfAsking:
    def test_rises_with_every_job_and_every_asking(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])
        first, second = known(queue, "a").order, known(queue, "b").order
        queue.enqueue([job("c")])
        third = known(queue, "c").order

        queue.enqueue([job("a")])

        assert 0 < first < second < third < known(queue, "a").order

    def test_is_told_when_a_job_completes_as_it_is_then(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        lease = claimed(queue)
        before = known(queue).order
        queue.enqueue([job("a")])

        order = queue.complete(lease, {})

        assert order == known(queue).order == finished(queue).order
        assert order > before
        assert queue.complete(lease, {}) == order

    def test_rises_for_a_done_job_that_is_asked_for_again(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        order = queue.complete(claimed(queue), {})
        queue.enqueue([job("b")])

        queue.enqueue([job("a")])

        assert finished(queue).order > known(queue, "b").order > order

    def test_rises_with_a_retry_that_requeues(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])
        queue.cancel("a")

        queue.retry(["a", "b"])

        assert known(queue, "a").order > known(queue, "b").order

    @pytest.mark.parametrize("changed", [Changed.REFUSE, Changed.SKIP])
    def test_is_not_touched_by_a_call_that_conflicts(self, queue: JobQueue, changed: Changed) -> None:
        queue.enqueue([job("a"), job("b")])
        before = known(queue, "a").order

        queue.enqueue([job("a", text=NEW)], changed=changed)

        assert known(queue, "a").order == before

    def test_is_not_touched_by_a_dry_run(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        before = known(queue).order

        queue.enqueue([job("a")], dry_run=True)

        assert known(queue).order == before

    def test_is_never_behind_the_clock(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("a")])
        clock.advance(1000)

        queue.enqueue([job("b")])

        assert known(queue, "b").order >= known(queue, "a").order + 1_000_000

    def test_rises_through_a_large_file(self, queue: JobQueue) -> None:
        names = [f"j{number}" for number in range(1100)]
        queue.enqueue([job("j5")])

        queue.enqueue([job(name) for name in names])

        orders = {record.order for record in queue.jobs(names) if record}
        assert len(orders) == 1100
        assert known(queue, "j5").order in orders
