"""Queues on the shared server, on its clock or on one that a test moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobQueue, QueueOptions, connect
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.redislink.transport import Transport


@pytest.fixture
def queue(redis_url: str) -> Iterator[JobQueue]:
    queue = connect(redis_url, patience_s=5)
    yield queue
    queue.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport(redis_url: str) -> Iterator[Transport]:
    transport = Transport(redis_url)
    yield transport
    transport.close()


@pytest.fixture
def keys() -> Keys:
    return Keys("pab:jobs")


@pytest.fixture
def faces(transport: Transport, keys: Keys, clock: ManualClock) -> ScriptCalls:
    """The scripts themselves, called one by one."""
    return ScriptCalls(transport, keys, QueueOptions(), lambda: round(clock.now() * 1000))


@pytest.fixture
def timed_queue(transport: Transport, clock: ManualClock) -> RedisQueue:
    """A queue whose time is the test's clock."""
    return RedisQueue(transport, now_ms=lambda: round(clock.now() * 1000), clock=clock)
