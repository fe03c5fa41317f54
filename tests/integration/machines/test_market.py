"""The market as the leader saw it, left for those who price batches."""

from __future__ import annotations

import pytest
import redis

from lib.leadership.lock import LeaderLock
from lib.market.model import GpuMarket, Market
from lib.market.stored import publish_market, read_market
from lib.redislink.transport import Transport
from tests.integration.machines.locks import MakeLock, clock, lock, transport

__all__ = ["clock", "lock", "transport"]

SEEN = Market(
    provider="rehearsal",
    seen_at=1_790_000_000.25,
    classes=(
        GpuMarket("RTX 3060", 12, 60_000, 85_000, 9_000, speeds={"hibari": 31.5}, cold_start_s=140.0),
        GpuMarket("RTX 4090", 1, 300_000, 300_000, interruptible=True),
    ),
)


class TestTheMarket:
    def test_is_read_as_the_leader_published_it(self, lock: MakeLock, transport: Transport) -> None:
        ann = lock("ann")
        ann.acquire()

        publish_market(ann, SEEN)

        assert read_market(transport) == SEEN

    def test_is_unknown_until_somebody_saw_it(self, transport: Transport) -> None:
        assert read_market(transport) is None

    def test_is_forgotten_when_it_is_too_old_to_be_a_price(self, lock: MakeLock, raw: redis.Redis) -> None:
        ann = lock("ann")
        ann.acquire()

        publish_market(ann, SEEN, kept_s=900)

        assert 895_000 < raw.pttl("pab:jobs:market") <= 900_000

    @pytest.mark.parametrize(
        "stored",
        [
            *("", "no json", "[]", '{"version":2}', '{"version":1}', '{"version":1,"classes":[{}]}'),
            *(b"\xff\xfe", "9" * 300_000),
        ],
        ids=lambda stored: repr(stored[:30]),
    )
    def test_of_another_version_is_as_good_as_none(
        self, transport: Transport, raw: redis.Redis, stored: str | bytes
    ) -> None:
        raw.set("pab:jobs:market", stored)

        assert read_market(transport) is None

    def test_lies_under_the_deployments_prefix(self, transport: Transport, raw: redis.Redis) -> None:
        ann = LeaderLock(transport, owner="ann", prefix="{shop}")
        ann.acquire()
        publish_market(ann, SEEN)

        assert sorted(raw.keys()) == ["{shop}:lock", "{shop}:market"]
        assert read_market(transport, prefix="{shop}") == SEEN
        assert read_market(transport) is None
