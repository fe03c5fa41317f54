"""The implementations that the suite runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobQueue, QueueOptions, Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobqueue.redis.queue import RedisQueue
from lib.leadership.lock import LEASE_S, LeaderLock
from lib.redislink.transport import Transport
from tests.contract.jobqueue.kinds import Kinds
from tests.integration.conftest import shared_server
from tests.integration.servers import Server

__all__ = ["shared_server"]

MAKES = ("memory", "redis", "redis-8", "redis-7")
# The same servers, reached otherwise. There the scripts are what could be refused or sent to the wrong node:
# test_every_script.py runs each of them, and the long proofs run the whole suite.
REACHED = ("cluster", "sentinel", "tls", "few-rights")
KINDS = (*MAKES, *(pytest.param(kind, marks=pytest.mark.soak) for kind in REACHED))
Lead = Callable[[str], Term]


class MakeQueue:
    """Makes queues, and leaders of their deployment, by the test's clock; `url` is empty for memory.

    Backoff draws the largest wait it may.
    """

    def __init__(self, url: str, clock: ManualClock) -> None:
        self._url, self._clock = url, clock
        self._reign: tuple[Term, float] | None = None  # in memory: whose, and until when
        self._opened: list[JobQueue | LeaderLock] = []

    def __call__(self, options: QueueOptions | None = None) -> JobQueue:
        queue: JobQueue
        if self._url:
            queue = RedisQueue(self._transport(), options, now_ms=self._now_ms, chance=lambda: 1.0)
        else:
            queue = MemoryQueue(options, now_ms=self._now_ms, chance=lambda: 1.0, leads=self._leads)
        self._opened.append(queue)
        return queue

    def lead(self, owner: str) -> Term:
        """Become the leader, once nobody is."""
        if not self._url:
            epoch = self._reign[0].epoch + 1 if self._reign else 1
            self._reign = (Term(epoch, f"{owner}'s token"), self._clock.now() + LEASE_S)
            return self._reign[0]
        lock = LeaderLock(self._transport(), owner=owner, clock=self._clock, now_ms=self._now_ms)
        self._opened.append(lock)
        assert lock.acquire() is not None
        assert lock.term is not None
        return lock.term

    def close(self) -> None:
        """Close all that was opened."""
        for opened in self._opened:
            opened.close()

    def _transport(self) -> Transport:
        transport = Transport(self._url)
        transport.greet()
        return transport

    def _now_ms(self) -> int:
        return round(self._clock.now() * 1000)

    def _leads(self, term: Term) -> bool:
        return self._reign is not None and self._reign[0] == term and self._clock.now() < self._reign[1]


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
    """Makes queues on one kind."""
    kind: str = request.param
    url = "" if kind == "memory" else request.getfixturevalue("kinds").url(kind)
    make = MakeQueue(url, clock)
    yield make
    make.close()


@pytest.fixture
def queue(make_queue: MakeQueue) -> JobQueue:
    return make_queue()


@pytest.fixture
def lead(make_queue: MakeQueue) -> Lead:
    """Makes leaders of the deployment that `queue` belongs to."""
    return make_queue.lead
