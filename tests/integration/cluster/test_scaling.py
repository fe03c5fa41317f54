"""How many watchers KEDA keeps, tried on a real stream with the real queue (docs/decisions/0008)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobQueue, QueueOptions, connect
from lib.jobqueue.codec import intake
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.integration.cluster.keda import ROOT, Keda, scaled_object
from tests.integration.servers import Server
from tests.integration.topologies import told

STREAM = "pab:jobs:stream"


@pytest.fixture
def queue(redis_url: str) -> Iterator[JobQueue]:
    with closing(connect(redis_url)) as opened:
        yield opened


@pytest.fixture
def keda(raw: redis.Redis) -> Keda:
    return Keda(raw)


def rights() -> list[str]:
    """The words of the command on the page that makes KEDA's login."""
    page = (ROOT / "docs" / "how-to" / "cluster.md").read_text(encoding="utf-8")
    found = re.search(r"^ACL SETUSER keda on >PASSWORD .*?$", page, re.MULTILINE)
    assert found is not None, "the page has no ACL line"
    return found.group(0).split()


def group(raw: redis.Redis) -> dict[str, Any]:
    """What the server says of our consumer group."""
    (found,) = raw.xinfo_groups(STREAM)
    return dict(found)


def test_a_queue_that_never_was_has_no_watcher(keda: Keda) -> None:
    """No stream, no group: where others scale for ever."""
    assert keda.pods() == 0


def test_one_job_has_one_watcher_from_the_moment_it_is_accepted_until_it_ended(
    keda: Keda, queue: JobQueue, raw: redis.Redis
) -> None:
    queue.enqueue([job("a")])
    assert keda.pods() == 1

    (lease,) = queue.claim("ann")
    assert keda.pods() == 1
    lease = queue.begin(lease)
    assert keda.pods() == 1  # at work: the watcher that has it is not taken away
    assert group(raw)["lag"] == 0  # by the lag there is nothing to do now

    queue.complete(lease, {"ok": True})
    assert keda.pods() == 0


def test_what_the_pending_list_and_the_lag_say_is_no_demand(
    queue: JobQueue, keda: Keda, raw: redis.Redis
) -> None:
    """Why neither is used: one is blind before the first claim, the other after the first deletion."""
    queue.enqueue([job("a"), job("b"), job("c")])
    queue.claim("ann")
    queue.enqueue([job("d")])
    assert (group(raw)["pending"], keda.pods()) == (1, 1)

    queue.cancel("b")  # an entry that was never delivered is deleted

    assert group(raw)["lag"] is None
    assert keda.values()["normal"] == 3


def test_the_priorities_are_added_up(queue: JobQueue, keda: Keda) -> None:
    queue.enqueue(
        [
            job(f"{priority}-{number}", priority=priority)
            for priority in ("high", "normal", "low")
            for number in range(3)
        ]
    )

    assert keda.values() == {"high": 3, "normal": 3, "low": 3, "delayed": 0, "batches": 0}
    assert keda.pods() == 3  # nine jobs, four to a pod
    assert keda.pods_without_formula() == 1


def test_many_jobs_have_no_more_watchers_than_allowed(queue: JobQueue, keda: Keda) -> None:
    queue.enqueue([job(f"a{number}") for number in range(500)])

    assert keda.pods() == scaled_object()["maxReplicaCount"]


def test_jobs_that_wait_for_their_time_keep_one_watcher_who_brings_them_on(
    queue: JobQueue, keda: Keda, redis_url: str
) -> None:
    """A stream knows nothing of them, and only a watcher that asks for work puts them there."""
    soon = int(time.time()) + 3600
    queue.enqueue([job(f"a{number}", not_before=soon) for number in range(20)])

    assert keda.pods() == 1

    def later() -> int:
        return (soon + 1) * 1000

    with closing(RedisQueue(Transport(redis_url), now_ms=later)) as watcher:
        assert len(watcher.claim("ann", count=2)) == 2
    assert keda.pods() == 5


def test_a_job_that_waits_for_its_next_try_keeps_one_watcher(queue: JobQueue, keda: Keda) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")
    queue.fail(queue.begin(lease), Failure(ErrorClass.TRANSIENT, "It did not work."))

    assert keda.values()["normal"] == 0
    assert keda.pods() == 1


def test_a_paused_queue_keeps_what_its_jobs_need(queue: JobQueue, keda: Keda) -> None:
    """KEDA cannot see that; docs/how-to/cluster.md says how to hold it, too."""
    queue.enqueue([job("a")])
    queue.pause()

    assert keda.pods() == 1


def test_a_file_whose_producer_died_half_way_keeps_one_watcher_who_cares_for_it(
    keda: Keda, redis_url: str
) -> None:
    with closing(Transport(redis_url)) as transport:
        calls = ScriptCalls(transport, Keys("pab:jobs"), QueueOptions(), lambda: time.time_ns() // 1_000_000)
        assert calls.stage([intake(job("a"))], "b1", 30_000, first=True).word == "ok"

    assert keda.pods() == 1


def test_keda_needs_to_read_five_keys_and_nothing_more(
    queue: JobQueue, shared_server: Server, raw: redis.Redis
) -> None:
    """With the rights that the page gives it, on a real server."""
    told(raw, *rights())
    try:
        queue.enqueue([job("a"), job("b", not_before=int(time.time()) + 3600)])
        with redis.Redis(
            unix_socket_path=str(shared_server.socket_path),
            username="keda",
            password="PASSWORD",
            protocol=2,
            decode_responses=True,
        ) as limited:
            assert Keda(limited).pods() == 1
            with pytest.raises(redis.exceptions.NoPermissionError):
                limited.xadd(STREAM, {"id": "forged"})
            with pytest.raises(redis.exceptions.NoPermissionError):
                limited.hgetall("pab:jobs:spec")
    finally:
        told(raw, "ACL", "DELUSER", "keda")
