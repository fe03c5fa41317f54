"""P32: what the stream of events tells of one job costs the same however much happened around it."""

from __future__ import annotations

import pytest

from lib.jobqueue import Event, JobRecord
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.job_log import log_of
from lib.jobspec import normalize_job_spec


class CountingQueue(MemoryQueue):
    """Counts the events that are read."""

    read = 0

    def follow_events(self, after: str, *, block_s: float = 0.0, count: int = 500) -> list[Event]:
        found = super().follow_events(after, block_s=block_s, count=count)
        self.read += len(found)
        return found


def among(others: int) -> tuple[CountingQueue, JobRecord]:
    """A job that is done, and others that were enqueued after it."""
    queue = CountingQueue()
    names = ["a", *(f"b{number}" for number in range(others))]
    queue.enqueue([normalize_job_spec({"output_name": name, "text": "T.", "speaker": "R"}) for name in names])
    queue.complete(queue.begin(queue.claim("w")[0]), {})
    record = queue.job("a")
    assert record is not None
    return queue, record


def test_all_of_it_stands_there() -> None:
    queue, record = among(3)
    log = log_of(queue, record)
    assert ([event.kind for event in log.events], log.whole) == (
        ["created", "claimed", "begun", "done"],
        True,
    )


@pytest.mark.parametrize("others", [200, 2_000])
def test_it_costs_the_same_among_many(others: int) -> None:
    queue, record = among(others)
    log = log_of(queue, record, started_at=record.since)
    assert log.whole is False
    assert queue.read <= 180
    assert log.events[0].kind == "created"
    thorough = log_of(queue, record, thorough=True)
    assert ([event.kind for event in thorough.events][-1], thorough.whole) == ("done", True)
