"""What a job's stored row says of places, and adoption when something else went wrong too (W15)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import Changed, ErrorClass, Failure, LeadershipLost, Lease, Placement, QueueOptions, Term
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.doubles.lua_scripts import load


@pytest.fixture
def queue(timed_queue: RedisQueue) -> RedisQueue:
    return timed_queue


class TestStoredRows:
    """Only what says something is stored: a million waiting jobs stay small."""

    def test_are_as_long_as_what_they_say(self, queue: RedisQueue, raw: redis.Redis) -> None:
        def length() -> int:
            return len(json.loads(str(raw.hget("pab:jobs:state", "a"))))

        queue.enqueue([job("a", max_attempts=9)])
        lengths = [length()]
        (lease,) = queue.claim("ann")
        lengths.append(length())
        queue.assign([Placement(queue.begin(lease), "m1", "a.1")])
        lengths.append(length())
        queue.release(lease, "drain")
        lengths.append(length())
        (lease,) = queue.claim("ann")
        queue.release(lease, "alone", alone=True)
        lengths.append(length())
        (lease,) = queue.claim("ann")
        queue.assign([Placement(queue.begin(lease), "m1", "a.1")])
        queue.complete(lease, {})
        lengths.append(length())

        assert lengths == [9, 18, 22, 18, 22, 18]

    def test_stay_short_for_jobs_that_are_asked_for_again(self, queue: RedisQueue, raw: redis.Redis) -> None:
        specs = [job("a"), job("b", not_before=4e9), job("c", priority="low")]
        for changed in (Changed.REFUSE, Changed.REPLACE):
            queue.enqueue(specs, changed=changed)
        queue.enqueue([job("a", text="Another one.")], changed=Changed.REPLACE)
        queue.cancel("c")
        queue.enqueue(specs[1:])

        rows = {item: json.loads(str(raw.hget("pab:jobs:state", item))) for item in "abc"}
        assert [len(rows[item]) for item in "abc"] == [9, 9, 9]
        assert (rows["a"][8], rows["c"][0]) == (2, "canceled")
        assert queue.jobs(["a", "b", "c"])[0] == queue.job("a")

    def test_of_a_job_that_ended_badly_tell_nothing_of_hosts(
        self, queue: RedisQueue, raw: redis.Redis, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a")])
        for host in ("m1", "m2"):
            clock.advance(600)
            (lease,) = queue.claim("ann")
            queue.fail(lease, Failure(ErrorClass.POISON, "died", host=host, hosts=2))

        assert len(json.loads(str(raw.hget("pab:jobs:state", "a")))) == 18

    def test_of_a_job_whose_entry_vanished_tell_no_host(
        self, queue: RedisQueue, raw: redis.Redis, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.assign([Placement(lease, "m1", "a.1")])
        raw.xtrim("pab:jobs:stream", maxlen=0, approximate=False)
        clock.advance(180)

        (again,) = queue.claim("bob")

        assert (again.host, again.lease_no) == ("", 2)


class TestAdopting:
    @pytest.fixture
    def term(self, transport: Transport, clock: ManualClock) -> Term:
        now_ms = round(clock.now() * 1000)
        transport.evaluate(load("lock_acquire"), ["pab:jobs:lock"], (now_ms, "bob", "bob's", 60_000, 0))
        return Term(1, "bob's")

    @pytest.fixture
    def lease(self, queue: RedisQueue) -> Lease:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.assign([Placement(lease, "m1", "a.1")])
        return lease

    def adopted(self, transport: Transport, keys: Keys, clock: ManualClock, token: str) -> Any:
        script = load("adopt")
        now_ms = round(clock.now() * 1000)
        given = (now_ms, "watchers", "bob", 1, "bob's", 2000, token, 100, '["m1"]', "a", "b")
        leads, leases, payloads = transport.evaluate(script, keys.named(script.keys), given)
        assert leads == 1
        assert len(payloads) == len(json.loads(leases))
        return json.loads(leases)

    def test_a_repeat_after_a_lost_reply_gives_the_same_lease_and_another_call_none(
        self, transport: Transport, keys: Keys, clock: ManualClock, term: Term, lease: Lease
    ) -> None:
        first = self.adopted(transport, keys, clock, "token")

        assert self.adopted(transport, keys, clock, "token") == first
        assert self.adopted(transport, keys, clock, "other") == []

    def test_gives_no_job_that_nobody_can_read(
        self, queue: RedisQueue, raw: redis.Redis, term: Term, lease: Lease
    ) -> None:
        raw.hdel("pab:jobs:spec", "a")

        assert queue.adopt(term, "bob", hosts=["m1"]) == []
        assert queue.renew([lease]) == []

    def test_a_lost_row_is_passed_over(
        self, queue: RedisQueue, raw: redis.Redis, term: Term, lease: Lease
    ) -> None:
        raw.hdel("pab:jobs:state", "a")

        assert queue.adopt(term, "bob", hosts=["m1"]) == []

    @pytest.mark.parametrize("lost", ["entry", "group"])
    def test_work_goes_on_though_its_entry_is_lost(
        self, queue: RedisQueue, raw: redis.Redis, term: Term, lease: Lease, lost: str
    ) -> None:
        if lost == "entry":
            raw.xtrim("pab:jobs:stream", maxlen=0, approximate=False)
        else:
            raw.xgroup_destroy("pab:jobs:stream", "watchers")

        (bobs,) = queue.adopt(term, "bob", hosts=["m1"])

        queue.complete(bobs, {})
        assert queue.result("a") is not None

    def test_the_leader_of_another_deployment_takes_nothing(
        self, transport: Transport, clock: ManualClock, term: Term
    ) -> None:
        ours = RedisQueue(transport, QueueOptions(prefix="ours"), now_ms=lambda: round(clock.now() * 1000))

        with pytest.raises(LeadershipLost):
            ours.adopt(term, "bob", hosts=["m1"])

    def test_the_entry_is_the_new_holders(
        self, queue: RedisQueue, raw: redis.Redis, term: Term, lease: Lease
    ) -> None:
        queue.adopt(term, "bob", hosts=["m1"])

        (pending,) = raw.xpending_range("pab:jobs:stream", "watchers", "-", "+", 10)
        assert pending["consumer"] == "bob"
