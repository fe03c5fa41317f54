"""Whose fault a worker's death was: the job's, after two hosts; the host's; or not known yet (Q35)."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobRecord, JobState, Lease, Placement, QueueOptions
from tests.contract.jobqueue.conftest import MakeQueue
from tests.contract.jobqueue.jobs import job

A_BACKOFF_S = 600.0


def died_on(host: str, hosts: int = 2) -> Failure:
    return Failure(ErrorClass.POISON, "its worker died", host=host, hosts=hosts)


def known(queue: JobQueue) -> JobRecord:
    record = queue.job("a")
    assert record is not None
    return record


class Deaths:
    """The one job "a", killing worker after worker."""

    def __init__(self, queue: JobQueue, clock: ManualClock) -> None:
        self._queue, self._clock = queue, clock

    def claimed(self) -> Lease:
        self._clock.advance(A_BACKOFF_S)
        (lease,) = self._queue.claim("ann")
        return lease

    def on(self, host: str, hosts: int = 2) -> JobState:
        """One more."""
        return self._queue.fail(self._queue.begin(self.claimed()), died_on(host, hosts))


@pytest.fixture
def queue(make_queue: MakeQueue) -> JobQueue:
    queue = make_queue()
    queue.enqueue([job("a", max_attempts=9)])
    return queue


@pytest.fixture
def deaths(queue: JobQueue, clock: ManualClock) -> Deaths:
    return Deaths(queue, clock)


class TestPoison:
    def test_is_proved_on_two_hosts(self, queue: JobQueue, deaths: Deaths) -> None:
        assert deaths.on("m1") is JobState.DELAYED
        assert deaths.on("m2") is JobState.FAILED

        finished = queue.result("a")
        assert finished is not None
        assert finished.error is not None
        assert finished.error["class"] == "poison"
        assert known(queue).poisoned == 2

    def test_is_not_proved_on_one_of_two_until_twice_as_many_died(self, deaths: Deaths) -> None:
        assert [deaths.on("m1") for _ in range(3)] == [JobState.DELAYED] * 3
        assert deaths.on("m1") is JobState.FAILED

    def test_is_proved_by_the_second_host_however_late(self, deaths: Deaths) -> None:
        assert [deaths.on(host) for host in ("m1", "m1", "m2")] == [
            JobState.DELAYED,
            JobState.DELAYED,
            JobState.FAILED,
        ]

    def test_needs_no_second_host_where_there_is_none(self, deaths: Deaths) -> None:
        assert deaths.on("m1") is JobState.DELAYED
        assert deaths.on("m1", hosts=1) is JobState.FAILED

    def test_on_hosts_without_names_proves_nothing_about_hosts(self, queue: JobQueue, deaths: Deaths) -> None:
        assert [deaths.on("") for _ in range(3)] == [JobState.DELAYED] * 3
        assert deaths.claimed().killed == ()

    def test_on_two_hosts_still_needs_as_many_deaths_as_the_limit(
        self, make_queue: MakeQueue, clock: ManualClock
    ) -> None:
        queue = make_queue(QueueOptions(poison_limit=3))
        queue.enqueue([job("a", max_attempts=9)])
        deaths = Deaths(queue, clock)

        assert [deaths.on(host) for host in ("m1", "m2", "m1")] == [
            JobState.DELAYED,
            JobState.DELAYED,
            JobState.FAILED,
        ]

    def test_is_told_by_deaths_alone(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        deaths.on("m1")

        lease = queue.begin(deaths.claimed())

        assert queue.fail(lease, Failure(ErrorClass.TRANSIENT, "no", host="m2", hosts=1)) is JobState.DELAYED
        assert deaths.claimed().killed == ("m1",)

    def test_spends_attempts_as_any_failure_does(self, make_queue: MakeQueue, clock: ManualClock) -> None:
        queue = make_queue()
        queue.enqueue([job("a", max_attempts=2)])
        deaths = Deaths(queue, clock)

        assert [deaths.on("m1"), deaths.on("m1")] == [JobState.DELAYED, JobState.FAILED]


class TestTheHostsItKilledOn:
    def test_are_told_to_every_claimer(self, queue: JobQueue, deaths: Deaths, clock: ManualClock) -> None:
        deaths.on("m1")
        lease = queue.begin(deaths.claimed())
        assert lease.killed == ("m1",)

        queue.assign([Placement(lease, "m2", "a.2")])
        queue.release(lease, "drain")
        (lease,) = queue.claim("ann")
        assert (lease.killed, lease.host) == (("m1",), "")

        clock.advance(180)
        (lease,) = queue.claim("bob")
        assert lease.killed == ("m1",)

    def test_are_each_told_once_in_order(self, make_queue: MakeQueue, clock: ManualClock) -> None:
        queue = make_queue(QueueOptions(poison_limit=4))
        queue.enqueue([job("a", max_attempts=9)])
        deaths = Deaths(queue, clock)
        for host in ("m2", "m1", "m2"):
            deaths.on(host)

        assert deaths.claimed().killed == ("m2", "m1")

    def test_are_forgotten_when_it_ends_and_is_retried(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        deaths.on("m2")

        queue.retry(["a"])

        assert deaths.claimed().killed == ()


class TestExcusing:
    def test_takes_a_death_back_with_its_attempt(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        before, events = known(queue), queue.last_event_id()

        assert queue.excuse("a", "m1")

        after = known(queue)
        assert (after.poisoned, after.excused) == (before.poisoned - 1, before.excused + 1)
        assert (after.state, after.attempt, after.since) == (before.state, before.attempt, before.since)
        assert after.due_at == before.due_at
        (event,) = queue.follow_events(events)
        assert (event.kind, event.request_id, event.state) == ("excused", "a", None)
        assert event.data == {"host": "m1"}

    def test_lets_it_go_there_again(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        queue.excuse("a", "m1")

        assert deaths.claimed().killed == ()

    def test_leaves_the_deaths_elsewhere(self, make_queue: MakeQueue, clock: ManualClock) -> None:
        queue = make_queue(QueueOptions(poison_limit=3))
        queue.enqueue([job("a", max_attempts=9)])
        deaths = Deaths(queue, clock)
        deaths.on("m1")
        deaths.on("m2")

        assert queue.excuse("a", "m1")

        assert known(queue).poisoned == 1
        assert deaths.claimed().killed == ("m2",)

    def test_makes_the_next_host_the_first_that_counts(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        queue.excuse("a", "m1")

        assert deaths.on("m2") is JobState.DELAYED
        assert deaths.on("m3") is JobState.FAILED

    def test_is_done_once(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")
        assert queue.excuse("a", "m1")
        before, events = known(queue), queue.last_event_id()

        assert not queue.excuse("a", "m1")

        assert (known(queue), queue.last_event_id()) == (before, events)

    def test_is_nothing_where_no_death_counts(self, queue: JobQueue, deaths: Deaths) -> None:
        assert not queue.excuse("a", "m1"), "it killed nobody"
        assert not queue.excuse("unknown", "m1")
        deaths.on("m1")
        assert not queue.excuse("a", "m2"), "nor there"
        assert not queue.excuse("a", "")
        deaths.on("m2")
        assert not queue.excuse("a", "m1"), "it is over"
        assert known(queue).poisoned == 2

    @pytest.mark.parametrize("state", [JobState.WAITING, JobState.RUNNING])
    def test_changes_no_state(self, queue: JobQueue, deaths: Deaths, state: JobState) -> None:
        deaths.on("m1")
        lease = deaths.claimed()
        if state is JobState.WAITING:
            queue.release(lease, "drain")
        else:
            queue.assign([Placement(lease, "m2", "a.2")])

        assert queue.excuse("a", "m1")

        assert known(queue).state is state
        if state is JobState.RUNNING:
            assert known(queue).host == "m2"
            queue.complete(lease, {})


class TestAlone:
    def handed_back(self, queue: JobQueue, deaths: Deaths) -> Lease:
        lease = queue.begin(deaths.claimed())
        assert not lease.alone
        queue.release(lease, "it died beside others", alone=True)
        (lease,) = queue.claim("bob")
        return lease

    def test_is_told_to_the_next_who_claims(self, queue: JobQueue, deaths: Deaths) -> None:
        assert self.handed_back(queue, deaths).alone

    def test_lasts_while_nobody_begins(self, queue: JobQueue, deaths: Deaths, clock: ManualClock) -> None:
        queue.release(self.handed_back(queue, deaths), "drain")
        (lease,) = queue.claim("cat")
        assert lease.alone

        clock.advance(180)
        (lease,) = queue.claim("ann")
        assert lease.alone

    @pytest.mark.parametrize("end", ["begin", "fail", "lost", "complete"])
    def test_is_for_once(self, queue: JobQueue, deaths: Deaths, clock: ManualClock, end: str) -> None:
        lease = self.handed_back(queue, deaths)
        match end:
            case "begin":
                queue.release(queue.begin(lease), "drain")
            case "complete":
                queue.complete(lease, {})
            case _:
                kind = ErrorClass.TRANSIENT if end == "fail" else ErrorClass.LOST_MACHINE
                queue.fail(lease, Failure(kind, "no"))

        clock.advance(A_BACKOFF_S)
        assert [item.alone for item in queue.claim("cat")] == ([] if end == "complete" else [False])

    def test_is_told_beside_the_hosts_it_killed_on(self, queue: JobQueue, deaths: Deaths) -> None:
        deaths.on("m1")

        lease = self.handed_back(queue, deaths)

        assert (lease.alone, lease.killed) == (True, ("m1",))
        assert queue.begin(lease).killed == ("m1",)
        queue.release(lease, "drain")
        (lease,) = queue.claim("cat")
        assert (lease.alone, lease.killed) == (False, ("m1",))

    def test_handing_back_twice_after_a_lost_reply_is_once(self, queue: JobQueue, deaths: Deaths) -> None:
        lease = deaths.claimed()
        queue.release(lease, "x", alone=True)
        events = queue.last_event_id()

        queue.release(lease, "x", alone=True)

        assert queue.last_event_id() == events
