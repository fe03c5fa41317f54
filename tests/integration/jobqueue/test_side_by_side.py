"""The Redis queue and the in-memory one, told the same things, say the same things, step by step.

Two independent writings of one set of rules: where they differ, one is wrong. After each step the
invariants of the whole are looked at in the server itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lib.clock import ManualClock
from lib.jobqueue import (
    Changed,
    ErrorClass,
    Failure,
    JobQueue,
    JobState,
    Lease,
    LeaseLost,
    Placement,
    QueueOptions,
)
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobqueue.redis.queue import RedisQueue
from lib.leadership.lock import LeaderLock
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.integration.topologies import told

IDS = [f"j{number}" for number in range(6)]
OPTIONS = QueueOptions(lease_ms=10_000, result_ttl_s=300, history_max=4, max_depth=5, lost_limit=3)
ids = st.sampled_from(IDS)
HOSTS = ["m1", "m2"]
hosts = st.sampled_from(HOSTS)
Pair = tuple[Lease, Lease]


def visible(value: Any) -> Any:
    """What must be equal: everything but tokens and event ids."""
    if isinstance(value, Lease):
        return asdict(replace(value, token=""))
    if isinstance(value, list):
        return [visible(item) for item in value]
    return value


class SideBySide(RuleBasedStateMachine):
    """Every rule is done to both queues."""

    raw: redis.Redis
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.raw.flushall()
        self.memory = MemoryQueue(OPTIONS, now_ms=self.now_ms, chance=lambda: 0.5)
        self.redis = RedisQueue(Transport(self.url), OPTIONS, now_ms=self.now_ms, chance=lambda: 0.5)
        self.lock = LeaderLock(Transport(self.url), owner="any", clock=self.clock, now_ms=self.now_ms)
        self.queues: tuple[JobQueue, JobQueue] = (self.memory, self.redis)
        self.heard = ["0-0", "0-0"]
        self.leases: list[Pair] = []  # all ever given, dead ones too

    def now_ms(self) -> int:
        return round(self.clock.now() * 1000)

    def teardown(self) -> None:
        self.both(lambda queue, _: [queue.job(item) for item in IDS])
        self.both(lambda queue, _: [queue.result(item) for item in IDS])
        self.both(lambda queue, _: [queue.revisions(item) for item in IDS])
        self.both(lambda queue, _: queue.specs(IDS))
        self.redis.close()
        self.lock.close()

    def both(self, act: Callable[[JobQueue, int], Any]) -> Any:
        """Do it to both; the answers, or the refusals, must be the same."""
        answers = []
        for index, queue in enumerate(self.queues):
            try:
                answers.append(act(queue, index))
            except LeaseLost as error:
                answers.append(str(error))
        assert visible(answers[0]) == visible(answers[1])
        return answers

    @initialize()
    def begin_empty(self) -> None:
        self.both(lambda queue, _: queue.snapshot())

    @rule(
        chosen=st.lists(ids, min_size=1, max_size=4),
        text=st.sampled_from(["one", "two"]),
        priority=st.sampled_from(["high", "normal", "low"]),
        attempts=st.integers(1, 3),
        delay=st.sampled_from([None, None, -5, 5, 20]),
        changed=st.sampled_from(Changed),
        dry=st.booleans(),
    )
    def enqueue(
        self,
        chosen: list[str],
        text: str,
        priority: str,
        attempts: int,
        delay: int | None,
        changed: Changed,
        dry: bool,
    ) -> None:
        not_before = None if delay is None else self.clock.now() + delay
        specs = [
            job(item, text=text, priority=priority, max_attempts=attempts, not_before=not_before)
            for item in chosen
        ]
        self.both(lambda queue, _: queue.enqueue(specs, changed=changed, dry_run=dry))

    @rule(count=st.integers(1, 4), consumer=st.sampled_from(["ann", "bob"]))
    def claim(self, count: int, consumer: str) -> None:
        first, second = self.both(lambda queue, _: queue.claim(consumer, count=count))
        self.leases += list(zip(first, second, strict=True))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), seconds=st.sampled_from([0, 0, 3, 11]))
    def write(self, data: st.DataObject, seconds: int) -> None:
        self.clock.advance(seconds)
        pair = data.draw(st.sampled_from(self.leases))
        kinds = ["begin", "begin", "renew", "progress", "complete", "release", "alone", "assign", *ErrorClass]
        kind = data.draw(st.sampled_from(kinds))
        host, most = data.draw(st.sampled_from(["", *HOSTS])), data.draw(st.integers(1, 2))
        self.both(lambda queue, index: self.written(queue, pair[index], kind, host, most))

    def written(self, queue: JobQueue, lease: Lease, kind: str, host: str, most: int) -> Any:
        match kind:
            case "assign":
                return queue.assign([Placement(lease, host, f"{lease.request_id}.{lease.lease_no}")])
            case "alone":
                return queue.release(lease, "it died beside others", alone=True)
            case "begin":
                return queue.begin(lease)
            case "renew":
                return queue.renew([lease])
            case "progress":
                return queue.progress(lease, {"lease": lease.lease_no})
            case "complete":
                return queue.complete(lease, {"lease": lease.lease_no})
            case "release":
                return queue.release(lease, "drain")
        evidence = {"lease": lease.lease_no}
        return queue.fail(lease, Failure(ErrorClass(kind), "it failed", evidence, host, most))

    @rule(consumer=st.sampled_from(["ann", "bob"]), where=st.sets(hosts, min_size=1))
    def adopt(self, consumer: str, where: set[str]) -> None:
        self.lock.acquire()
        term = self.lock.term
        assert term is not None
        first, second = self.both(lambda queue, _: queue.adopt(term, consumer, hosts=where))
        self.leases += list(zip(first, second, strict=True))

    @rule(chosen=ids, host=hosts)
    def excuse(self, chosen: str, host: str) -> None:
        self.both(lambda queue, _: queue.excuse(chosen, host))

    @rule(chosen=ids)
    def cancel(self, chosen: str) -> None:
        self.both(lambda queue, _: queue.cancel(chosen))

    @rule(chosen=st.lists(ids, min_size=1, max_size=3, unique=True))
    def retry(self, chosen: list[str]) -> None:
        self.both(lambda queue, _: queue.retry(chosen))

    @rule(on=st.booleans())
    def pause(self, on: bool) -> None:
        self.both(lambda queue, _: queue.pause() if on else queue.resume())

    @rule(seconds=st.sampled_from([1, 9, 10, 301]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def forget_scripts(self) -> None:
        self.raw.script_flush()

    @rule()
    def restart_server(self) -> None:
        """As after a restart: the data read back from disk, no scripts, no connections."""
        told(self.raw, "DEBUG", "RELOAD")
        self.raw.script_flush()
        told(self.raw, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    @rule()
    def sweep(self) -> None:
        """On no ordinary path is there anything to mend."""
        self.memory._store.trim(100)
        assert self.redis.sweep() == (0, 0)

    @invariant()
    def both_tell_the_same(self) -> None:
        self.both(lambda queue, _: queue.snapshot())
        self.both(lambda queue, _: queue.jobs(IDS))
        self.both(lambda queue, _: [queue.place(item) for item in IDS])
        self.both(lambda queue, _: sorted(queue.history(limit=50), key=lambda item: item.request_id))
        heard = []
        for index, queue in enumerate(self.queues):
            events = queue.follow_events(self.heard[index])
            self.heard[index] = events[-1].id if events else self.heard[index]
            heard.append([(item.kind, item.request_id, item.state, item.at) for item in events])
        assert heard[0] == heard[1]

    @invariant()
    def each_job_is_in_exactly_one_place(self) -> None:
        entries: list[str] = []
        for name in ("stream", "stream:high", "stream:low"):
            reply: Any = self.raw.xrange(f"pab:jobs:{name}")
            entries += [fields["id"] for _, fields in reply]
        places = {
            "stream": entries,
            "delayed": self.raw.zrange("pab:jobs:delayed", 0, -1),
            "result": list(self.raw.hkeys("pab:jobs:result")),
            "failed": list(self.raw.hkeys("pab:jobs:failed")),
        }
        found = sorted(item for held in places.values() for item in held)
        assert found == sorted(self.raw.hkeys("pab:jobs:state")), places
        assert sorted(self.raw.zrange("pab:jobs:history", 0, -1)) == sorted(
            places["result"] + places["failed"]
        )
        assert sorted(self.raw.zrange("pab:jobs:history:failed", 0, -1)) == sorted(places["failed"])
        assert set(self.raw.zrange("pab:jobs:leases", 0, -1)) <= set(entries)

    @invariant()
    def at_most_one_lease_of_a_job_lives(self) -> None:
        for item, row in zip(IDS, self.redis.jobs(IDS), strict=True):
            mine = [pair[1] for pair in self.leases if pair[1].request_id == item]
            if row and row.state is JobState.RUNNING:
                assert row.lease_no == max(lease.lease_no for lease in mine)


def run_examples(count: int, raw: redis.Redis, url: str) -> None:
    machine = type("Machine", (SideBySide,), {"raw": raw, "url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=count,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            database=None,
            print_blob=True,
        ),
    )


# A minute beside others that want the processor, and a difference takes as long again to be made small.
@pytest.mark.timeout(600)
def test_two_writings_of_the_rules_agree(raw: redis.Redis, redis_url: str) -> None:
    run_examples(120, raw, redis_url)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_two_writings_of_the_rules_agree_for_long(raw: redis.Redis, redis_url: str) -> None:
    run_examples(20_000, raw, redis_url)
