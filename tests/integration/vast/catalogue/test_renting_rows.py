"""Rows 1 to 5 of the failure catalogue: between the search and a machine that is ours (W4, W16)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from job_watcher.rehearsal.vast import (
    RequestFault,
    edited,
    lost_reply,
    no_answer,
    server_error,
    silent_failure,
)
from tests.integration.vast.catalogue.conftest import OpenOffice
from tests.integration.vast.catalogue.office import POLICY, first_quick, hosts


def test_row_01_an_offer_that_is_taken_first_is_passed_over(office: OpenOffice) -> None:
    """Three ways to say so; each next offer is another one, and nothing is paid for the lost ones."""
    here = office(*hosts(4))
    here.vast.market.listing_lag_s = 3600.0
    for machine in (1, 2, 3):
        here.vast.market.withdraw(machine, here.vast.clock.now())
    here.work()

    here.finish()

    assert [entry.status for entry in here.calls("create")] == [410, 404, 400, 200]
    assert len({entry.path for entry in here.calls("create")}) == 4
    assert here.rented_hosts() == [4]
    assert len(here.told("refused")) == 3
    assert here.notes() == [("4", "worked", True)]
    here.check()


LOST = [
    lost_reply("create"),
    server_error("create", 502, effect=True),
    server_error("create", 500, effect=True),
]


@pytest.mark.parametrize("fault", first_quick(LOST), ids=lambda fault: fault.name)
def test_row_02_a_rental_whose_answer_was_lost_is_found_by_its_label(
    office: OpenOffice, fault: RequestFault
) -> None:
    """The intent was durable before; there is no second create, and the machine does the work."""
    here = office(*hosts())
    here.vast.faults.add(fault)
    here.work()

    here.finish()

    assert len(here.calls("create")) == 1
    assert [told.kind for told in here.story if told.kind in ("planned", "unclear", "found")] == [
        "planned",
        "unclear",
        "found",
    ]
    assert here.rented_hosts() == [1]
    here.check()


def test_row_02_a_rental_that_was_never_made_is_concluded_from_listings_and_only_then_is_another_asked_for(
    office: OpenOffice,
) -> None:
    here = office(*hosts())
    here.vast.faults.add(no_answer("create"))
    here.work()

    here.finish()

    first, second = here.calls("create")
    assert second.at - first.at >= 120.0
    between = [entry for entry in here.calls("list") if first.at < entry.at < second.at]
    assert len(between) >= 2
    assert len(here.rentals()) == 1
    here.check()


@pytest.mark.parametrize("status", first_quick([429, 503, 504]))
def test_row_03_the_client_never_asks_twice_by_itself(office: OpenOffice, status: int) -> None:
    """These are what the SDK repeats by default: then a second create says that the offer is gone."""
    here = office(*hosts())
    here.vast.faults.add(server_error("create", status, effect=True))
    here.work()

    here.until("a rental", here.rentals)
    asked = len(here.calls("create"))
    here.finish()

    assert asked == 1
    assert {entry.headers["user-agent"].partition("/")[0] for entry in here.calls("create")} == {"vastai-sdk"}
    assert len({entry.path for entry in here.calls("create")}) == len(here.calls("create"))
    here.check()


class TestRow04SuccessFalseAndARentalAllTheSame:
    def test_row_04_with_its_id_it_is_destroyed_at_once(self, office: OpenOffice) -> None:
        """A bid that was overtaken between search and create: a stopped machine, whose disk bills."""
        here = office(*hosts(), policy=replace(POLICY, interruptible=True))

        def dearer(body: Any) -> Any:
            here.vast.market.reprice(1, 0.25, min_bid=0.2)
            return body

        here.vast.faults.add(edited("user", dearer))
        here.work()

        here.finish()

        first, *_ = here.rentals()
        assert (first.host.machine_id, first.is_bid, first.ran_at) == (1, True, None)
        assert first.destroyed_at is not None
        assert first.destroyed_at - first.created_at < 15.0
        assert len(here.told("half_rented")) == 1
        assert [each.host.machine_id for each in here.rentals()] == [1, 2]
        here.check()

    def test_row_04_without_an_id_it_is_found_by_its_label_first(self, office: OpenOffice) -> None:
        here = office(*hosts())
        here.vast.faults.add(silent_failure("create"))
        here.work()

        here.finish()

        assert len(here.calls("create")) == 1
        assert here.rented_hosts() == [1]
        here.check()

    def test_row_04_what_came_stopped_is_destroyed_and_not_waited_for(self, office: OpenOffice) -> None:
        here = office(*hosts(), policy=replace(POLICY, interruptible=True))
        here.vast.quirks.bid_refusal_has_id = False

        def dearer(body: Any) -> Any:
            here.vast.market.reprice(1, 0.25, min_bid=0.2)
            return body

        here.vast.faults.add(edited("user", dearer))
        here.work()

        here.finish()

        first, second = here.rentals()
        assert first.destroyed_at is not None
        assert first.destroyed_at < second.created_at
        here.check()


def test_row_05_a_new_rental_that_no_listing_shows_yet_is_waited_for(office: OpenOffice) -> None:
    """It is neither gone nor rented once more."""
    here = office(*hosts())
    here.vast.lags.seen_after_s = 90.0
    here.work()

    here.finish()

    assert len(here.calls("create")) == 1
    assert here.told("vanished")[0].at > 90.0
    here.check()
