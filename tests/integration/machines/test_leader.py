"""Who leads: one at a time, with an epoch that rises, and a stopped leader that wakes up is refused (W15)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from lib.clock import ManualClock
from lib.errors import Unavailable
from lib.jobqueue.leader import LeaderLock, Leadership, LeadershipLost, open_leader_lock
from lib.jobqueue.market import GpuMarket, Market, publish_market, read_market
from lib.jobqueue.transport import Transport
from tests.integration.servers import Server

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


class TestLeadershipOfASlowLoop:
    @pytest.fixture
    def bob(self, lock: MakeLock) -> LeaderLock:
        return lock("bob")

    @pytest.fixture
    def ann(self, lock: MakeLock, clock: ManualClock) -> Leadership:
        return Leadership(lock("ann"), act_s=10, silent_after_s=100, clock=clock)

    def test_keeps_its_epoch_though_the_ledger_knows_it_by_now(self, ann: Leadership) -> None:
        assert ann.lead(5) == 5
        assert ann.lead(6) == 5

    def test_begins_anew_when_the_ledger_knows_a_newer_one(self, ann: Leadership) -> None:
        assert ann.lead(1) == 1
        assert ann.lead(9) == 9

    def test_outlasts_the_lease_while_the_loop_is_alive(
        self, ann: Leadership, bob: LeaderLock, clock: ManualClock
    ) -> None:
        ann.lead(1)

        for _ in range(9):
            clock.advance(10)
            ann.tick()

        assert ann.held(1)
        assert bob.acquire() is None

    def test_ends_when_the_loop_hangs(self, ann: Leadership, bob: LeaderLock, clock: ManualClock) -> None:
        ann.lead(1)

        for _ in range(13):
            clock.advance(10)
            ann.tick()

        assert bob.acquire() == 2
        assert not ann.held(1)

    def test_is_not_held_by_one_that_stands_by(self, ann: Leadership, bob: LeaderLock) -> None:
        bob.acquire()
        ann.tick()

        assert ann.lead(1) is None
        assert not ann.held(1)

    def test_is_not_held_for_an_act_that_could_outlast_it(self, ann: Leadership, clock: ManualClock) -> None:
        ann.lead(1)
        clock.advance(20)

        assert not ann.held(1)

    def test_is_given_back(self, ann: Leadership, bob: LeaderLock) -> None:
        ann.lead(1)

        ann.resign()

        assert not ann.held(1)
        assert bob.acquire() == 2

    def test_is_not_held_while_nobody_can_tell(self, own_server: Server) -> None:
        lock = open_leader_lock(own_server.url, owner="ann", lease_s=0.6)
        ann = Leadership(lock, act_s=0)
        ann.lead(1)
        own_server.kill()

        assert not ann.held(1)
        ann.tick()
        lock.close()

    def test_is_renewed_by_the_thread(self, redis_url: str) -> None:
        lock = open_leader_lock(redis_url, owner="ann", lease_s=1.5)
        ann = Leadership(lock, act_s=0)
        ann.lead(1)
        first, give_up = lock.left_s(), time.monotonic() + 10
        ann.start()

        while lock.left_s() < first:  # it only ever rises when the lease is renewed
            first = lock.left_s()
            assert time.monotonic() < give_up
            time.sleep(0.01)

        ann.stop()
        assert lock.held(1)
        lock.close()


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
        "stored", ["", "no json", "[]", '{"version":2}', '{"version":1}', '{"version":1,"classes":[{}]}']
    )
    def test_of_another_version_is_as_good_as_none(
        self, transport: Transport, raw: redis.Redis, stored: str
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
