"""Guards that matter only when something else went wrong too: each alone, seen to hold (Q33-Q36)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import Changed, ErrorClass, Failure, JobState, LeaseLost, QueueOptions
from lib.jobqueue.codec import intake
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.doubles.lua_scripts import load
from tests.integration.topologies import told


@pytest.fixture
def queue(timed_queue: RedisQueue) -> RedisQueue:
    return timed_queue


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

    def test_of_a_job_that_is_known_no_more_fits_nothing(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        raw.hdel("pab:jobs:state", "a")

        assert queue.renew([lease]) == [lease]
        assert queue.complete_many([(lease, {})]) == [None]
        for write in (
            lambda: queue.begin(lease),
            lambda: queue.progress(lease, {}),
            lambda: queue.fail(lease, Failure(ErrorClass.TRANSIENT, "no")),
            lambda: queue.release(lease, "no"),
        ):
            with pytest.raises(LeaseLost):
                write()

    def test_that_does_not_fit_is_answered_by_release_as_its_header_says(
        self, transport: Transport, keys: Keys
    ) -> None:
        script = load("release")

        assert transport.evaluate(script, keys.named(script.keys), ("", 100, "unknown", "1:x", "{}")) == 0


def claimed(transport: Transport, keys: Keys, clock: ManualClock, *, again: bool = False) -> Any:
    """The leases that a call with one and the same token is given, or its repeat after a lost reply."""
    script = load("claim")
    given = (round(clock.now() * 1000), "watchers", "ann", 2, 2000, "token", 100, 3, "1" if again else "0")
    return json.loads(transport.evaluate(script, keys.named(script.keys), given)[0])


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

    @pytest.mark.parametrize(("error_class", "kills"), [(ErrorClass.TRANSIENT, 0), (ErrorClass.POISON, 1)])
    def test_only_what_kills_workers_counts_as_poison(
        self, queue: RedisQueue, error_class: ErrorClass, kills: int
    ) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.fail(queue.begin(lease), Failure(error_class, "no"))

        record = queue.job("a")
        assert record is not None
        assert record.poisoned == kills

    def test_a_job_that_killed_once_too_often_is_poison_only_by_that(self, queue: RedisQueue) -> None:
        queue = RedisQueue(queue.parts()[0], QueueOptions(poison_limit=1), now_ms=lambda: 1000)
        queue.enqueue([job("a", max_attempts=9)])
        (lease,) = queue.claim("ann")
        assert queue.fail(lease, Failure(ErrorClass.POISON, "died")) is JobState.FAILED
        queue.retry(["a"])
        (lease,) = queue.claim("ann")

        assert queue.fail(lease, Failure(ErrorClass.TRANSIENT, "no")) is JobState.DELAYED

    def test_a_job_whose_specification_is_gone_is_not_retried(
        self, queue: RedisQueue, raw: redis.Redis
    ) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no"))
        raw.hdel("pab:jobs:spec", "a")

        (outcome,) = queue.retry(["a"])

        assert (outcome.retried, outcome.state) == (False, JobState.FAILED)

    def test_retrying_the_failed_leaves_the_count_of_canceled(self, queue: RedisQueue) -> None:
        queue.enqueue([job("a"), job("b")])
        (lease,) = queue.claim("ann")
        queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "no"))
        queue.cancel("b")
        queue.retry(["a"])

        assert (queue.snapshot().failed, queue.snapshot().canceled) == (0, 1)


class TestClaiming:
    def test_leases_of_jobs_that_are_unknown_or_over_go(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        raw.zadd("pab:jobs:leases", {"a": 1, "unknown": 1})

        assert queue.claim("bob", count=5) == []
        assert raw.exists("pab:jobs:leases") == 0
        record = queue.job("a")
        assert record is not None
        assert record.state is JobState.DONE

    def test_a_repeat_after_a_lost_reply_gives_the_same_leases(
        self, queue: RedisQueue, transport: Transport, keys: Keys, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a"), job("b")])
        first = claimed(transport, keys, clock)
        clock.advance(1)

        assert claimed(transport, keys, clock, again=True) == first
        in_a_second = round(clock.now() * 1000) + 1000
        assert [lease[4] for lease in first] == [in_a_second, in_a_second]

    @pytest.mark.parametrize("lost", ["entry", "row"])
    def test_a_repeat_passes_over_what_was_lost_meanwhile(
        self,
        queue: RedisQueue,
        transport: Transport,
        keys: Keys,
        raw: redis.Redis,
        clock: ManualClock,
        lost: str,
    ) -> None:
        queue.enqueue([job("a"), job("b")])
        claimed(transport, keys, clock)
        if lost == "entry":  # the first
            raw.xtrim("pab:jobs:stream", maxlen=1, approximate=False)
        else:
            raw.hdel("pab:jobs:state", "a")

        assert [lease[0] for lease in claimed(transport, keys, clock, again=True)] == ["b"]

    def test_a_second_delivery_leaves_the_running_jobs_entry(
        self, queue: RedisQueue, raw: redis.Redis
    ) -> None:
        queue.enqueue([job("a")])
        queue.claim("ann")
        raw.xgroup_destroy("pab:jobs:stream", "watchers")

        assert queue.claim("bob") == []
        assert raw.xlen("pab:jobs:stream") == 1

    @pytest.mark.parametrize(("delay_s", "lease_ms"), [(500, 2000), (2, 500_000)])
    def test_sleep_ends_with_the_sooner_of_lease_and_delay(
        self, faces: ScriptCalls, clock: ManualClock, delay_s: int, lease_ms: int
    ) -> None:
        due = intake(job("later", not_before=clock.now() + delay_s))
        faces.enqueue([intake(job("a")), due], Changed.REFUSE, 100)
        faces.claim("ann", 1, lease_ms)

        assert faces.claim("bob", 1, lease_ms).wait_ms == 2000


class TestEnqueueing:
    def test_what_is_known_needs_no_room(self, faces: ScriptCalls) -> None:
        faces.enqueue([intake(job("a")), intake(job("b"))], Changed.REFUSE, 2)

        assert faces.enqueue([intake(job("a"))], Changed.REFUSE, 1).word == "ok"


class TestLooking:
    @pytest.mark.parametrize("name", ["another", "zoo"])  # before and behind "watchers" in the server's list
    def test_what_other_groups_have_read_still_waits(
        self, queue: RedisQueue, raw: redis.Redis, clock: ManualClock, name: str
    ) -> None:
        queue.enqueue([job("a"), job("b"), job("c")])
        queue.claim("ann")
        raw.xgroup_create("pab:jobs:stream", name, "$")
        clock.advance(5)

        assert queue.snapshot().oldest_waiting_s == 5

    def test_a_running_job_does_not_wait_though_its_group_is_gone(
        self, queue: RedisQueue, raw: redis.Redis
    ) -> None:
        queue.enqueue([job("a")])
        queue.claim("ann")
        raw.xgroup_destroy("pab:jobs:stream", "watchers")

        assert queue.snapshot().oldest_waiting_s is None

    def test_a_watcher_long_silent_holds_its_name_in_the_group_no_more(
        self, queue: RedisQueue, faces: ScriptCalls, raw: redis.Redis, clock: ManualClock
    ) -> None:
        for name in ("silent", "alive"):
            queue.heartbeat_watcher(name, {})
            queue.claim(name)
        clock.advance(30)
        queue.heartbeat_watcher("alive", {})

        faces.leave("", live_ms=20_000, idle_ms=0)

        left = raw.xinfo_consumers("pab:jobs:stream", "watchers")
        assert [str(item["name"]) for item in left] == ["alive"]

    def test_the_commands_that_a_user_may_not_send_are_named(
        self, redis_url: str, keys: Keys, raw: redis.Redis
    ) -> None:
        told(raw, "ACL", "SETUSER", "clerk", "on", ">pw", "~pab:jobs:*", "+@all", "-xclaim")
        transport = Transport(redis_url.replace("unix://", "unix://clerk:pw@"))
        asked = ["HGET KEY field", "XCLAIM KEY group name 0 0-1", "GET others", "NOSUCH KEY", "PING"]
        script = load("permitted")
        try:
            commands = json.dumps([words.split() for words in asked])
            assert transport.evaluate(script, keys.named(script.keys), (commands,)) == [
                "XCLAIM",
                "GET",
                "NOSUCH",
            ]
        finally:
            transport.close()
            raw.acl_deluser("clerk")
