"""Who waits behind other jobs hears how many these are and how long they take."""

from __future__ import annotations

import pytest

from job_runner.display.line_ahead import LineAhead
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch
from lib.jobs.line_ahead import ahead_of
from tests.unit.jobs.jobs import spec


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def _behind(queue: MemoryQueue, others: int) -> Batch:
    queue.enqueue([spec(f"other-{number}") for number in range(others)])
    ours = [spec("mine-1"), spec("mine-2")]
    queue.enqueue(ours)
    batch = Batch(queue, ours)
    batch.refresh()
    return batch


def _do(queue: MemoryQueue, clock: ManualClock, count: int, each_s: float) -> None:
    for _ in range(count):
        (lease,) = queue.claim("w")
        clock.advance(each_s)
        queue.complete(lease, {})


def test_thousands_of_jobs_ahead_are_counted_and_timed_by_the_pace_so_far(
    queue: MemoryQueue, clock: ManualClock
) -> None:
    batch = _behind(queue, 3_020)
    _do(queue, clock, 20, each_s=2.0)

    ahead = ahead_of(queue, batch)

    assert ahead is not None
    assert (ahead.jobs, ahead.exact) == (3_000, False)
    assert ahead.wait_s == pytest.approx(6_000)
    assert ahead.sentence == (
        "about 3,000 other jobs come before those of this file: about 1h40m at the pace of the 20 jobs done "
        "last; priority: high goes before them"
    )


def test_a_few_dozen_are_counted_exactly(queue: MemoryQueue) -> None:
    ahead = ahead_of(queue, _behind(queue, 40))

    assert ahead is not None
    assert (ahead.jobs, ahead.exact, ahead.wait_s) == (40, True, None)
    assert "how long they take shows once some more are done" in ahead.sentence


def test_a_handful_is_not_worth_a_word_nor_is_a_batch_that_runs(
    queue: MemoryQueue, clock: ManualClock
) -> None:
    batch = _behind(queue, 3)
    assert ahead_of(queue, batch) is None

    _do(queue, clock, 3, each_s=1.0)
    queue.claim("w")
    batch.refresh()
    queue.enqueue([spec(f"later-{number}") for number in range(50)])

    assert ahead_of(queue, batch) is None


def test_it_is_said_at_first_and_once_more_when_the_pace_is_known(
    queue: MemoryQueue, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    batch, line = _behind(queue, 100), LineAhead(queue, clock)
    for _ in range(5):
        line.tell(batch)
        clock.advance(10)
    assert capsys.readouterr().err == (
        "100 other jobs come before those of this file; how long they take shows once some more are done\n"
    )

    _do(queue, clock, 10, each_s=3.0)
    for _ in range(5):
        line.tell(batch)
        clock.advance(10)

    assert capsys.readouterr().err.count("about 4m30s at the pace of the 10 jobs done last") == 1
