"""The connection cut at any command, before it was sent or after it was carried out (Q32, Q33, Q39)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobState, Lease, Outcome, Placement, QueueOptions, Term
from lib.jobqueue.redis.queue import RedisQueue
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.doubles.lua_scripts import load


class Cutting(Transport):
    """A transport that loses the `at`-th command or its reply."""

    def __init__(self, url: str, at: int, when: str) -> None:
        super().__init__(url, patience_s=5)
        whole: Callable[..., Any] = self.ask
        self.sent = 0

        def ask(*command: Any) -> Any:
            self.sent += 1
            if self.sent == at and when == "before":
                raise redis.ConnectionError("cut before it was sent")
            reply = whole(*command)
            if self.sent == at and when == "after":
                raise redis.ConnectionError("cut before the reply came")
            return reply

        self.ask = ask


def story(queue: RedisQueue) -> None:
    """Every operation once, each with the outcome it must have however often its reply is lost."""
    created = queue.enqueue([job(f"j{number}") for number in range(6)])
    assert {item.outcome for item in created} <= {Outcome.CREATED, Outcome.DUPLICATE}
    leases = queue.claim("ann", count=5)
    assert [lease.request_id for lease in leases] == ["j0", "j1", "j2", "j3", "j4"]
    assert {lease.lease_no for lease in leases} == {1}
    begun = [queue.begin(lease) for lease in leases]
    assert [lease.attempt for lease in begun] == [1] * 5
    assert queue.renew(begun) == []
    assert queue.assign([Placement(lease, "m1", lease.request_id) for lease in begun]) == []
    adopted = adopted_by_bob(queue)
    assert [(lease.request_id, lease.lease_no) for lease in adopted] == [(f"j{n}", 2) for n in range(5)]
    assert queue.renew(adopted) == []
    begun = adopted
    queue.progress(begun[0], {"percent": 1})
    queue.complete(begun[0], {"ok": True})
    assert queue.fail(begun[1], Failure(ErrorClass.BAD_INPUT, "no")) is JobState.FAILED
    died = Failure(ErrorClass.POISON, "no", host="m1", hosts=2)
    assert queue.fail(begun[2], died) is JobState.DELAYED
    queue.excuse("j2", "m1")
    assert queue.fail(begun[3], Failure(ErrorClass.LOST_MACHINE, "gone")) is JobState.WAITING
    queue.release(begun[4], "drain", alone=True)
    assert queue.cancel("j5").state is JobState.CANCELED
    assert queue.retry(["j1"])[0].state is JobState.WAITING


def adopted_by_bob(queue: RedisQueue) -> list[Lease]:
    """What lies on "m1", taken over by a watcher that leads for this once."""
    transport, keys, _ = queue.parts()
    lock, now = [keys["lock"]], ""
    epoch = transport.evaluate(load("lock_acquire"), lock, (now, "bob", "bob's", 60_000, 0))[1]
    leases = queue.adopt(Term(epoch, "bob's"), "bob", hosts=["m1"])
    transport.evaluate(load("lock_release"), lock, (epoch, "bob's"))
    return leases


def outcome(queue: RedisQueue) -> list[object]:
    records = queue.jobs([f"j{number}" for number in range(6)])
    return [
        (item.state, item.attempt, item.excused, item.lost, item.poisoned, item.lease_no)
        for item in records
        if item is not None
    ] + [(event.kind, event.request_id) for event in queue.follow_events("0-0")]


def run(url: str, at: int, when: str) -> tuple[list[object], int]:
    transport = Cutting(url, at, when)
    queue = RedisQueue(transport, QueueOptions(), chance=lambda: 1.0)
    story(queue)
    sent = transport.sent
    result = outcome(queue)
    queue.close()
    return result, sent


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_at_any_command_changes_nothing_in_the_end(redis_url: str, raw: redis.Redis, when: str) -> None:
    expected, commands = run(redis_url, 0, when)
    assert commands >= 23

    for at in range(1, commands + 1):
        raw.flushall()
        assert run(redis_url, at, when)[0] == expected, f"cut {when} command {at}"


def test_a_repeated_claim_gives_its_own_leases_not_older_ones_of_the_same_worker(
    redis_url: str, raw: redis.Redis
) -> None:
    raw.script_flush()  # so each script is sent twice when it is first used
    queue = RedisQueue(Cutting(redis_url, at=5, when="after"))
    queue.enqueue([job("a"), job("b"), job("c")])
    assert [lease.request_id for lease in queue.claim("ann")] == ["a"]

    assert [lease.request_id for lease in queue.claim("ann")] == ["b"]
    assert queue.snapshot().pending == 2
    queue.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_while_a_large_file_is_enqueued_still_enqueues_it_whole(
    redis_url: str, raw: redis.Redis, when: str
) -> None:
    jobs = [job(f"j{number}") for number in range(1100)]
    for at in range(1, 9):
        raw.flushall()
        queue = RedisQueue(Cutting(redis_url, at, when))
        queue.enqueue(jobs)
        assert queue.snapshot().waiting == 1100, f"cut {when} command {at}"
        assert queue.snapshot().outstanding == 1100
        assert raw.exists("pab:jobs:batches") == 0
        assert [str(key) for key in raw.keys("pab:jobs:batch:*")] == []
        queue.close()
