"""Rows 17 to 24, 29 and 30 of the failure catalogue: what Vast answers, and what that is not (W5, W6)."""

from __future__ import annotations

from typing import Any

import pytest

from job_watcher.provisioning.label_sweep import sweep_labels
from job_watcher.rehearsal.vast import (
    RequestFault,
    edited,
    html_page,
    no_answer,
    rate_limited,
    refused,
    server_error,
    truncated,
)
from lib.machines.memory import MemoryLedger
from tests.integration.vast.adapter import provider_of
from tests.integration.vast.catalogue.conftest import OpenOffice
from tests.integration.vast.catalogue.office import OWNER, Office, first_quick, hosts
from tests.integration.vast.fake_vast import client, rent


def _with_work_on_a_machine(office: OpenOffice, count: int = 2) -> Office:
    here = office(*hosts(3))
    here.work(count, sentences=20)
    here.until("work at hand", here.working)
    return here


class TestRow17AKeyThatIsNotAccepted:
    @pytest.mark.parametrize("status", first_quick([401, 403, 404]))
    def test_row_17_nothing_is_concluded_and_work_goes_on(self, office: OpenOffice, status: int) -> None:
        here = _with_work_on_a_machine(office)
        machine = here.instance()
        here.vast.account.keys.auth_status = status
        here.vast.account.keys.revoked = True
        creates = len(here.calls("create"))

        here.live(900.0)

        assert machine.destroyed_at is None
        assert len(here.calls("create")) == creates
        assert here.queue.snapshot().done == 2  # on the machine that we have
        assert [row.instance for row in here.ledger.open_rows()] == [str(machine.id)]
        here.vast.account.keys.revoked = False
        here.finish()
        assert here.rented_hosts() == [1]
        here.check(cents=15)

    def test_row_17_a_key_that_may_not_rent_is_no_reason_to_try_every_offer(self, office: OpenOffice) -> None:
        here = office(*hosts(6))
        here.vast.faults.add(refused("create", 403, "forbidden", "API key lacks permission.", times=0))
        here.work()

        here.live(900.0)

        assert len(here.calls("create")) <= 5
        (told,) = here.told("account")
        assert "instance_write" in told.text
        here.vast.faults.clear()
        here.finish()
        here.check()


class TestRow18TooManyCalls:
    def test_row_18_by_our_own_pace_there_are_none(self, office: OpenOffice) -> None:
        here = office(*hosts())
        here.vast.throttle.on = True
        here.work(3)

        here.finish()

        assert here.vast.throttle.refused == 0
        here.check()

    @pytest.mark.parametrize("route", first_quick(["list", "create", "destroy", "search"]))
    @pytest.mark.parametrize("plain", [False, True])
    def test_row_18_they_are_repeated_later_and_mean_nothing_else(
        self, office: OpenOffice, route: str, plain: bool
    ) -> None:
        here = office(*hosts())
        here.vast.faults.add(rate_limited(route, times=3, plain=plain, retry_after=None if plain else "20"))
        here.work()

        here.finish()

        assert len(here.rentals()) == 1
        assert here.told("vanished")[-1].at > here.told("accepted")[0].at
        here.check()

    def test_row_18_a_destroy_is_not_kept_waiting_by_refusals_of_others(self, office: OpenOffice) -> None:
        here = _with_work_on_a_machine(office)
        here.vast.faults.add(rate_limited("charges", times=0, retry_after="3000"))

        here.finish()

        here.check()


def test_row_19_a_way_to_ask_that_was_retired_is_not_an_offer_that_is_gone(office: OpenOffice) -> None:
    """410 both; here a person must update the program."""
    here = office(*hosts(6))
    msg = "/api/v0/asks/ is deprecated. Use /api/v1/asks/ instead."
    here.vast.faults.add(refused("create", 410, "deprecated_endpoint", msg, times=0))
    here.work()

    here.live(900.0)

    assert len(here.calls("create")) <= 5
    (told,) = here.told("account")
    assert "update" in told.text
    here.vast.faults.clear()
    here.finish()
    here.check()


def test_row_19_a_listing_that_was_retired_is_not_an_empty_one(office: OpenOffice) -> None:
    here = _with_work_on_a_machine(office)
    here.vast.faults.add(refused("list", 410, "deprecated_endpoint", "Use another.", times=0))

    here.live(600.0)

    (row,) = here.ledger.open_rows()  # destroyed after its work, and not believed gone
    assert row.state == "leaving"
    assert here.queue.snapshot().done == 2
    assert len(here.rentals()) == 1
    here.vast.faults.clear()
    here.finish()
    here.check(cents=10)


@pytest.mark.parametrize(
    "fault",
    [server_error("destroy", 500, times=9), rate_limited("destroy", times=9), no_answer("destroy", times=9)],
    ids=lambda fault: fault.name,
)
def test_row_20_a_destroy_that_fails_is_tried_until_the_machine_is_gone(
    office: OpenOffice, fault: RequestFault
) -> None:
    """Later each time, told once, and the row is open until then."""
    here = office(*hosts())
    here.vast.faults.add(fault)
    here.work()

    here.finish()

    times = [entry.at for entry in here.calls("destroy")]
    assert len(times) >= 10
    assert times[-1] - times[-2] > times[1] - times[0]
    assert len(here.told("stuck")) == 1
    here.check(cents=40)


def test_row_20_a_destroy_whose_answer_was_lost_is_no_trouble(office: OpenOffice) -> None:
    here = office(*hosts())
    here.vast.faults.add(RequestFault("destroy", effect=True, drop=True))
    here.vast.quirks.gone_is_404 = True
    here.work()

    here.finish()

    here.check()


def test_row_21_a_destroyed_machine_that_is_listed_on_is_watched_until_it_is_gone(office: OpenOffice) -> None:
    here = office(*hosts())
    here.vast.lags.gone_after_s = 90.0
    here.work()

    here.finish()

    (machine,) = here.rentals()
    assert machine.destroyed_at is not None
    assert here.vast.clock.now() - machine.destroyed_at >= 90.0
    assert here.told("vanished")
    here.check()


class TestRow22AWatcherThatDied:
    def test_row_22_the_next_one_adopts_what_the_ledger_only_intended(self, office: OpenOffice) -> None:
        here = office(*hosts())
        here.work()
        here.until("the rental", here.rentals)
        here.open_anew()

        here.finish()

        assert here.rented_hosts() == [1]
        here.check()

    def test_row_22_with_an_empty_ledger_the_machine_is_destroyed_by_its_label(
        self, office: OpenOffice
    ) -> None:
        here = office(*hosts())
        here.work()
        here.until("the rental", here.rentals)
        first = here.instance()
        here.open_anew(MemoryLedger())

        here.finish()

        assert first.destroyed_at is not None
        assert first.destroyed_at - first.created_at < 200.0
        assert here.told("orphan")
        here.check()

    def test_row_22_with_nobody_left_the_sweep_ends_it_when_its_time_is_over(
        self, office: OpenOffice
    ) -> None:
        here = office(*hosts())
        here.work()
        here.until("the rental", here.rentals)
        first = here.instance()
        provider = provider_of(here.vast)
        row = here.ledger.open_rows()[0]

        assert sweep_labels(provider, OWNER, row.intent.expires_at - 1).destroyed == ()
        swept = sweep_labels(provider, OWNER, row.intent.expires_at + 120.0)

        assert [found.rental.instance for found in swept.destroyed] == [str(first.id)]
        assert here.vast.billing() == []


def _emptied(body: Any) -> Any:
    return body | {"instances": [], "instances_found": 0, "total_instances": 0, "label_counts": {}}


BLIND = {
    "empty": edited("list", _emptied, times=6),
    "no_rows": edited("list", lambda body: body | {"instances": []}, times=20),
    "a_page_that_never_comes": edited("list", lambda body: body | {"next_token": "bm8="}, times=20),
    "nothing": RequestFault("list", times=20, status=200, body=""),
    "null": RequestFault("list", times=20, status=200, body=None),
    "another_form": RequestFault("list", times=20, status=200, body={"success": True}),
    "gone": RequestFault("list", times=20, status=410, body=""),
}


@pytest.mark.parametrize("fault", first_quick(BLIND.values()), ids=BLIND)
def test_row_23_an_odd_listing_is_not_an_empty_account(office: OpenOffice, fault: RequestFault) -> None:
    """Nothing is rented while we do not see what we have, and nothing is given up."""
    here = _with_work_on_a_machine(office)
    here.vast.faults.add(fault)

    here.finish()

    assert len(here.rentals()) == 1
    assert here.told("vanished") == here.told("vanished")[:1]
    here.check(cents=10)


def test_row_23_a_listing_that_stays_empty_is_checked_by_the_rental_s_own_number(office: OpenOffice) -> None:
    """An hour of it: what answers by its id is there."""
    here = _with_work_on_a_machine(office, count=12)
    here.vast.faults.add(edited("list", _emptied, times=0))
    machine = here.instance()

    here.live(1200.0)

    assert len(here.rentals()) == 1
    assert here.told("vanished") == []
    here.vast.faults.clear()
    here.finish()
    assert machine.destroyed_at is not None
    here.check(cents=15)


@pytest.mark.parametrize(
    "label", ["", "my own notebook", "jw|another|1|token-0000000001|x1", "jw|catalogue|0|x"]
)
def test_row_24_machines_of_others_on_the_account_are_never_touched(office: OpenOffice, label: str) -> None:
    here = office(*hosts(3))
    foreign = rent(client(here.vast), label=label)
    here.work()

    here.finish()

    assert [each.id for each in here.vast.instances() if each.destroyed_at is None] == [foreign]
    assert str(foreign) not in "".join(entry.path for entry in here.calls("destroy"))
    here.check()


WEB_PAGES = [
    html_page(route, times=3, effect=effect)
    for route, effect in [
        ("search", False),
        ("list", False),
        ("create", True),
        ("user", False),
        ("destroy", True),
    ]
] + [
    truncated(route, times=3) for route in ("search", "list", "create", "user", "destroy", "show", "charges")
]


@pytest.mark.parametrize("fault", first_quick(WEB_PAGES), ids=lambda fault: f"{fault.name} {fault.route}")
def test_row_29_a_web_page_or_half_an_answer_is_as_good_as_none(
    office: OpenOffice, fault: RequestFault
) -> None:
    here = office(*hosts(3))
    here.vast.faults.add(fault)
    here.work()

    here.finish()

    assert len(here.rentals()) == len(here.calls("create")) == 1
    here.check()


def _broken(name: str) -> Any:
    def edit(body: Any) -> Any:
        for row in body["instances"]:
            row.pop(name)
        return body

    return edit


@pytest.mark.parametrize(
    "name", first_quick(["id", "start_date", "dph_total", "machine_id", "actual_status"])
)
def test_row_30_a_row_that_cannot_be_read_makes_the_listing_incomplete(office: OpenOffice, name: str) -> None:
    here = _with_work_on_a_machine(office)
    here.vast.faults.add(edited("list", _broken(name), times=12))

    here.finish()

    assert len(here.rentals()) == 1
    here.check(cents=10)


@pytest.mark.parametrize(
    "name", first_quick(["extra_env", "label_counts", "gpu_util", "template_name", "end_date"])
)
def test_row_30_what_nobody_needs_may_be_missing(office: OpenOffice, name: str) -> None:
    """The SDK's own listing breaks on some of it; ours is not made of that."""
    here = office(*hosts())

    def edit(body: Any) -> Any:
        for row in body["instances"]:
            row.pop(name, None)
        return body

    here.vast.faults.add(edited("list", edit, times=0))
    here.work()

    here.finish()

    assert here.rented_hosts() == [1]
    here.check()
