"""The implementations that the suite runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobQueue, QueueOptions
from lib.jobqueue.memory import MemoryQueue
from lib.jobqueue.redis_queue import RedisQueue
from lib.jobqueue.transport import Transport
from tests.integration.conftest import raw, redis_url, shared_server

__all__ = ["raw", "redis_url", "shared_server"]


class MakeQueue(Protocol):
    def __call__(self, options: QueueOptions | None = None) -> JobQueue: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "redis"])
def make_queue(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[MakeQueue]:
    """Makes queues by the test's clock; backoff draws the largest wait it may."""
    opened: list[JobQueue] = []

    def now_ms() -> int:
        return round(clock.now() * 1000)

    def chance() -> float:
        return 1.0

    def make(options: QueueOptions | None = None) -> JobQueue:
        queue: JobQueue
        if request.param == "memory":
            queue = MemoryQueue(options, now_ms=now_ms, chance=chance)
        else:
            transport = Transport(request.getfixturevalue("redis_url"))
            queue = RedisQueue(transport, options, now_ms=now_ms, chance=chance)
        opened.append(queue)
        return queue

    yield make
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(make_queue: MakeQueue) -> JobQueue:
    return make_queue()
