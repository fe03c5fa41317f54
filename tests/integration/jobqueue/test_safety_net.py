"""What no ordinary path can break is found and mended all the same, a little at a time (Q34, Q38)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobState, Placement, QueueOptions
from lib.jobqueue.redis.queue import RedisQueue
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job

OPTIONS = QueueOptions(result_ttl_s=100, lease_ms=10_000, history_max=3)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(redis_url: str, raw: redis.Redis, clock: ManualClock) -> Iterator[RedisQueue]:
    queue = RedisQueue(Transport(redis_url), OPTIONS, now_ms=lambda: round(clock.now() * 1000), clock=clock)
    yield queue
    queue.close()


def test_a_running_job_whose_lease_is_gone_is_found(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    queue.claim("ann")
    raw.zrem("pab:jobs:leases", "a")
    assert queue.claim("bob") == []

    assert queue.sweep() == (1, 0)
    shot = queue.snapshot()
    assert (shot.waiting, shot.pending, shot.stale_pel) == (0, 1, 1)
    assert raw.xlen("pab:jobs:bell") == 1, "a worker that sleeps must look again"
    (lease,) = queue.claim("bob")
    assert (lease.request_id, lease.lease_no) == ("a", 2)
    assert queue.sweep() == (0, 0)


def test_a_job_handed_back_whose_place_is_gone_is_found(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    queue.release(lease, "drain")
    raw.zrem("pab:jobs:leases", "a")
    assert queue.claim("bob") == []

    assert queue.sweep() == (1, 0)
    assert queue.snapshot().waiting == 1
    assert [item.request_id for item in queue.claim("bob")] == ["a"]


def test_a_live_lease_is_left_alone(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")

    assert queue.sweep() == (0, 0)
    assert raw.exists("pab:jobs:bell") == 0
    assert queue.renew([lease]) == []
    assert queue.claim("bob") == []


def test_pending_entries_that_belong_to_no_job_go(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a"), job("b")])
    queue.claim("ann", count=2)
    raw.hdel("pab:jobs:state", "a")  # its row is lost
    raw.xadd("pab:jobs:stream", {"id": "b"})  # a second entry of b, delivered behind our back
    raw.xreadgroup("watchers", "ann", {"pab:jobs:stream": ">"})

    assert queue.sweep() == (0, 2)
    assert raw.xlen("pab:jobs:stream") == 1
    assert raw.xpending("pab:jobs:stream", "watchers")["pending"] == 1


def test_pending_entries_that_are_gone_from_their_stream_go(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    queue.claim("ann")
    raw.xtrim("pab:jobs:stream", maxlen=0, approximate=False)

    assert queue.sweep() == (0, 1)
    assert raw.xpending("pab:jobs:stream", "watchers")["pending"] == 0


def test_what_stands_behind_many_live_leases_is_reached(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job(f"j{number}") for number in range(250)])
    queue.claim("ann", count=250)
    raw.zrem("pab:jobs:leases", "j249")

    assert [queue.sweep() for _ in range(4)] == [(0, 0), (0, 0), (1, 0), (0, 0)]


def test_claiming_sweeps_once_a_minute(queue: RedisQueue, raw: redis.Redis, clock: ManualClock) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    raw.zrem("pab:jobs:leases", "a")
    clock.advance(59)
    queue.claim("bob")
    assert raw.zcard("pab:jobs:leases") == 0

    clock.advance(1)
    queue.claim("bob")
    assert raw.zcard("pab:jobs:leases") == 1
    assert lease.request_id == "a"


def test_an_idle_queue_forgets_its_old_records(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    queue.enqueue([job(f"j{number}") for number in range(3)])
    queue.complete_many([(lease, {}) for lease in queue.claim("ann", count=3)])
    queue.sweep()
    assert queue.snapshot().done == 3
    clock.advance(100)
    queue.sweep()

    assert queue.snapshot().done == 0
    assert raw.hlen("pab:jobs:state") == 0


def test_a_record_whose_row_is_lost_is_forgotten_like_others(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    queue.enqueue([job("a"), job("b")])
    queue.complete_many([(lease, {}) for lease in queue.claim("ann", count=2)])
    raw.hdel("pab:jobs:state", "a")
    clock.advance(100)

    queue.sweep()

    assert raw.exists("pab:jobs:history", "pab:jobs:result", "pab:jobs:state") == 0


def test_a_server_without_any_group_is_swept_too(queue: RedisQueue) -> None:
    assert queue.sweep() == (0, 0)
    queue.enqueue([job("a")])
    assert queue.sweep() == (0, 0)
    record = queue.job("a")
    assert record is not None
    assert record.state is JobState.WAITING


# What points to a job goes when the job goes on without it: leases, entries, history.


def failed(queue: RedisQueue, name: str) -> None:
    queue.enqueue([job(name)])
    (lease,) = queue.claim("ann")
    queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no such voice"))


def vanish(queue: RedisQueue, raw: redis.Redis, clock: ManualClock) -> None:
    """`a` was leased, its lease ran out, and its entry is gone."""
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    queue.assign([Placement(lease, "far", "entry-1")])
    raw.xtrim("pab:jobs:stream", maxlen=0, approximate=False)
    clock.advance(11)


def test_a_lease_of_no_job_goes_with_the_next_claim(queue: RedisQueue, raw: redis.Redis) -> None:
    raw.zadd("pab:jobs:leases", {"nobody": 0})

    assert queue.claim("ann") == []

    assert raw.zscore("pab:jobs:leases", "nobody") is None


def test_a_job_whose_entry_vanished_waits_without_a_lease(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    vanish(queue, raw, clock)
    queue.enqueue([job("urgent", priority="high")])

    (lease,) = queue.claim("bob")  # mends `a`, and takes what has its turn

    assert lease.request_id == "urgent"
    assert raw.zscore("pab:jobs:leases", "a") is None
    waiting = queue.job("a")  # and lies on no host any more
    assert waiting
    assert waiting.host == ""
    assert raw.xlen("pab:jobs:stream") == 1
    assert [event.kind for event in queue.follow_events("0-0") if event.request_id == "a"][-1] == "vanished"
    (again,) = queue.claim("bob")
    assert (again.request_id, again.lease_no) == ("a", 2)


def test_an_entry_that_its_job_went_on_without_is_read_once(queue: RedisQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    raw.xadd("pab:jobs:stream", {"id": "a"})
    raw.xadd("pab:jobs:stream", {"id": "nobody"})

    assert [lease.request_id for lease in queue.claim("ann", count=9)] == ["a"]

    assert raw.xlen("pab:jobs:stream") == 1
    assert raw.xpending("pab:jobs:stream", "watchers")["pending"] == 1


def test_a_job_that_is_tried_again_is_history_no_more(queue: RedisQueue, raw: redis.Redis) -> None:
    failed(queue, "a")
    assert raw.zcard("pab:jobs:history") + raw.zcard("pab:jobs:history:failed") > 0

    queue.retry(["a"])

    assert raw.zcard("pab:jobs:history") + raw.zcard("pab:jobs:history:failed") == 0


def test_a_failure_lets_go_of_what_has_outlived_its_retention(
    queue: RedisQueue, raw: redis.Redis, clock: ManualClock
) -> None:
    queue.enqueue([job("new")])
    (held,) = queue.claim("ann", lease_ms=200_000)
    failed(queue, "old")
    clock.advance(101)

    queue.fail(held, Failure(ErrorClass.BAD_INPUT, "no such voice"))

    assert raw.hkeys("pab:jobs:state") in ([b"new"], ["new"])
