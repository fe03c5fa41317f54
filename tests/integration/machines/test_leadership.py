"""Leading from a loop that is slow: renewed while it is alive, given up when it hangs (W15)."""

from __future__ import annotations

import time

import pytest

from lib.clock import ManualClock
from lib.leadership.lock import LeaderLock, RenewedLeadership, open_leader_lock
from tests.integration.machines.locks import MakeLock, clock, lock, transport
from tests.integration.servers import Server

__all__ = ["clock", "lock", "transport"]


class TestLeadershipOfASlowLoop:
    @pytest.fixture
    def bob(self, lock: MakeLock) -> LeaderLock:
        return lock("bob")

    @pytest.fixture
    def ann(self, lock: MakeLock, clock: ManualClock) -> RenewedLeadership:
        return RenewedLeadership(lock("ann"), act_s=10, silent_after_s=100, clock=clock)

    def test_keeps_its_epoch_though_the_ledger_knows_it_by_now(self, ann: RenewedLeadership) -> None:
        assert ann.lead(5) == 5
        assert ann.lead(6) == 5

    def test_begins_anew_when_the_ledger_knows_a_newer_one(self, ann: RenewedLeadership) -> None:
        assert ann.lead(1) == 1
        assert ann.lead(9) == 9

    def test_outlasts_the_lease_while_the_loop_is_alive(
        self, ann: RenewedLeadership, bob: LeaderLock, clock: ManualClock
    ) -> None:
        ann.lead(1)

        for _ in range(9):
            clock.advance(10)
            ann.tick()

        assert ann.held(1)
        assert bob.acquire() is None

    def test_ends_when_the_loop_hangs(
        self, ann: RenewedLeadership, bob: LeaderLock, clock: ManualClock
    ) -> None:
        ann.lead(1)

        for _ in range(13):
            clock.advance(10)
            ann.tick()

        assert bob.acquire() == 2
        assert not ann.held(1)

    def test_is_not_held_by_one_that_stands_by(self, ann: RenewedLeadership, bob: LeaderLock) -> None:
        bob.acquire()
        ann.tick()

        assert ann.lead(1) is None
        assert not ann.held(1)

    def test_is_not_held_for_an_act_that_could_outlast_it(
        self, ann: RenewedLeadership, clock: ManualClock
    ) -> None:
        ann.lead(1)
        clock.advance(20)

        assert not ann.held(1)

    def test_is_given_back(self, ann: RenewedLeadership, bob: LeaderLock) -> None:
        ann.lead(1)

        ann.resign()

        assert not ann.held(1)
        assert bob.acquire() == 2

    def test_is_not_held_while_nobody_can_tell(self, own_server: Server) -> None:
        lock = open_leader_lock(own_server.url, owner="ann", lease_s=0.6)
        ann = RenewedLeadership(lock, act_s=0)
        ann.lead(1)
        own_server.kill()

        assert not ann.held(1)
        ann.tick()
        lock.close()

    def test_is_renewed_by_the_thread(self, redis_url: str, clock: ManualClock) -> None:
        """By our clock a third of the lease is over at once; by the server's it lasts for the whole test."""
        lock = open_leader_lock(redis_url, owner="ann", lease_s=6.0, clock=clock)
        ann = RenewedLeadership(lock, act_s=0, clock=clock)
        ann.lead(1)
        clock.advance(lock.renew_every_s)
        left, give_up = lock.left_s(), time.monotonic() + 10
        ann.start()

        while lock.left_s() <= left:  # it only ever rises when the lease is renewed
            assert time.monotonic() < give_up
            time.sleep(0.01)

        ann.stop()
        assert lock.held(1)
        lock.close()
