"""What is told: the snapshot, the event stream, the registry of watchers (Q16, Q41, W15)."""

from __future__ import annotations

import threading

import pytest

from lib.clock import ManualClock
from lib.jobqueue import WATCHER_LIVE_S, ErrorClass, Event, Failure, JobQueue, JobState, PlaceInLine
from lib.jobqueue.admin.observed import COUNTED_AT_MOST
from lib.jobqueue.lifecycle import JobEvent, advance
from lib.jobqueue.model import WATCHER_KEPT_S
from tests.contract.jobqueue.jobs import job, moment


def test_a_snapshot_counts_each_job_once(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([job(f"j{number}") for number in range(6)])
    queue.enqueue([job("later", not_before=clock.now() + 50), job("low", priority="low")])
    first, second, third = queue.claim("ann", count=3)
    queue.complete(first, {})
    queue.fail(second, Failure(ErrorClass.BAD_INPUT, "no"))
    clock.advance(3)

    snapshot = queue.snapshot()

    assert (snapshot.waiting, snapshot.pending, snapshot.delayed, snapshot.outstanding) == (4, 1, 1, 6)
    assert (snapshot.done, snapshot.failed, snapshot.canceled) == (1, 1, 0)
    assert snapshot.oldest_waiting_s == moment(3)
    assert snapshot.server_time == moment(clock.now())
    assert third.request_id == "j2"


def test_an_empty_queue_has_nothing_waiting(queue: JobQueue) -> None:
    snapshot = queue.snapshot()

    assert snapshot.outstanding == 0
    assert snapshot.oldest_waiting_s is None
    assert snapshot.lock_owner is None
    assert snapshot.to_json()["watcher_last_seen"] is None


def test_a_running_job_at_the_front_does_not_hide_how_long_others_wait(
    queue: JobQueue, clock: ManualClock
) -> None:
    queue.enqueue([job("a"), job("b")])
    queue.claim("ann")
    clock.advance(3)

    assert queue.snapshot().oldest_waiting_s == moment(3)


def test_a_job_whose_time_came_waits_from_then_on(queue: JobQueue, clock: ManualClock) -> None:
    """Not since it was enqueued: a night's delay is no backlog."""
    queue.enqueue([job(name, not_before=clock.now() + 50) for name in ("a", "b")])
    clock.advance(60)
    assert len(queue.claim("ann")) == 1
    clock.advance(2)

    assert queue.snapshot().oldest_waiting_s == moment(2)


def test_the_age_of_the_oldest_counts_from_when_it_began_to_wait(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([job("a")])
    clock.advance(5)
    queue.enqueue([job("b", priority="high")])
    clock.advance(5)
    assert queue.snapshot().oldest_waiting_s == moment(10)

    leases = queue.claim("ann", count=2)
    assert queue.snapshot().oldest_waiting_s is None
    queue.release(next(item for item in leases if item.request_id == "a"), "drain")
    clock.advance(2)
    assert queue.snapshot().oldest_waiting_s == moment(2)


@pytest.mark.parametrize(("older", "newer"), [("high", "low"), ("low", "high")])
def test_the_oldest_is_looked_for_among_all_priorities(
    queue: JobQueue, clock: ManualClock, older: str, newer: str
) -> None:
    queue.enqueue([job("a", priority=older)])
    clock.advance(5)
    queue.enqueue([job("b", priority=newer)])
    clock.advance(5)

    assert queue.snapshot().oldest_waiting_s == moment(10)


def told(events: list[Event]) -> list[tuple[str, str | None]]:
    return [(event.kind, event.request_id) for event in events]


def test_every_transition_is_told_in_order(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([job("a"), job("b", not_before=clock.now() + 1)])
    lease = queue.begin(queue.claim("ann")[0])
    queue.release(lease, "drain")
    lease = queue.begin(queue.claim("ann")[0])
    queue.fail(lease, Failure(ErrorClass.TRANSIENT, "no"))
    clock.advance(10)
    queue.complete_many([(item, {}) for item in queue.claim("bob", count=2)])
    queue.pause()
    queue.resume()

    events = queue.follow_events("0-0")

    assert told(events)[:7] == [
        ("created", "a"),
        ("deferred", "b"),
        ("claimed", "a"),
        ("begun", "a"),
        ("released", "a"),
        ("claimed", "a"),
        ("begun", "a"),
    ]
    assert told(events)[-2:] == [("paused", None), ("resumed", None)]
    _replay(events)


def _replay(events: list[Event]) -> None:
    """Every event leads from the state before it to the state it names."""
    states: dict[str, JobState | None] = {}
    for event in events:
        if event.request_id:
            states[event.request_id] = advance(states.get(event.request_id), JobEvent(event.kind))
            assert states[event.request_id] is event.state
    assert all(state is JobState.DONE for state in states.values())


def test_events_can_be_followed_from_where_one_stopped(queue: JobQueue) -> None:
    queue.enqueue([job("a")])
    seen = queue.last_event_id()
    queue.enqueue([job("b"), job("c")])

    first = queue.follow_events(seen, count=1)
    rest = queue.follow_events(first[-1].id)

    assert told(first + rest) == [("created", "b"), ("created", "c")]
    assert queue.follow_events(rest[-1].id) == []


def test_a_follower_wakes_at_once(queue: JobQueue) -> None:
    after = queue.last_event_id()
    found: list[Event] = []
    follower = threading.Thread(target=lambda: found.extend(queue.follow_events(after, block_s=30)))
    follower.start()
    queue.enqueue([job("a")])
    follower.join(10)

    assert told(found) == [("created", "a")]


class TestWatchers:
    def test_the_oldest_live_one_owns_the_lock(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.register_watcher("first", {"pid": 1})
        clock.advance(1)
        queue.register_watcher("second", {"pid": 2})

        assert queue.snapshot().lock_owner == "first"
        assert [item.name for item in queue.watchers()] == ["first", "second"]
        clock.advance(WATCHER_LIVE_S)
        queue.heartbeat_watcher("second")
        assert queue.snapshot().lock_owner == "second"
        assert [item.live for item in queue.watchers()] == [False, True]

    def test_a_heartbeat_keeps_the_start_and_the_data(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.register_watcher("w", {"pid": 1, "odd": 'brace} "quote"'})
        started = clock.now()
        clock.advance(5)
        queue.heartbeat_watcher("w")

        (info,) = queue.watchers()
        assert info.started_at == moment(started)
        assert info.last_seen == moment(started + 5)
        assert info.data == {"pid": 1, "odd": 'brace} "quote"'}
        queue.heartbeat_watcher("w", {"pid": 2})
        assert queue.watchers()[0].data == {"pid": 2}

    def test_one_that_leaves_is_gone(self, queue: JobQueue) -> None:
        queue.register_watcher("w", {})
        queue.remove_watcher("w")

        assert queue.watchers() == []
        assert queue.snapshot().lock_owner is None

    def test_leaving_in_order_is_a_sign_of_life_newer_than_an_old_crash(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.register_watcher("crashed", {})
        clock.advance(100)
        queue.register_watcher("orderly", {})
        clock.advance(5)
        queue.remove_watcher("orderly")
        left = clock.now()
        clock.advance(5)
        queue.remove_watcher("never registered")
        assert queue.snapshot().watcher_last_seen == moment(left)
        clock.advance(WATCHER_KEPT_S)  # the crashed one leaves the registry
        queue.remove_watcher("never registered")
        assert queue.snapshot().watcher_last_seen == moment(left)

    def test_a_crash_newer_than_the_last_leaving_is_the_newest_sign_of_life(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.register_watcher("orderly", {})
        queue.remove_watcher("orderly")
        clock.advance(50)
        queue.register_watcher("crashed", {})
        seen = clock.now()
        clock.advance(500)

        assert queue.snapshot().watcher_last_seen == moment(seen)

    def test_one_dead_for_more_than_a_day_is_listed_no_more_but_its_last_sign_stays(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.register_watcher("crashed", {})
        seen = clock.now()
        clock.advance(WATCHER_KEPT_S)
        assert [item.name for item in queue.watchers()] == ["crashed"]
        clock.advance(1)

        assert queue.watchers() == []
        queue.remove_watcher("somebody else")
        assert queue.snapshot().watcher_last_seen == moment(seen)

    def test_a_snapshot_holds_the_registry_of_the_same_moment(
        self, queue: JobQueue, clock: ManualClock
    ) -> None:
        queue.register_watcher("first", {"pid": 1})
        clock.advance(1)
        queue.register_watcher("second", {"pid": 2})

        snapshot = queue.snapshot()
        assert list(snapshot.watchers) == queue.watchers()
        assert [item.name for item in snapshot.watchers] == ["first", "second"]


class TestAPlaceInLine:
    def test_counts_who_comes_first(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b"), job("c"), job("h", priority="high"), job("l", priority="low")])

        assert queue.place("a") == PlaceInLine(0, False, False, True, 1)
        assert queue.place("c") == PlaceInLine(2, False, False, True, 1)
        assert queue.place("h") == PlaceInLine(0, False, False, True, 0)
        assert queue.place("l") == PlaceInLine(0, False, False, True, 4)

    def test_moves_on_as_jobs_are_given_out(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b"), job("l", priority="low")])
        (lease,) = queue.claim("ann")

        assert queue.place("b") == PlaceInLine(0, False, False, True, 0)
        assert queue.place("l") == PlaceInLine(0, False, False, True, 2), "running ones are counted above"
        queue.complete(lease, {})
        assert queue.place("l") == PlaceInLine(0, False, False, True, 1)

    def test_of_a_job_handed_back_is_before_all(self, queue: JobQueue) -> None:
        queue.enqueue([job("a"), job("b")])
        (lease,) = queue.claim("ann")
        queue.release(lease, "drain")

        assert queue.place("a") == PlaceInLine(0, False, True, True, 0)

    def test_is_counted_up_to_a_bound(self, queue: JobQueue) -> None:
        queue.enqueue([job(f"j{number}") for number in range(COUNTED_AT_MOST + 2)])

        assert queue.place(f"j{COUNTED_AT_MOST}") == PlaceInLine(COUNTED_AT_MOST, False, False, True, 0)
        assert queue.place(f"j{COUNTED_AT_MOST + 1}") == PlaceInLine(COUNTED_AT_MOST, True, False, True, 0)

    def test_is_had_by_no_job_that_does_not_wait(self, queue: JobQueue, clock: ManualClock) -> None:
        queue.enqueue([job("runs"), job("later", not_before=clock.now() + 5)])
        queue.claim("ann")

        assert [queue.place(name) for name in ("runs", "later", "unknown")] == [None] * 3


def test_an_operator_finds_a_server_to_keep_up_or_none(queue: JobQueue) -> None:
    on_a_server = queue.server_health()["name"] != "memory"

    admin = queue.admin()

    assert (admin is not None) is on_a_server
    if admin is not None:
        queue.enqueue([job("a")])
        assert list(admin.inspector.job_states()) == [("a", "waiting")]
