"""Who leads: one at a time, with an epoch that rises, and a stopped leader that wakes up is refused (W15)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from lib.clock import ManualClock
from lib.errors import Unavailable
from lib.leadership.lock import LeaderLock, open_leader_lock
from lib.market.model import Market
from lib.market.stored import publish_market
from lib.redislink.term import LeadershipLost
from lib.redislink.transport import Transport
from tests.integration.machines.locks import LEASE_S, MakeLock, clock, lock, transport
from tests.integration.servers import Server

__all__ = ["clock", "lock", "transport"]


def test_nobody_leads_at_first(lock: MakeLock) -> None:
    ann = lock("ann")

    assert ann.look() is None
    assert ann.epoch is None
    assert not ann.held(1)


def test_the_first_to_come_leads_and_the_others_stand_by(lock: MakeLock, clock: ManualClock) -> None:
    ann, bob = lock("ann"), lock("bob")

    assert ann.acquire() == 1
    assert bob.acquire() is None

    assert ann.held(1)
    assert not bob.held(1)
    leader = bob.look()
    assert leader is not None
    assert (leader.owner, leader.epoch, leader.since, leader.left_s, leader.live) == (
        "ann",
        1,
        clock.now(),
        LEASE_S,
        True,
    )


def test_a_leader_that_asks_again_keeps_its_epoch(lock: MakeLock) -> None:
    ann = lock("ann")

    assert [ann.acquire(), ann.acquire(), ann.acquire(above=1)] == [1, 1, 1]


def test_a_standby_takes_over_within_two_lease_times(lock: MakeLock, clock: ManualClock) -> None:
    ann, bob = lock("ann"), lock("bob")
    ann.acquire()
    died = clock.now()

    while bob.acquire() is None:
        clock.advance(bob.renew_every_s)

    assert clock.now() - died <= 2 * LEASE_S
    assert bob.epoch == 2


def test_a_leader_that_renews_is_never_replaced(lock: MakeLock, clock: ManualClock) -> None:
    ann, bob = lock("ann"), lock("bob")
    ann.acquire()

    for _ in range(20):
        clock.advance(ann.renew_every_s)
        ann.keep()
        assert bob.acquire() is None

    assert ann.held(1)


def test_keeping_renews_at_a_third_of_the_lease_and_not_before(lock: MakeLock, clock: ManualClock) -> None:
    ann = lock("ann")
    ann.acquire()

    clock.advance(LEASE_S / 3 - 1)
    ann.keep()
    assert ann.left_s() == pytest.approx(LEASE_S * 2 / 3 + 1)

    clock.advance(1)
    ann.keep()
    assert ann.left_s() == pytest.approx(LEASE_S)


class TestALeaderThatWasStopped:
    @pytest.fixture
    def ann(self, lock: MakeLock, clock: ManualClock) -> LeaderLock:
        """Led, slept through its lease, and was succeeded by bob."""
        ann = lock("ann")
        ann.acquire()
        clock.advance(LEASE_S)
        assert lock("bob").acquire() == 2
        return ann

    def test_knows_that_it_does_not_lead(self, ann: LeaderLock) -> None:
        assert ann.epoch == 1
        assert not ann.held(1)
        with pytest.raises(LeadershipLost, match="watcher ann does not lead any more: its lease of epoch 1"):
            ann.check(1)

    def test_cannot_renew_what_it_lost(self, ann: LeaderLock) -> None:
        with pytest.raises(LeadershipLost):
            ann.renew()

        assert ann.epoch is None
        leader = ann.look()
        assert leader is not None
        assert (leader.owner, leader.epoch) == ("bob", 2)

    def test_cannot_keep_it_either(self, ann: LeaderLock) -> None:
        with pytest.raises(LeadershipLost):
            ann.keep()

    def test_cannot_release_its_successor(self, ann: LeaderLock) -> None:
        assert not ann.release()

        leader = ann.look()
        assert leader is not None
        assert leader.live

    def test_writes_nothing(self, ann: LeaderLock, raw: redis.Redis) -> None:
        with pytest.raises(LeadershipLost):
            publish_market(ann, Market("rehearsal", 0.0))

        assert raw.exists("pab:jobs:market") == 0

    def test_is_refused_even_with_its_successors_epoch(self, ann: LeaderLock) -> None:
        assert not ann.held(2)

    def test_stands_by(self, ann: LeaderLock) -> None:
        assert ann.acquire() is None
        assert ann.epoch is None


def test_a_lease_that_is_over_is_not_held_though_nobody_took_it(lock: MakeLock, clock: ManualClock) -> None:
    ann = lock("ann")
    ann.acquire()
    clock.advance(LEASE_S)

    assert not ann.held(1)
    with pytest.raises(LeadershipLost):
        ann.renew()
    assert ann.acquire() == 2


def test_an_act_that_may_outlast_the_lease_is_not_begun(lock: MakeLock, clock: ManualClock) -> None:
    ann = lock("ann")
    ann.acquire()
    clock.advance(10)

    assert ann.held(1, for_s=19.9)
    assert not ann.held(1, for_s=20.0)


def test_one_that_steps_down_is_succeeded_at_once_by_a_higher_epoch(lock: MakeLock) -> None:
    ann, bob = lock("ann"), lock("bob")
    ann.acquire()

    assert ann.release()

    assert (ann.epoch, ann.release(), ann.held(1)) == (None, False, False)
    assert bob.acquire() == 2


def test_the_epoch_is_above_all_that_the_ledger_remembers(lock: MakeLock, raw: redis.Redis) -> None:
    ann, bob = lock("ann"), lock("bob")
    assert ann.acquire(above=41) == 42

    raw.flushall()  # a server that lost its memory

    assert not ann.held(42)
    assert bob.acquire(above=42) == 43


def test_of_two_with_one_epoch_only_the_latest_leads(lock: MakeLock, raw: redis.Redis) -> None:
    ann, bob = lock("ann"), lock("bob")
    ann.acquire()
    raw.flushall()  # a server that lost its memory, and a standby that knows no ledger

    assert bob.acquire() == 1

    assert not ann.held(1)
    assert bob.held(1)


def test_a_leader_below_what_the_ledger_remembers_begins_anew(lock: MakeLock) -> None:
    ann = lock("ann")
    ann.acquire()

    assert ann.acquire(above=7) == 8


def test_the_epoch_outlives_the_lease_by_any_time(
    lock: MakeLock, clock: ManualClock, raw: redis.Redis
) -> None:
    lock("ann").acquire()
    clock.advance(365 * 86400)

    assert raw.ttl("pab:jobs:lock") == -1
    assert lock("bob").acquire() == 2


def test_of_many_that_try_at_once_one_leads(redis_url: str) -> None:
    racers = 8
    start = threading.Barrier(racers)

    def run(racer: int) -> int | None:
        lock = open_leader_lock(redis_url, owner=f"watcher-{racer}")
        start.wait(10)
        epoch = lock.acquire()
        lock.close()
        return epoch

    with ThreadPoolExecutor(racers) as pool:
        found = list(pool.map(run, range(racers)))

    assert [epoch for epoch in found if epoch is not None] == [1]


def test_time_is_the_servers_when_none_is_given(transport: Transport, raw: redis.Redis) -> None:
    ahead = ManualClock(9_000_000_000.0)  # a watcher whose own clock is centuries ahead
    ann = LeaderLock(transport, owner="ann", lease_s=LEASE_S, clock=ahead)
    ann.acquire()

    leader = ann.look()

    seconds, _ = raw.time()
    assert leader is not None
    assert abs(leader.since - seconds) < 5
    assert 0 < leader.left_s <= LEASE_S


def test_a_lost_reply_to_acquire_is_repeated_and_finds_itself_leading(
    lock: MakeLock, transport: Transport
) -> None:
    ask, replies = transport.ask, []

    def losing(*words: object) -> object:
        reply = ask(*words)
        replies.append(reply)
        if len(replies) == 1:
            raise redis.exceptions.ConnectionError("the reply was lost")
        return reply

    transport.ask = losing
    ann = lock("ann")

    assert ann.acquire() == 1
    assert len(replies) >= 2
    assert ann.held(1)


def test_nobody_knows_who_leads_while_the_server_is_away(own_server: Server) -> None:
    lock = open_leader_lock(own_server.url, owner="ann", lease_s=0.6)
    assert lock.acquire() == 1

    own_server.kill()

    with pytest.raises(Unavailable):
        lock.held(1)
    with pytest.raises(Unavailable):
        lock.renew()
    lock.close()
