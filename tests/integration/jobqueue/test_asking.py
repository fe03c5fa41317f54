"""Whose asking counts when a reply was lost (Q43), and rows that the version before wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from lib.clock import ManualClock
from lib.jobqueue import Changed, JobSpec, JobState, Outcome, QueueOptions
from lib.jobqueue.codec import intake
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.jobqueue.redis.scripts import load
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job


@pytest.fixture
def queue(timed_queue: RedisQueue) -> RedisQueue:
    return timed_queue


def asked(
    transport: Transport,
    clock: ManualClock,
    *specs: JobSpec,
    token: str,
    again: bool = False,
    changed: Changed = Changed.REFUSE,
) -> list[Any]:
    """The reply to a call with one and the same token, or to its repeat after a lost reply."""
    script = load("enqueue")
    head = (
        round(clock.now() * 1000),
        changed.value,
        100,
        60_000,
        100,
        "watchers",
        token,
        "1" if again else "0",
    )
    replacing = changed is Changed.REPLACE
    flat = [value for spec in specs for value in intake(spec).arguments(replacing=replacing)]
    return list(transport.evaluate(script, Keys("pab:jobs").named(script.keys), (*head, *flat)))


def order_of(queue: RedisQueue, name: str) -> int:
    record = queue.job(name)
    assert record is not None
    return record.order


class TestARepeatedCall:
    def test_leaves_a_known_job_behind_what_was_asked_for_since(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        queue.enqueue([job("old")])
        asked(transport, clock, job("old"), token="one")
        queue.enqueue([job("newer")])

        asked(transport, clock, job("old"), token="one", again=True)

        assert order_of(queue, "old") < order_of(queue, "newer")

    def test_leaves_what_it_created_where_it_was(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        asked(transport, clock, job("a"), job("b"), token="one")
        before = order_of(queue, "a"), order_of(queue, "b")
        clock.advance(5)

        asked(transport, clock, job("a"), job("b"), token="one", again=True)

        assert (order_of(queue, "a"), order_of(queue, "b")) == before

    def test_that_was_never_carried_out_is_carried_out(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        asked(transport, clock, job("a"), token="one", again=True)

        assert queue.snapshot().waiting == 1

    def test_replaces_nothing_that_was_replaced_since(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        first, second, third = (job("a", text=text) for text in ("One.", "Two.", "Three."))
        queue.enqueue([first])
        asked(transport, clock, second, token="one", changed=Changed.REPLACE)
        queue.enqueue([third], changed=Changed.REPLACE)

        asked(transport, clock, second, token="one", again=True, changed=Changed.REPLACE)

        (spec,) = queue.specs(["a"])
        assert spec is not None
        assert spec.text == "Three."

    def test_of_another_token_is_another_asking(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        asked(transport, clock, job("old"), token="one")
        queue.enqueue([job("newer")])

        asked(transport, clock, job("old"), token="two", again=True)

        assert order_of(queue, "old") > order_of(queue, "newer")


def as_before(raw: redis.Redis, name: str) -> None:
    """Write the job's row as the version before would have: without order and revision."""
    row = json.loads(str(raw.hget("pab:jobs:state", name)))
    at = 7 if len(row) == 9 else 16
    raw.hset("pab:jobs:state", name, json.dumps(row[:at] + row[at + 2 :]))


class TestARowOfTheVersionBefore:
    @pytest.mark.parametrize("stage", ["waiting", "running", "placed"])
    def test_is_read_by_every_call(self, queue: RedisQueue, raw: redis.Redis, stage: str) -> None:
        queue.enqueue([job("a")])
        if stage != "waiting":
            (lease,) = queue.claim("ann")
            if stage == "placed":
                queue.release(lease, "it goes alone", alone=True)
        as_before(raw, "a")

        record = queue.job("a")

        assert record is not None
        assert (record.order, record.revision) == (0, 1)
        if stage == "running":
            assert queue.complete(lease, {"of": "old"}) == 0
            found = queue.result("a")
            assert found is not None
            assert (found.result, found.order, found.revision) == ({"of": "old"}, 0, 1)
        else:
            (lease,) = queue.claim("bob")
            assert (lease.revision, lease.alone) == (1, stage == "placed")
            assert queue.complete(lease, {}) == 0

    @pytest.mark.parametrize("stage", ["waiting", "done"])
    def test_is_replaced_as_any_other(self, queue: RedisQueue, raw: redis.Redis, stage: str) -> None:
        queue.enqueue([job("a")])
        if stage == "done":
            (lease,) = queue.claim("ann")
            queue.complete(lease, {"of": "old"})
        as_before(raw, "a")

        (found,) = queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)

        assert (found.outcome, found.state, found.revision) == (Outcome.REPLACED, JobState.WAITING, 2)
        assert len(queue.revisions("a")) == (stage == "done")
        assert order_of(queue, "a") > 0

    def test_that_is_asked_for_again_enters_the_order(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        as_before(raw, "a")

        queue.enqueue([job("a")])

        assert order_of(queue, "a") > 0


class TestAStagedJob:
    """Of a large file whose producer was stopped: accepted, and not in its stream yet."""

    def committed(self, transport: Transport, clock: ManualClock) -> ScriptCalls:
        calls = ScriptCalls(transport, Keys("pab:jobs"), QueueOptions(), lambda: round(clock.now() * 1000))
        calls.stage([intake(job("a")), intake(job("b"))], "b1", 30_000, first=True)
        calls.commit("b1", 2000, 100)
        return calls

    def test_is_replaced_once_it_is_in_its_stream(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        self.committed(transport, clock)

        (found,) = queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)

        assert (found.outcome, found.revision) == (Outcome.REPLACED, 2)
        leases = queue.claim("ann", count=3)
        assert sorted((lease.request_id, lease.spec.text) for lease in leases) == [
            ("a", "New."),
            ("b", "This is b."),
        ]

    def test_of_a_producer_that_died_is_new_again(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        calls = ScriptCalls(transport, Keys("pab:jobs"), QueueOptions(), lambda: round(clock.now() * 1000))
        calls.stage([intake(job("a"))], "b1", 30_000, first=True)
        clock.advance(31)

        (found,) = queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)

        assert (found.outcome, found.revision) == (Outcome.CREATED, 1)

    def test_is_a_duplicate_for_who_replaces_nothing_and_for_who_only_looks(
        self, transport: Transport, queue: RedisQueue, clock: ManualClock
    ) -> None:
        calls = self.committed(transport, clock)

        (plain,) = queue.enqueue([job("a")])
        (looked,) = queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE, dry_run=True)

        assert (plain.outcome, looked.outcome) == (Outcome.DUPLICATE, Outcome.REPLACED)
        assert calls.publish("b1", 500, 2000) == 0
        assert queue.snapshot().waiting == 2


class TestARecordOfAnEarlierRevision:
    def test_that_is_wanted_unchanged_and_was_lost_stays_a_duplicate(
        self, queue: RedisQueue, raw: redis.Redis
    ) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        raw.hdel("pab:jobs:result", "a")

        (found,) = queue.enqueue([job("a", callback_data={"n": 1})], changed=Changed.REPLACE)

        assert found.outcome is Outcome.DUPLICATE

    def test_that_was_lost_is_not_archived(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        raw.hdel("pab:jobs:result", "a")

        (found,) = queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)

        assert found.outcome is Outcome.REPLACED
        assert queue.revisions("a") == []

    def test_is_swept_when_its_time_is_over(
        self, queue: RedisQueue, raw: redis.Redis, clock: ManualClock
    ) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {"of": "old"})
        queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)
        clock.advance(100 * 86_400)

        queue.sweep()

        assert raw.hlen("pab:jobs:revisions") == 0
        assert raw.zcard("pab:jobs:revisions:history") == 0

    def test_goes_with_a_hard_flush(self, queue: RedisQueue, raw: redis.Redis) -> None:
        queue.enqueue([job("a")])
        (lease,) = queue.claim("ann")
        queue.complete(lease, {})
        queue.enqueue([job("a", text="New.")], changed=Changed.REPLACE)

        queue.admin().flush(hard=True, force=True)

        assert raw.keys("pab:jobs:*") == []
