"""Where running work lies, and how a new leader takes it over (W15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.clock import ManualClock
from lib.jobqueue import (
    ErrorClass,
    Failure,
    JobQueue,
    JobRecord,
    JobState,
    LeadershipLost,
    Lease,
    LeaseLost,
    Placement,
    Term,
)
from tests.contract.jobqueue.conftest import Lead
from tests.contract.jobqueue.jobs import job, moment
from tests.contract.jobqueue.test_leases import WRITES

LOCK_S = 60.0  # how long a leader's lock lasts


def claimed(queue: JobQueue, consumer: str = "ann") -> Lease:
    (lease,) = queue.claim(consumer)
    return lease


def known(queue: JobQueue, request_id: str) -> JobRecord:
    record = queue.job(request_id)
    assert record is not None
    return record


@pytest.fixture
def placed(queue: JobQueue) -> Lease:
    """Job "a", leased to ann, at work on the host "m1"."""
    queue.enqueue([job("a")])
    lease = queue.begin(claimed(queue))
    assert queue.assign([Placement(lease, "m1", "a.1")]) == []
    return lease


class TestAssigning:
    def test_is_shown_and_can_be_repeated(self, queue: JobQueue, placed: Lease) -> None:
        assert known(queue, "a").host == "m1"

        assert queue.assign([Placement(placed, "m1", "a.1")] * 2) == []
        assert queue.assign([Placement(placed, "m2", "a.2")]) == []

        assert known(queue, "a").host == "m2"
        assert [record.host for record in queue.jobs(["a"]) if record] == ["m2"]

    def test_changes_nothing_else(self, queue: JobQueue) -> None:
        queue.enqueue([job("a")])
        lease = queue.begin(claimed(queue))
        before, events = known(queue, "a"), queue.last_event_id()

        queue.assign([Placement(lease, "m1", "a.1")])

        assert known(queue, "a") == replace(before, host="m1")
        assert queue.last_event_id() == events

    def test_by_a_lost_lease_is_refused_and_stops_no_others(
        self, queue: JobQueue, placed: Lease, clock: ManualClock
    ) -> None:
        queue.enqueue([job("b")])
        clock.advance(180)
        bobs, other = queue.claim("bob", count=2)

        lost = queue.assign([Placement(placed, "m9", "x"), Placement(other, "m2", "b.1")])

        assert lost == [placed]
        assert (known(queue, "a").host, known(queue, "b").host) == ("m1", "m2")
        assert queue.assign([Placement(replace(bobs, token="forged"), "m9", "x")]) != []
        assert queue.assign([]) == []

    def test_holds_for_many_at_once(self, queue: JobQueue) -> None:
        queue.enqueue([job(f"j{number}") for number in range(501)])
        leases = queue.claim("ann", count=500) + queue.claim("ann")

        assert queue.assign([Placement(lease, f"m-{lease.request_id}", "e") for lease in leases]) == []

        assert known(queue, "j500").host == "m-j500"

    def test_is_told_to_who_is_given_the_job_when_the_lease_ran_out(
        self, queue: JobQueue, placed: Lease, clock: ManualClock
    ) -> None:
        assert (placed.host, placed.spool_entry) == ("", "")
        clock.advance(180)

        bobs = claimed(queue, "bob")

        assert (bobs.host, bobs.spool_entry) == ("m1", "a.1")
        assert known(queue, "a").host == "m1"

    def test_to_no_host_is_to_no_entry_either(
        self, queue: JobQueue, placed: Lease, clock: ManualClock
    ) -> None:
        assert queue.assign([Placement(placed, "", "a.2")]) == []
        clock.advance(180)

        bobs = claimed(queue, "bob")

        assert (bobs.host, bobs.spool_entry) == ("", "")

    @pytest.mark.parametrize("way", ["release", "lost_machine", "transient", "complete", "cancel"])
    def test_is_forgotten_when_the_job_runs_no_more(
        self, queue: JobQueue, placed: Lease, clock: ManualClock, way: str
    ) -> None:
        match way:
            case "release":
                queue.release(placed, "drain")
            case "complete":
                queue.complete(placed, {})
            case "cancel":
                queue.cancel("a")
            case _:
                queue.fail(placed, Failure(ErrorClass(way), "no"))

        assert known(queue, "a").host == ""
        clock.advance(600)
        queue.retry(["a"])
        for lease in queue.claim("bob"):
            assert (lease.host, lease.spool_entry) == ("", "")


class TestAdoption:
    """Ann led and is gone; bob leads now. Her leases still run."""

    @pytest.fixture
    def bobs_term(self, lead: Lead, clock: ManualClock, placed: Lease) -> Term:
        lead("ann")
        clock.advance(LOCK_S)
        return lead("bob")

    def test_gives_running_work_to_the_new_leader_at_once(
        self, queue: JobQueue, bobs_term: Term, placed: Lease, clock: ManualClock
    ) -> None:
        (lease,) = queue.adopt(bobs_term, "bob", hosts=["m1", "m2"])

        assert (lease.request_id, lease.consumer, lease.spec) == ("a", "bob", job("a"))
        assert (lease.lease_no, lease.host, lease.spool_entry) == (2, "m1", "a.1")
        assert lease.token != placed.token
        assert lease.expires_at == moment(clock.now() + 180)
        record = known(queue, "a")
        assert (record.state, record.consumer, record.host) == (JobState.RUNNING, "bob", "m1")
        assert record.expires_at == lease.expires_at

    def test_is_told(self, queue: JobQueue, bobs_term: Term) -> None:
        before = queue.last_event_id()

        queue.adopt(bobs_term, "bob", hosts=["m1"])

        (event,) = queue.follow_events(before)
        assert (event.kind, event.request_id, event.state) == ("adopted", "a", JobState.RUNNING)
        assert event.data == {"lease_no": 2, "consumer": "bob"}

    def test_lets_the_attempt_go_on(self, queue: JobQueue, bobs_term: Term) -> None:
        before = known(queue, "a")

        (lease,) = queue.adopt(bobs_term, "bob", hosts=["m1"])

        assert queue.begin(lease).attempt == 1, "it began before"
        after = known(queue, "a")
        assert (after.attempt, after.excused, after.lost) == (1, 0, 0)
        assert after.since == before.since
        queue.complete(lease, {})
        finished = queue.result("a")
        assert finished is not None
        assert (finished.attempt, finished.consumer) == (1, "bob")

    def test_counts_what_begins_only_now(self, queue: JobQueue, lead: Lead) -> None:
        queue.enqueue([job("b")])
        queue.assign([Placement(claimed(queue), "m1", "b.1")])

        (lease,) = queue.adopt(lead("bob"), "bob", hosts=["m1"])

        assert lease.attempt == 0
        assert queue.begin(lease).attempt == 1

    @pytest.mark.parametrize("write", WRITES)
    def test_refuses_the_old_holders_writes(
        self, queue: JobQueue, bobs_term: Term, placed: Lease, write: str
    ) -> None:
        queue.adopt(bobs_term, "bob", hosts=["m1"])
        before = known(queue, "a")

        with pytest.raises(LeaseLost):
            WRITES[write](queue, placed)

        assert queue.renew([placed]) == [placed]
        assert queue.assign([Placement(placed, "m9", "x")]) == [placed]
        assert known(queue, "a") == before

    def test_leaves_what_lies_elsewhere_or_nowhere_or_is_its_own(self, queue: JobQueue, lead: Lead) -> None:
        queue.enqueue([job("elsewhere"), job("nowhere"), job("own"), job("waits"), job("back")])
        first, _ = queue.claim("ann", count=2)
        own = claimed(queue, "bob")
        queue.assign([Placement(first, "m2", "e"), Placement(own, "m1", "o")])
        waits, back = queue.claim("ann", count=2)
        queue.assign([Placement(waits, "m1", "w"), Placement(back, "m1", "b")])
        queue.release(waits, "drain")
        queue.fail(back, Failure(ErrorClass.TRANSIENT, "no"))
        before, events = queue.jobs(["elsewhere", "nowhere", "own", "waits", "back"]), queue.last_event_id()
        term = lead("bob")

        assert queue.adopt(term, "bob", hosts=["m1", ""]) == []
        assert queue.adopt(term, "bob", hosts=[]) == []

        after = queue.jobs(["elsewhere", "nowhere", "own", "waits", "back"])
        assert (after, queue.last_event_id()) == (before, events)
        assert queue.renew([first, own]) == []

    def test_takes_each_job_once(self, queue: JobQueue, bobs_term: Term) -> None:
        assert len(queue.adopt(bobs_term, "bob", hosts=["m1"])) == 1
        assert queue.adopt(bobs_term, "bob", hosts=["m1"]) == []

    def test_takes_what_ran_out_as_well_and_counts_no_loss(
        self, queue: JobQueue, placed: Lease, lead: Lead, clock: ManualClock
    ) -> None:
        clock.advance(200)
        queue.pause()

        (lease,) = queue.adopt(lead("bob"), "bob", hosts=["m1"], lease_ms=5000)

        assert lease.expires_at == moment(clock.now() + 5)
        assert known(queue, "a").lost == 0
        queue.resume()
        assert queue.claim("cat") == []
        clock.advance(5)
        assert claimed(queue, "cat").spool_entry == "a.1"

    def test_takes_more_than_one_call_may_look_at(self, queue: JobQueue, lead: Lead) -> None:
        queue.enqueue([job(f"j{number}") for number in range(1001)])
        leases = [lease for _ in range(3) for lease in queue.claim("ann", count=500)]
        queue.assign([Placement(lease, "m1", lease.request_id) for lease in leases])

        adopted = queue.adopt(lead("bob"), "bob", hosts=["m1"])

        assert {lease.request_id for lease in adopted} == {lease.request_id for lease in leases}
        assert len({lease.fence for lease in adopted}) == 1001
        assert queue.renew(adopted) == []
        assert len(queue.renew(leases)) == 1001


class TestATermThatIsOver:
    """Only epoch and token of the lock that runs now let anybody take work."""

    def test_adopts_nothing_after_a_successor_came(
        self, queue: JobQueue, placed: Lease, lead: Lead, clock: ManualClock
    ) -> None:
        bobs = lead("bob")
        clock.advance(LOCK_S)
        lead("cat")
        before, events = known(queue, "a"), queue.last_event_id()

        with pytest.raises(LeadershipLost, match="bob does not lead any more: its lease of epoch 1"):
            queue.adopt(bobs, "bob", hosts=["m1"])

        assert (known(queue, "a"), queue.last_event_id()) == (before, events)
        assert queue.renew([placed]) == []

    @pytest.mark.parametrize("wrong", ["epoch", "token", "expired", "never"])
    def test_needs_epoch_token_and_time(
        self, queue: JobQueue, placed: Lease, lead: Lead, clock: ManualClock, wrong: str
    ) -> None:
        term = Term(1, "x") if wrong == "never" else lead("bob")
        if wrong == "epoch":
            term = replace(term, epoch=2)
        elif wrong == "token":
            term = replace(term, token="forged")
        clock.advance(LOCK_S if wrong == "expired" else LOCK_S - 0.001)

        with pytest.raises(LeadershipLost):
            queue.adopt(term, "bob", hosts=["m1"])
        assert queue.renew([placed]) == []

    def test_is_told_so_even_when_there_is_nothing_to_take(self, queue: JobQueue) -> None:
        with pytest.raises(LeadershipLost):
            queue.adopt(Term(1, "x"), "bob", hosts=["m1"])
        with pytest.raises(LeadershipLost):
            queue.adopt(Term(1, "x"), "bob", hosts=[])

    def test_holds_to_its_last_moment(
        self, queue: JobQueue, placed: Lease, lead: Lead, clock: ManualClock
    ) -> None:
        term = lead("bob")
        clock.advance(LOCK_S - 0.001)

        assert len(queue.adopt(term, "bob", hosts=["m1"])) == 1

    def test_never_shows_its_token(self, lead: Lead) -> None:
        term = lead("bob")

        assert term.token not in repr(term)
