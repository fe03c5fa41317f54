"""What points to a job goes when the job goes on without it: leases, entries, history (Q34, Q38)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, Placement, QueueOptions
from lib.jobqueue.redis.queue import RedisQueue
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job

STREAM, LEASES, HISTORY = "pab:jobs:stream", "pab:jobs:leases", "pab:jobs:history"
OPTIONS = QueueOptions(result_ttl_s=100, lease_ms=10_000)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(redis_url: str, raw: redis.Redis, clock: ManualClock) -> Iterator[RedisQueue]:
    queue = RedisQueue(Transport(redis_url), OPTIONS, now_ms=lambda: round(clock.now() * 1000), clock=clock)
    yield queue
    queue.close()


def failed(queue: RedisQueue, name: str) -> None:
    queue.enqueue([job(name)])
    (lease,) = queue.claim("ann")
    queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no such voice"))


def vanish(queue: RedisQueue, raw: redis.Redis, clock: ManualClock) -> None:
    """`a` was leased, its lease ran out, and its entry is gone."""
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    queue.assign([Placement(lease, "far", "entry-1")])
    raw.xtrim(STREAM, maxlen=0, approximate=False)
    clock.advance(11)


def test_a_lease_of_no_job_goes_with_the_next_claim(queue: RedisQueue, raw: redis.Redis) -> None:
    raw.zadd(LEASES, {"nobody": 0})

    assert queue.claim("ann") == []

    assert raw.zscore(LEASES, "nobody") is None


def test_a_job_whose_entry_vanished_waits_without_a_lease(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    vanish(queue, raw, clock)
    queue.enqueue([job("urgent", priority="high")])

    (lease,) = queue.claim("bob")  # mends `a`, and takes what has its turn

    assert lease.request_id == "urgent"
    assert raw.zscore(LEASES, "a") is None
    waiting = queue.job("a")  # and lies on no host any more
    assert waiting
    assert waiting.host == ""
    assert raw.xlen(STREAM) == 1
    assert [event.kind for event in queue.follow_events("0-0") if event.request_id == "a"][-1] == "vanished"
    (again,) = queue.claim("bob")
    assert (again.request_id, again.lease_no) == ("a", 2)


def test_an_entry_that_its_job_went_on_without_is_read_once(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    raw.xadd(STREAM, {"id": "a"})
    raw.xadd(STREAM, {"id": "nobody"})

    assert [lease.request_id for lease in queue.claim("ann", count=9)] == ["a"]

    assert raw.xlen(STREAM) == 1
    assert raw.xpending(STREAM, "watchers")["pending"] == 1


def test_a_job_that_is_tried_again_is_history_no_more(queue: RedisQueue, raw: redis.Redis) -> None:
    failed(queue, "a")
    assert raw.zcard(HISTORY) + raw.zcard(f"{HISTORY}:failed") > 0

    queue.retry(["a"])

    assert raw.zcard(HISTORY) + raw.zcard(f"{HISTORY}:failed") == 0


def test_a_failure_lets_go_of_what_has_outlived_its_retention(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    queue.enqueue([job("new")])
    (held,) = queue.claim("ann", lease_ms=200_000)
    failed(queue, "old")
    clock.advance(101)

    queue.fail(held, Failure(ErrorClass.BAD_INPUT, "no such voice"))

    assert raw.hkeys("pab:jobs:state") in ([b"new"], ["new"])
