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
from tests.contract.jobqueue.kinds import Kinds
from tests.integration.conftest import shared_server
from tests.integration.servers import Server

__all__ = ["shared_server"]

KINDS = ["memory", "redis", "redis-8", "redis-7", "cluster", "sentinel", "tls", "few-rights"]


class MakeQueue(Protocol):
    def __call__(self, options: QueueOptions | None = None) -> JobQueue: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def kinds(shared_server: Server) -> Iterator[Kinds]:
    """All servers of the run."""
    found = Kinds(shared_server)
    yield found
    found.remove()


@pytest.fixture(params=KINDS)
def make_queue(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[MakeQueue]:
    """Makes queues by the test's clock; backoff draws the largest wait it may."""
    opened: list[JobQueue] = []
    kind: str = request.param
    url = "" if kind == "memory" else request.getfixturevalue("kinds").url(kind)

    def now_ms() -> int:
        return round(clock.now() * 1000)

    def chance() -> float:
        return 1.0

    def make(options: QueueOptions | None = None) -> JobQueue:
        queue: JobQueue
        if kind == "memory":
            queue = MemoryQueue(options, now_ms=now_ms, chance=chance)
        else:
            transport = Transport(url)
            transport.greet()
            queue = RedisQueue(transport, options, now_ms=now_ms, chance=chance)
        opened.append(queue)
        return queue

    yield make
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(make_queue: MakeQueue) -> JobQueue:
    return make_queue()
