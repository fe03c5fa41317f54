"""What becomes of a machine, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from lib.fleet import Demand, Machine, MachineEvent, Policy, Seen, State, blind, verdict
from tests.unit.fleet.things import NOW, absent, demand, machine

POLICY = Policy()
IDLE = Demand()
WORK = demand(waiting=5)


def event(found: Machine, wanted: Demand | None = WORK, hold: float = 300.0) -> MachineEvent | None:
    answer = verdict(found, wanted, POLICY, now=NOW, hold=hold)
    return answer and answer.event


def test_a_busy_healthy_machine_is_left_alone() -> None:
    assert event(machine(busy=1)) is None


def test_a_row_left_planned_by_a_crash_has_an_unknown_outcome() -> None:
    assert event(machine(State.PLANNED)) is MachineEvent.UNCLEAR


class TestAnUnknownOutcome:
    def test_is_found_by_its_label_in_any_listing(self) -> None:
        assert event(machine(State.UNKNOWN, instance=None, seen=Seen.STOPPED)) is MachineEvent.FOUND

    def test_is_concluded_after_two_listings_apart(self) -> None:
        assert event(absent(State.UNKNOWN, instance=None)) is MachineEvent.NEVER_CAME

    @pytest.mark.parametrize(
        "facts",
        [
            {"absences": 1},
            {"absent_for": 10.0},
            {"unseen_at_s": 60.0},
            {"empty_absences": True},
            {"seen": Seen.NOT_LOOKED, "absences": 0, "absent_for": None},
        ],
        ids=[
            "one listing",
            "two in a moment",
            "the last came too soon to show it",
            "only empty ones",
            "no listing",
        ],
    )
    def test_stays_open_on_weaker_evidence(self, facts: dict[str, Any]) -> None:
        assert event(absent(State.UNKNOWN, instance=None, **facts)) is None

    def test_is_concluded_from_empty_listings_only_after_a_patience(self) -> None:
        patient = absent(State.UNKNOWN, instance=None, empty_absences=True, absent_for=301.0)
        assert event(patient) is MachineEvent.NEVER_CAME


class TestAMachineThatListsDoNotShow:
    @pytest.mark.parametrize("state", [State.RENTED, State.READY, State.DRAINING, State.LEAVING])
    def test_is_gone_when_two_listings_and_its_id_agree(self, state: State) -> None:
        assert event(absent(state)) is MachineEvent.VANISHED

    def test_is_not_gone_while_the_provider_knows_its_id(self) -> None:
        assert event(absent(State.LEAVING, confirmed_absent=False)) is None

    def test_is_not_gone_as_long_as_a_new_one_may_be_shown_to_nobody(self) -> None:
        def rented(seconds: float) -> Machine:
            return absent(State.RENTED, created_at=NOW - seconds)

        assert event(rented(POLICY.lag_s - 1)) is None
        assert event(rented(POLICY.lag_s)) is MachineEvent.VANISHED

    def test_is_not_gone_while_it_talks_to_us(self) -> None:
        assert event(absent(State.READY, answered_at=NOW - 30, busy=1)) is None


class TestAMachineThatStarts:
    def test_works_once_its_checks_are_passed(self) -> None:
        assert event(machine(State.RENTED, gate="")) is MachineEvent.PASSED

    def test_leaves_with_the_code_of_the_check_that_failed(self) -> None:
        found = verdict(machine(State.RENTED, gate="wrong_gpu"), WORK, POLICY, now=NOW, hold=0)
        assert found == (MachineEvent.FAILED, "wrong_gpu")

    def test_leaves_when_it_takes_too_long(self) -> None:
        slow = machine(State.RENTED, since=NOW - POLICY.boot_limit_s - 1)
        assert verdict(slow, WORK, POLICY, now=NOW, hold=0) == (MachineEvent.FAILED, "boot_timeout")

    def test_leaves_when_the_work_is_gone(self) -> None:
        assert event(machine(State.RENTED), IDLE) is MachineEvent.UNWANTED

    def test_stays_when_nobody_knows_whether_there_is_work(self) -> None:
        assert event(machine(State.RENTED), None) is None


class TestAMachineThatWorks:
    def test_leaves_when_somebody_stopped_it(self) -> None:
        bid = machine(seen=Seen.STOPPED, interruptible=True)
        assert verdict(bid, WORK, POLICY, now=NOW, hold=0) == (MachineEvent.STOPPED, "outbid")

    def test_leaves_when_it_is_silent_for_longer_than_its_leases(self) -> None:
        assert event(machine(answered_at=NOW - POLICY.silence_s - 1)) is MachineEvent.SILENT
        assert event(machine(answered_at=NOW - POLICY.silence_s + 1)) is None

    def test_drains_when_its_price_was_raised(self) -> None:
        assert event(machine(listed_micros=230_000)) is MachineEvent.OVERPRICED
        assert event(machine(listed_micros=205_000)) is None

    def test_drains_before_the_end_of_its_time(self) -> None:
        assert event(machine(expires_at=NOW + 599)) is MachineEvent.EXPIRING

    def test_drains_earlier_when_its_jobs_are_long(self) -> None:
        assert event(machine(expires_at=NOW + 1500, job_s=700.0)) is MachineEvent.EXPIRING
        assert event(machine(expires_at=NOW + 1500, job_s=500.0)) is None

    def test_leaves_after_too_many_broken_results(self) -> None:
        assert event(machine(failures=3)) is MachineEvent.FAILED
        assert event(machine(failures=2)) is None


class TestAJobThatDoesNotEnd:
    def test_gives_its_machine_back_when_no_piece_of_it_is_spoken_for_long(self) -> None:
        """However long it is, and however slow the machines are that were measured."""
        stuck = machine(busy=1, still_s=601.0, job_age_s=601.0, job_due_s=9000.0)
        assert verdict(stuck, WORK, POLICY, now=NOW, hold=0) == (MachineEvent.FAILED, "stuck_job")
        assert event(machine(busy=1, still_s=599.0, job_age_s=5000.0, job_due_s=9000.0)) is None

    def test_gives_its_machine_back_though_it_says_that_it_goes_on(self) -> None:
        endless = machine(busy=1, still_s=1.0, job_age_s=901.0, job_due_s=60.0)
        assert verdict(endless, WORK, POLICY, now=NOW, hold=0) == (MachineEvent.FAILED, "endless_job")

    def test_gives_its_machine_back_by_its_own_length(self) -> None:
        """Not by the average of all: a few long jobs elsewhere would keep a broken machine for hours."""
        assert event(machine(busy=1, job_age_s=901.0, job_due_s=60.0, job_s=800.0)) is MachineEvent.FAILED

    def test_is_left_alone_while_it_is_only_long(self) -> None:
        assert event(machine(busy=1, job_age_s=2000.0, job_due_s=250.0, job_s=10.0)) is None

    def test_gets_time_though_it_is_short(self) -> None:
        assert event(machine(busy=1, job_age_s=899.0, job_due_s=1.0)) is None


class TestScaleDown:
    def test_holds_no_machine_for_long_whose_last_workers_ended(self) -> None:
        assert event(machine(idle_since=NOW - 120, deaths=1), IDLE) is MachineEvent.UNWANTED
        assert event(machine(idle_since=NOW - 119, deaths=1), IDLE) is None

    def test_a_shorter_hold_stays_the_shorter_one(self) -> None:
        assert event(machine(idle_since=NOW - 60, deaths=1), IDLE, 60.0) is MachineEvent.UNWANTED

    def test_takes_a_machine_that_was_idle_for_its_hold(self) -> None:
        assert event(machine(idle_since=NOW - 300), IDLE) is MachineEvent.UNWANTED

    def test_leaves_a_machine_within_its_hold(self) -> None:
        assert event(machine(idle_since=NOW - 299), IDLE) is None

    def test_never_takes_a_busy_machine(self) -> None:
        assert event(machine(busy=1, idle_since=NOW - 3000), IDLE) is None

    def test_never_happens_while_jobs_wait_or_the_queue_is_away(self) -> None:
        assert event(machine(idle_since=NOW - 3000), WORK) is None
        assert event(machine(idle_since=NOW - 3000), None) is None


class TestADrainingMachine:
    def test_leaves_when_it_has_nothing_left(self) -> None:
        assert event(machine(State.DRAINING)) is MachineEvent.EMPTY

    def test_may_finish_its_jobs(self) -> None:
        assert event(machine(State.DRAINING, busy=1)) is None

    def test_leaves_when_it_does_not_end(self) -> None:
        late = machine(State.DRAINING, busy=1, since=NOW - POLICY.drain_limit_s - 1)
        assert event(late) is MachineEvent.OVERDUE


class TestBlindness:
    def test_a_listing_with_a_problem_blinds(self) -> None:
        assert blind([], "502", POLICY, NOW) == "502"

    def test_a_known_machine_missing_from_a_listing_blinds(self) -> None:
        assert "missing" in (blind([machine(seen=Seen.ABSENT)], None, POLICY, NOW) or "")

    def test_a_fresh_machine_may_be_missing(self) -> None:
        fresh = machine(State.RENTED, seen=Seen.ABSENT, created_at=NOW - 60)
        assert blind([fresh], None, POLICY, NOW) is None

    def test_a_clock_that_was_set_back_does_not_make_a_machine_fresh(self) -> None:
        known = machine(State.RENTED, seen=Seen.ABSENT, created_at=NOW + 60, known_s=500.0)
        assert blind([known], None, POLICY, NOW) is not None

    def test_a_machine_that_leaves_may_be_missing(self) -> None:
        assert blind([machine(State.LEAVING, seen=Seen.ABSENT)], None, POLICY, NOW) is None

    def test_an_unknown_outcome_blinds(self) -> None:
        assert blind([machine(State.UNKNOWN)], None, POLICY, NOW) is not None
