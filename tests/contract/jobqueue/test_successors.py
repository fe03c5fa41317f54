"""What a successor hands back of a consumer that ended between a claim and its next step."""

from __future__ import annotations

import pytest

from lib.jobqueue import JobQueue, JobState, LeaseLost, Placement
from tests.contract.jobqueue.jobs import job


def claim(queue: JobQueue, *names: str, consumer: str = "ann") -> None:
    queue.enqueue([job(name) for name in names])
    assert {lease.request_id for lease in queue.claim(consumer, count=len(names))} == set(names)


def release_unplaced(queue: JobQueue, *known: str, consumer: str = "ann") -> list[str]:
    return sorted(queue.release_unplaced(consumer, known=set(known), reason="its watcher is gone"))


def test_what_was_claimed_and_not_placed_goes_to_the_next_at_once(queue: JobQueue) -> None:
    queue.enqueue([job("a"), job("b")])
    lost, _ = queue.claim("ann", count=2)

    assert release_unplaced(queue) == ["a", "b"]

    again = queue.claim("bob", count=5)
    assert {(lease.request_id, lease.lease_no, lease.attempt) for lease in again} == {
        ("a", 2, 0),
        ("b", 2, 0),
    }
    with pytest.raises(LeaseLost):
        queue.begin(lost)
    told = [event for event in queue.follow_events("0-0") if event.kind == "released"]
    assert [event.data for event in told] == [{"reason": "its watcher is gone"}] * 2


def test_what_is_known_placed_or_begun_is_left_alone(queue: JobQueue) -> None:
    names = ("known", "placed", "begun", "unplaced")
    queue.enqueue([job(name) for name in names])
    leases = {lease.request_id: lease for lease in queue.claim("ann", count=4)}
    queue.assign([Placement(leases["placed"], "m1", "placed.1")])
    queue.begin(leases["begun"])

    assert release_unplaced(queue, "known") == ["unplaced"]

    assert queue.renew([leases[name] for name in names]) == [leases["unplaced"]]


def test_what_others_hold_and_what_nobody_holds_is_left_alone(queue: JobQueue) -> None:
    claim(queue, "others", consumer="bob")
    queue.enqueue([job("waiting"), job("later", not_before=4_000_000_000.0)])

    assert release_unplaced(queue) == []

    assert [record and record.state for record in queue.jobs(["others", "waiting", "later"])] == [
        JobState.RUNNING,
        JobState.WAITING,
        JobState.DELAYED,
    ]


def test_a_repeat_hands_back_nothing_more(queue: JobQueue) -> None:
    claim(queue, "a")
    assert release_unplaced(queue) == ["a"]

    assert release_unplaced(queue) == []

    assert len([event for event in queue.follow_events("0-0") if event.kind == "released"]) == 1


def test_a_job_of_it_that_was_canceled_stays_so(queue: JobQueue) -> None:
    claim(queue, "a")
    queue.cancel("a")

    assert release_unplaced(queue) == []

    record = queue.job("a")
    assert record is not None
    assert record.state is JobState.CANCELED
