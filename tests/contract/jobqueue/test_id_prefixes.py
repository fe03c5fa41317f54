"""Jobs are found by how their ids begin, within bounds (Q45)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobQueue, QueueOptions
from lib.jobqueue.id_prefixes import TooMany, alike
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job


def enqueue(queue: JobQueue, *names: str) -> None:
    queue.enqueue([job(name) for name in names])


def test_the_ids_of_a_topic_come_in_order_and_no_others(queue: JobQueue) -> None:
    enqueue(queue, "tides:b", "tides:a", "tides:deep:c", "tides2:a", "tide:a", "rivers:tides:a")

    assert queue.ids_under("tides:") == ("tides:a", "tides:b", "tides:deep:c")
    assert queue.ids_under("tides:deep:") == ("tides:deep:c",)
    assert queue.ids_under("seas:") == ()


@pytest.mark.parametrize("prefix", ["*", "?ides:", "[t]ides:", "tides\\:", "t*"])
def test_a_beginning_is_no_pattern(queue: JobQueue, prefix: str) -> None:
    enqueue(queue, "tides:a")

    assert queue.ids_under(prefix) == ()


def test_jobs_of_every_state_are_found_until_their_records_are_over(
    make_queue: MakeQueue, clock: ManualClock
) -> None:
    queue = make_queue(QueueOptions(result_ttl_s=1))
    enqueue(queue, "tides:done", "tides:canceled", "tides:running", "tides:waiting")
    leases = {lease.request_id: lease for lease in queue.claim("ann", count=3)}
    queue.complete(queue.begin(leases["tides:done"]), {})
    queue.cancel("tides:canceled")

    assert queue.ids_under("tides:") == ("tides:canceled", "tides:done", "tides:running", "tides:waiting")
    clock.advance(1.5)
    assert queue.ids_under("tides:") == ("tides:running", "tides:waiting")


def test_more_than_the_bound_are_refused_with_what_to_do(queue: JobQueue) -> None:
    enqueue(queue, *(f"tides:{number}" for number in range(5)))

    assert len(queue.ids_under("tides:", at_most=5, among=5)) == 5
    with pytest.raises(TooMany, match=r"5 request ids begin with 'tides:', and at most 4 .* --file"):
        queue.ids_under("tides:", at_most=4)
    with pytest.raises(TooMany, match=r"knows 5 jobs, .* at most 4; name the jobs by their ids"):
        queue.ids_under("seas:", among=4)


def test_many_are_found_over_several_steps(queue: JobQueue) -> None:
    enqueue(queue, *(f"{topic}:{number:05}" for topic in ("tides", "seas") for number in range(6_000)))

    assert queue.ids_under("tides:") == tuple(f"tides:{number:05}" for number in range(6_000))


def test_a_mistyped_beginning_has_beginnings_near_it(queue: JobQueue) -> None:
    enqueue(queue, "tides:beat-001", "tides:beat-002", "rivers:deep:one", "lonely")

    assert queue.nearest("tidse:") == ("tides:",)
    assert queue.nearest("rivers:depe:") == ("rivers:deep:",)
    assert queue.nearest("xxxxxx:") == ()


def test_what_is_alike_is_named_best_first() -> None:
    assert alike("tides:beat-1", ["tides:beat-2", "tides:beat-11", "x"]) == ("tides:beat-11", "tides:beat-2")
