"""Guards that matter only when something else went wrong too: each alone, seen to hold (Q33-Q36)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobState, LeaseLost, QueueOptions
from lib.jobqueue.codec import intake
from lib.jobqueue.faces import Faces
from lib.jobqueue.keys import Keys
from lib.jobqueue.redis_queue import RedisQueue
from lib.jobqueue.scripts import load
from lib.jobqueue.transport import Transport
from tests.contract.jobqueue.jobs import job


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport(redis_url: str, raw: redis.Redis) -> Iterator[Transport]:
    transport = Transport(redis_url)
    yield transport
    transport.close()


@pytest.fixture
def faces(transport: Transport, clock: ManualClock) -> Faces:
    return Faces(transport, Keys("pab:jobs"), QueueOptions(), lambda: round(clock.now() * 1000))


@pytest.fixture
def queue(transport: Transport, clock: ManualClock) -> RedisQueue:
    return RedisQueue(transport, now_ms=lambda: round(clock.now() * 1000), clock=clock)


class TestTheFence:
    """Right number with a wrong token, right token with a wrong number: neither is the fence."""

    @pytest.mark.parametrize("wrong", [{"token": "other"}, {"lease_no": 7}])
    def test_needs_number_and_token(self, queue: RedisQueue, wrong: dict[str, Any]) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        forged = replace(lease, **wrong)

        assert queue.renew([forged]) == [forged]
        for write in (
            lambda: queue.begin(forged),
            lambda: queue.progress(forged, {}),
            lambda: queue.complete(forged, {}),
            lambda: queue.fail(forged, Failure(ErrorClass.TRANSIENT, "no")),
            lambda: queue.release(forged, "no"),
        ):
            with pytest.raises(LeaseLost):
                write()
        assert queue.renew([lease]) == []


class TestTheLock:
    @pytest.mark.parametrize(
        ("epoch", "token", "later_s"), [(1, "other", 0), (2, "mine", 0), (1, "mine", 61)]
    )
    @pytest.mark.parametrize("script", ["lock_renew", "lock_publish", "lock_release"])
    def test_needs_epoch_token_and_time(
        self, transport: Transport, raw: redis.Redis, script: str, epoch: int, token: str, later_s: int
    ) -> None:
        now = 1_000_000
        lock = ["pab:jobs:lock", "pab:jobs:market"]
        transport.evaluate(load("lock_acquire"), lock[:1], (now, "ann", "mine", 60_000, 0))
        before = raw.hgetall("pab:jobs:lock")
        at = now + later_s * 1000
        arguments = {
            "lock_renew": (at, epoch, token, 60_000),
            "lock_publish": (at, epoch, token, "value", 1000),
            "lock_release": (epoch, token),
        }[script]

        reply = transport.evaluate(load(script), lock[: len(load(script).keys)], arguments)

        if script == "lock_release" and later_s:
            assert reply == 1  # giving back what is over does no harm
        else:
            assert reply == 0
            assert raw.hgetall("pab:jobs:lock") == before
            assert raw.exists("pab:jobs:market") == 0


class TestCounts:
    @pytest.mark.parametrize("error_class", [ErrorClass.LOST_MACHINE, ErrorClass.CANCELED])
    def test_what_never_began_spends_no_attempt(self, queue: RedisQueue, error_class: ErrorClass) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.fail(lease, Failure(error_class, "gone"))

        record = queue.job("a")
        assert record is not None
        assert (record.attempt, record.excused, record.lost) == (0, 0, 0)

    def test_handing_back_what_never_began_excuses_nothing(self, queue: RedisQueue) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.release(lease, "drain")

        record = queue.job("a")
        assert record is not None
        assert record.excused == 0

    def test_a_job_that_killed_once_too_often_is_poison_only_by_that(self, queue: RedisQueue) -> None:
        queue = RedisQueue(queue.parts()[0], QueueOptions(poison_limit=1), now_ms=lambda: 1000)
        queue.enqueue([job("a", max_attempts=9)])
        (lease,) = queue.claim("ann")
        assert queue.fail(lease, Failure(ErrorClass.POISON, "died")) is JobState.FAILED
        queue.retry(["a"])
        (lease,) = queue.claim("ann")

        assert queue.fail(lease, Failure(ErrorClass.TRANSIENT, "no")) is JobState.DELAYED

    def test_retrying_the_failed_leaves_the_count_of_canceled(self, queue: RedisQueue) -> None:
        queue.enqueue([job("a"), job("b")])
        (lease,) = queue.claim("ann")
        queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no"))
        queue.cancel("b")
        queue.retry(["a"])

        assert (queue.snapshot().failed, queue.snapshot().canceled) == (0, 1)


class TestBatches:
    def test_discarding_a_dead_batch_spares_what_another_one_took_over(
        self, faces: Faces, queue: RedisQueue, clock: ManualClock
    ) -> None:
        item = intake(job("x"))
        faces.stage([item], "b1", 1000, first=True)
        clock.advance(2)
        assert faces.stage([item], "b2", 60_000, first=True).word == "ok"
        while faces.discard("b1", 500, own=False) > 0:
            pass

        assert faces.commit("b2", 1000, 100) == "ok"
        faces.publish("b2", 500, 1000)
        assert [lease.request_id for lease in queue.claim("ann")] == ["x"]

    def test_a_batch_discarded_in_part_is_still_known(self, faces: Faces, raw: redis.Redis) -> None:
        faces.stage([intake(job("x")), intake(job("y"))], "b1", 1000, first=True)

        assert faces.discard("b1", 1, own=True) == 1
        assert raw.hexists("pab:jobs:batches", "b1")
        assert faces.discard("b1", 1, own=True) == 0
        assert raw.exists("pab:jobs:batches", "pab:jobs:batch:b1", "pab:jobs:state") == 0

    def test_a_listed_job_whose_row_is_gone_holds_up_no_discarding(
        self, faces: Faces, raw: redis.Redis
    ) -> None:
        faces.stage([intake(job("x")), intake(job("y"))], "b1", 1000, first=True)
        raw.hdel("pab:jobs:state", "x")

        assert faces.discard("b1", 500, own=True) == 0
        assert raw.exists("pab:jobs:state", "pab:jobs:batches") == 0


class TestClaiming:
    def test_leases_of_jobs_that_are_unknown_or_over_go(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        raw.zadd("pab:jobs:leases", {"a": 1, "unknown": 1})

        assert queue.claim("bob", count=5) == []
        assert raw.exists("pab:jobs:leases") == 0
        assert queue.snapshot().done == 1

    def test_a_second_delivery_leaves_the_running_jobs_entry(
        self, queue: RedisQueue, raw: redis.Redis
    ) -> None:
        queue.enqueue([job("a")])
        queue.claim("ann")
        raw.xgroup_destroy("pab:jobs:stream", "watchers")

        assert queue.claim("bob") == []
        assert raw.xlen("pab:jobs:stream") == 1

    def test_sleep_ends_with_the_sooner_of_lease_and_delay(self, faces: Faces, clock: ManualClock) -> None:
        now = clock.now()
        due = intake(job("later", not_before=now + 500))
        faces.enqueue([intake(job("a")), due], "all", 100)
        faces.claim("ann", 1, 2000)

        assert faces.claim("bob", 1, 2000).wait_ms == 2000
