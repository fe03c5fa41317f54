"""Rows 12 to 16 and 25 to 28 of the failure catalogue: machines with work, and what they cost (W6, W8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from job_watcher.rehearsal.vast import Mishap, refused, server_error
from tests.integration.vast.catalogue.conftest import OpenOffice
from tests.integration.vast.catalogue.office import POLICY, Office, first_quick, host, hosts

BIDDING = replace(POLICY, interruptible=True)


def _with_work_on_a_machine(office: OpenOffice, *, bidding: bool = False, count: int = 2) -> Office:
    """Two hosts, and a machine on the first of them with jobs of a minute at hand."""
    here = office(*hosts(4), policy=BIDDING if bidding else POLICY)
    here.work(count, sentences=20)
    here.until("work at hand", here.working)
    return here


def test_row_12_a_container_that_ended_is_destroyed_and_not_started_again(office: OpenOffice) -> None:
    here = _with_work_on_a_machine(office)
    first = here.instance()
    here.vast.befall(first.id, Mishap.EXIT)
    ended = here.seconds()

    here.finish()

    assert first.destroyed_at is not None
    assert first.destroyed_at - first.created_at < ended + 30.0
    assert here.rented_hosts() == [1, 2]
    assert ("1", "broken", False) in here.notes()
    here.check()


class TestRow13AHostThatGoesAway:
    def test_row_13_its_jobs_go_elsewhere_and_it_may_not_bill_when_it_comes_back(
        self, office: OpenOffice
    ) -> None:
        here = _with_work_on_a_machine(office)
        first = here.instance()
        here.vast.befall(first.id, Mishap.OFFLINE)
        here.vast.faults.add(server_error("destroy", 500, times=3))

        here.until("another rental", lambda: len(here.rentals()) == 2)
        here.live(30.0)
        if first.destroyed_at is None:
            here.vast.befall(first.id, Mishap.ONLINE)
        here.finish()

        assert first.destroyed_at is not None
        assert len(here.calls("destroy")) >= 4
        assert ("1", "offline", False) in here.notes()
        here.check()

    def test_row_13_a_short_absence_costs_nobody_anything(self, office: OpenOffice) -> None:
        here = _with_work_on_a_machine(office)
        here.vast.befall(here.instance().id, Mishap.OFFLINE)
        here.live(60.0)
        here.vast.befall(here.instance().id, Mishap.ONLINE)

        here.finish()

        assert here.rented_hosts() == [1]
        here.check()


class TestRow14AMachineThatIsTakenAway:
    def test_row_14_it_is_destroyed_or_it_would_bill_and_start_again(self, office: OpenOffice) -> None:
        here = _with_work_on_a_machine(office, bidding=True)
        first = here.instance()
        here.vast.befall(first.id, Mishap.OUTBID)
        outbid = here.vast.clock.now()

        here.finish()

        assert first.is_bid
        assert first.destroyed_at is not None
        assert first.destroyed_at - outbid < 30.0
        assert ("1", "outbid", False) in here.notes()
        here.check()

    def test_row_14_after_two_of_them_the_price_is_fixed(self, office: OpenOffice) -> None:
        here = office(*hosts(4), policy=BIDDING)
        here.work(2, sentences=40)
        for _ in range(2):
            here.until("work at hand", here.working)
            here.vast.befall(here.instance().id, Mishap.OUTBID)
            here.until("it is given back", lambda: not here.own_living())

        here.finish()

        assert [each.is_bid for each in here.rentals()] == [True, True, False]
        here.check()


class TestRow15NoCredit:
    def test_row_15_when_it_ends_machines_are_given_back_and_nobody_asks_on_and_on(
        self, office: OpenOffice
    ) -> None:
        here = _with_work_on_a_machine(office)
        here.vast.set_credit(0.0)

        here.live(1200.0)

        assert here.own_living() == []
        assert len(here.calls("create")) == 1
        assert len(here.told("credit")) == 1
        assert len(here.calls("search")) < 10
        here.vast.set_credit(20.0)
        here.finish()
        assert len(here.rentals()) == 2
        here.check()

    def test_row_15_a_refusal_for_it_is_no_reason_to_try_the_next_offer(self, office: OpenOffice) -> None:
        """The account says that there is some; whoever rents says that there is none."""
        here = office(*hosts(6))
        broke = refused("create", 400, "insufficient_credit", "Your account lacks credit.", times=0)
        here.vast.faults.add(broke)
        here.work()

        here.live(900.0)

        assert len(here.calls("create")) <= 5
        assert len(here.told("credit")) == 1
        here.vast.faults.clear()
        here.finish()
        here.check()


def test_row_16_an_account_that_may_not_spend_faster_is_left_in_peace_for_an_hour(office: OpenOffice) -> None:
    """It is no fault of the offer: others would be refused as well."""
    here = office(*hosts(6))
    here.vast.quirks.spend_limit = 0.05
    here.work()

    here.live(3500.0)

    assert len(here.calls("create")) == 1
    (told,) = here.told("credit")
    assert "spend" in told.text
    here.vast.quirks.spend_limit = None
    here.finish()
    assert len(here.calls("create")) == 2
    here.check()


def test_row_25_a_machine_that_came_or_was_left_stopped_is_never_started(office: OpenOffice) -> None:
    """Vast would queue that, and begin to bill whenever the GPU is free."""
    here = _with_work_on_a_machine(office)
    first = here.instance()
    here.vast.befall(first.id, Mishap.OUTBID)  # stopped, though its price is fixed: as for maintenance
    here.vast.market.occupy(1)

    here.finish()

    assert here.rented_hosts() == [1, 2]
    assert ("1", "stopped", False) in here.notes()
    assert here.calls("manage") == []
    here.check()


class TestRow26TheEndOfTheContract:
    def test_row_26_a_host_whose_contract_ends_too_soon_is_not_rented(self, office: OpenOffice) -> None:
        here = office(host(1, 0.20, days_left=1200 / 86_400), host(2))
        here.work()

        here.finish()

        assert here.rented_hosts() == [2]
        here.check()

    @pytest.mark.soak
    def test_row_26_a_machine_is_drained_before_it_and_not_stopped_by_it(self, office: OpenOffice) -> None:
        here = office(host(1, 0.20, days_left=2400 / 86_400), host(2))
        here.work(40, sentences=60)

        here.finish(6 * 3600.0)

        first = here.rentals()[0]
        assert first.destroyed_at is not None
        assert first.destroyed_at < first.end_date
        assert first.host.machine_id == 1
        assert len(here.rentals()) >= 2
        assert here.told("expiring")
        here.check(cents=100)


def test_row_27_what_is_stopped_is_not_left_to_bill_its_disk(office: OpenOffice) -> None:
    """Also when the first tries to destroy it fail."""
    here = _with_work_on_a_machine(office, bidding=True)
    first = here.instance()
    spent = here.vast.bill().of(first.id)
    here.vast.faults.add(server_error("destroy", 502, times=2))
    here.vast.befall(first.id, Mishap.OUTBID)

    here.finish()

    assert first.destroyed_at is not None
    assert here.vast.bill().of(first.id) - spent < 0.002
    here.check()


@pytest.mark.parametrize("surcharge", first_quick([0.10, 3.00]))
def test_row_28_a_machine_that_costs_more_than_its_offer_said_is_given_back_without_work(
    office: OpenOffice, surcharge: float
) -> None:
    here = office(host(1, 0.20, surcharge=surcharge), host(2))
    here.work()

    here.finish()

    first, _ = here.rentals()
    assert first.ran_at is None or first.destroyed_at is not None
    assert first.destroyed_at is not None
    assert first.destroyed_at - first.created_at < 30.0
    assert ("1", "price", False) in here.notes()
    assert here.rented_hosts() == [1, 2]
    here.check()


def test_row_28_a_price_that_rises_while_it_works_is_seen(office: OpenOffice) -> None:
    here = _with_work_on_a_machine(office)
    first = here.instance()
    here.vast.reprice(first.id, 2.0)

    here.finish()

    assert ("1", "price", False) in here.notes()
    here.check(cents=20)
