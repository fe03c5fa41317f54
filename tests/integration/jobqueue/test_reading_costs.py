"""What reading costs the server: few commands, however much there is (Q16, Q17)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import JobQueue, connect
from tests.contract.jobqueue.jobs import job

MANY = 600


@pytest.fixture
def finished(redis_url: str) -> Iterator[JobQueue]:
    """Jobs that ended one second after another."""
    clock = ManualClock()
    with closing(connect(redis_url, now_ms=lambda: round(clock.now() * 1000))) as queue:
        queue.enqueue([job(f"j{number}") for number in range(MANY)])
        for lease in queue.claim("ann", count=500) + queue.claim("ann", count=500):
            queue.complete(lease, {})
            clock.advance(1)
        yield queue


def calls(raw: redis.Redis, *names: str) -> int:
    """How often the server has carried out these commands."""
    stats = raw.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in names)


def test_a_page_far_back_in_the_history_costs_as_much_as_the_first(
    finished: JobQueue, raw: redis.Redis
) -> None:
    far_back = finished.history(limit=MANY)[-10]
    before = calls(raw, "zrevrangebyscore")

    assert len(finished.history(limit=5, behind=far_back)) == 5
    assert calls(raw, "zrevrangebyscore") - before <= 2


def test_many_records_come_in_few_round_trips(finished: JobQueue, raw: redis.Redis) -> None:
    before = calls(raw, "exec")

    assert None not in finished.results([f"j{number}" for number in range(MANY)])
    assert calls(raw, "exec") - before <= 3


def test_the_numbers_and_the_watchers_come_from_one_script(finished: JobQueue, raw: redis.Redis) -> None:
    finished.register_watcher("w", {})
    finished.snapshot()
    before = calls(raw, "eval", "evalsha")

    assert [item.name for item in finished.snapshot().watchers] == ["w"]
    assert calls(raw, "eval", "evalsha") - before == 1
