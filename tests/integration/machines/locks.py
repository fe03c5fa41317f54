"""Locks of watchers that share one clock, for the tests of leading."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lib.clock import ManualClock
from lib.leadership.lock import LeaderLock
from lib.redislink.transport import Transport

LEASE_S = 30.0

MakeLock = Callable[[str], LeaderLock]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def transport(redis_url: str) -> Iterator[Transport]:
    transport = Transport(redis_url, patience_s=1.0)
    yield transport
    transport.close()


@pytest.fixture
def lock(transport: Transport, clock: ManualClock) -> MakeLock:
    """Makes locks of watchers that share one clock, which is the server's too."""

    def make(owner: str) -> LeaderLock:
        return LeaderLock(
            transport,
            owner=owner,
            lease_s=LEASE_S,
            clock=clock,
            now_ms=lambda: round(clock.now() * 1000),
        )

    return make
