"""The adapter: what it asks, how it reads what comes, and that it never guesses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from job_watcher.rehearsal.vast import FakeVast, HostOffer, Mishap
from job_watcher.rehearsal.vast.faults import (
    RequestFault,
    edited,
    hang,
    html_page,
    no_answer,
    rate_limited,
    redirect,
    refused,
    server_error,
    truncated,
)
from lib.clock import SystemClock
from lib.providers.rental import (
    OutcomeUnknown,
    PassingTrouble,
    ProviderError,
    RateLimited,
    RentalStatus,
)
from lib.providers.vast.asks import Wanted
from lib.providers.vast.connection import VastConnection, VastRefusal
from lib.providers.vast.limiter import Route
from lib.providers.vast.provider import VastProvider
from lib.providers.vast.refusals import Cause
from tests.integration.vast.adapter import LABEL, PLAN, provider, provider_of, rented
from tests.integration.vast.fake_vast import push, standing

__all__ = ["provider"]


class TestWhatItAsks:
    def test_a_rental_is_asked_for_once_with_all_that_keeps_it_from_leaking(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        rented(provider, vast)
        (entry,) = vast.journal.entries("create")
        body = json.loads(entry.body)
        assert (body["label"], body["disk"], body["image"]) == (LABEL, 40, "example/image:1")
        assert body["price"] is None
        assert body["cancel_unavail"] is True
        assert body["runtype"] == "ssh_direc ssh_proxy"
        assert PLAN.public_key in body["onstart"]
        assert PLAN.nonce in body["onstart"]

    def test_an_interruptible_one_is_bid_for_a_little_above_the_lowest(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        instance = rented(provider, vast, interruptible=True)
        (entry,) = vast.journal.entries("create")
        (made,) = vast.instances()
        assert made.host.min_bid < json.loads(entry.body)["price"] <= 1.2 * made.host.min_bid
        assert str(made.id) == instance

    def test_the_key_of_the_account_is_in_no_body(self, vast: FakeVast, provider: VastProvider) -> None:
        instance = rented(provider, vast)
        provider.list()
        provider.show(instance)
        provider.destroy(instance)
        for entry in vast.journal.entries():
            assert vast.api_key not in str(entry.body) + entry.path

    @pytest.mark.parametrize("method", ["list", "create", "destroy", "search", "show"])
    def test_nothing_is_tried_twice(self, vast: FakeVast, provider: VastProvider, method: str) -> None:
        instance = rented(provider, vast)
        push(vast, 60.0)
        offer = provider.offers(interruptible=False)[0]
        push(vast, 60.0)
        before = len(vast.journal.entries(method))
        vast.faults.add(server_error(method, 503, times=0))
        calls: dict[str, Callable[[], object]] = {
            "list": provider.list,
            "create": lambda: provider.rent(offer, label=LABEL, expires_at=vast.clock.now() + 7200.0),
            "destroy": lambda: provider.destroy(instance),
            "search": lambda: provider.offers(interruptible=False),
            "show": lambda: provider.show(instance),
        }
        with pytest.raises((ProviderError, OutcomeUnknown)):
            calls[method]()
        assert len(vast.journal.entries(method)) == before + 1

    def test_its_pace_is_never_refused(self, vast: FakeVast, provider: VastProvider) -> None:
        vast.throttle.on = True
        for number in range(4):
            push(vast, 10.0)
            instance = rented(provider, vast, f"{LABEL}{number}")
            provider.list(), provider.list(), provider.show(instance), provider.show(instance)
        for rental in provider.list().rentals:
            provider.destroy(rental.instance)
        assert vast.throttle.refused == 0
        assert vast.living() == []

    def test_only_what_is_wanted_is_offered(self, vast: FakeVast) -> None:
        wanted = Wanted("example/image:1", 40, gpus=("RTX_3090", "RTX_4090"), regions=("SE", "US"))
        offers = provider_of(vast, wanted=wanted).offers(interruptible=False)
        assert {offer.gpu for offer in offers} == {"RTX 3090", "RTX 4090"}
        nowhere = provider_of(vast, wanted=Wanted("example/image:1", 40, regions=("ZA",)))
        assert nowhere.offers(interruptible=False) == []


class TestListing:
    def test_all_pages_are_read(self) -> None:
        hosts = [HostOffer(number) for number in range(1, 61)]
        with standing(*hosts) as vast:
            provider = provider_of(vast)
            for number in range(60):
                push(vast, 20.0)
                rented(provider, vast, f"label {number}")
            push(vast, 60.0)
            listing = provider.list()
            assert listing.complete
            assert len(listing.rentals) == 60
            push(vast, 60.0)
            vast.faults.add(server_error("list", nth=2))
            listing = provider.list()
            assert (listing.complete, len(listing.rentals)) == (False, 25)
            push(vast, 60.0)
            vast.faults.clear()
            vast.faults.add(edited("list", lambda body: {**body, "next_token": None}))
            listing = provider.list()
            assert (listing.complete, len(listing.rentals)) == (False, 25)
            assert "Vast counts 60" in listing.problem

    @pytest.mark.parametrize(
        "edit",
        [
            lambda body: {**body, "instances": [*body["instances"], {"id": 5}]},
            lambda body: {**body, "instances": [*body["instances"], None]},
            lambda body: {**body, "instances": [{**row, "dph_total": None} for row in body["instances"]]},
            lambda body: {**body, "instances": []},
            lambda body: {**body, "total_instances": 2},
            lambda body: {name: value for name, value in body.items() if name != "total_instances"},
        ],
    )
    def test_an_odd_one_is_incomplete(
        self, vast: FakeVast, provider: VastProvider, edit: Callable[[Any], Any]
    ) -> None:
        rented(provider, vast)
        vast.faults.add(edited("list", edit))
        listing = provider.list()
        assert not listing.complete
        assert listing.problem

    @pytest.mark.parametrize(
        "fault",
        [
            edited("list", lambda body: []),
            edited("list", lambda body: {"success": True}),
            edited("list", lambda body: {**body, "instances": None}),
            html_page("list"),
            truncated("list"),
            no_answer("list"),
            server_error("list", 500),
            refused("list", 410, "deprecated_endpoint", "use another"),
            refused("list", 404, "auth_error", "Invalid user key"),
        ],
        ids=lambda fault: fault.name,
    )
    def test_one_that_did_not_come_is_an_error(
        self, vast: FakeVast, provider: VastProvider, fault: RequestFault
    ) -> None:
        rented(provider, vast)
        vast.faults.add(fault)
        with pytest.raises(ProviderError):
            provider.list()

    @pytest.mark.parametrize("token", [7, "nonsense", False])
    def test_a_page_that_may_have_others_is_incomplete(
        self, vast: FakeVast, provider: VastProvider, token: object
    ) -> None:
        rented(provider, vast)
        vast.faults.add(edited("list", lambda body: {**body, "next_token": token}))
        listing = provider.list()
        assert (listing.complete, len(listing.rentals)) == (False, 1)

    def test_an_account_without_rentals_is_empty_and_complete(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        assert provider.list() == type(provider.list())((), complete=True)

    def test_one_that_was_outbid_is_stopped_and_one_that_is_away_is_offline(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        first = rented(provider, vast, interruptible=True)
        push(vast, 60.0)
        vast.befall(int(first), Mishap.OUTBID)
        assert provider.list().rentals[0].status is RentalStatus.STOPPED
        push(vast, 20.0)
        second = rented(provider, vast)
        push(vast, 60.0)
        vast.befall(int(second), Mishap.OFFLINE)
        shown = provider.show(second)
        assert shown is not None
        assert shown.status is RentalStatus.OFFLINE


class TestGone:
    @pytest.mark.parametrize("gone_is_404", [True, False])
    def test_only_vast_saying_so_makes_one_gone(
        self, vast: FakeVast, provider: VastProvider, gone_is_404: bool
    ) -> None:
        vast.quirks.gone_is_404 = gone_is_404
        instance = rented(provider, vast)
        provider.destroy(instance)
        push(vast, 300.0)
        assert provider.show(instance) is None

    @pytest.mark.parametrize(
        "fault",
        [
            lambda route: refused(route, 404, "auth_error", "Invalid user key"),
            lambda route: RequestFault(route, status=404, body={"msg": "Session expired. Log in again."}),
            lambda route: RequestFault(route, status=404, body="<html>404 Not Found</html>"),
            lambda route: rate_limited(route),
            lambda route: html_page(route),
            lambda route: refused(route, 403, "forbidden", "missing permission"),
            lambda route: redirect(route, 302, "/somewhere"),
        ],
    )
    @pytest.mark.parametrize("method", ["show", "destroy"])
    def test_nothing_else_does(
        self,
        vast: FakeVast,
        provider: VastProvider,
        fault: Callable[[str], RequestFault],
        method: str,
    ) -> None:
        instance = rented(provider, vast)
        vast.faults.add(fault(method))
        with pytest.raises((ProviderError, OutcomeUnknown)):
            provider.show(instance) if method == "show" else provider.destroy(instance)

    @pytest.mark.parametrize("body", [{}, [], {"instances": []}, {"instances": {}}, {"instances": {"id": 5}}])
    def test_an_odd_answer_about_one_does_not(
        self, vast: FakeVast, provider: VastProvider, body: object
    ) -> None:
        instance = rented(provider, vast)
        vast.faults.add(edited("show", lambda _: body))
        with pytest.raises(ProviderError):
            provider.show(instance)

    @pytest.mark.parametrize("name", ["", "0", "-1", "1/../2", "5?x", "all"])
    def test_what_is_no_rental_of_vasts_is_not_even_asked_for(
        self, vast: FakeVast, provider: VastProvider, name: str
    ) -> None:
        with pytest.raises(ProviderError):
            provider.destroy(name)
        assert vast.journal.entries() == []


def test_an_answer_that_takes_too_long_is_none(vast: FakeVast, provider: VastProvider) -> None:
    clock = SystemClock()
    connection = VastConnection(vast.api_key, clock=clock, url=vast.url)
    vast.faults.add(hang("user", 2.0))
    with pytest.raises(VastRefusal) as caught:
        connection.call(Route.ACCOUNT, lambda sdk: sdk.show_user(), clock.monotonic() + 1.5)
    assert caught.value.refusal.cause is Cause.NO_ANSWER


def test_too_many_calls_say_when_to_come_again(vast: FakeVast, provider: VastProvider) -> None:
    vast.faults.add(rate_limited("user", retry_after="20"))
    with pytest.raises(RateLimited) as caught:
        provider.credit_micros()
    assert caught.value.after_s == 20.0
    with pytest.raises(RateLimited):  # it is not even asked
        provider.credit_micros()
    assert len(vast.journal.entries("user")) == 1
    push(vast, 20.0)
    assert provider.credit_micros() == 25_000_000


def test_a_passing_trouble_says_so(vast: FakeVast, provider: VastProvider) -> None:
    vast.faults.add(server_error("user"), html_page("user", nth=2), no_answer("user", nth=3))
    for _ in range(3):
        push(vast, 10.0)
        with pytest.raises(PassingTrouble):
            provider.credit_micros()


def test_a_bill_that_cannot_be_read_is_an_error_and_never_shorter(
    vast: FakeVast, provider: VastProvider
) -> None:
    rented(provider, vast)
    push(vast, 3600.0)
    assert provider.bill(vast.clock.now() - 3600.0)
    push(vast, 10.0)
    vast.faults.add(edited("charges", lambda body: {**body, "results": [*body["results"], {"source": "x"}]}))
    with pytest.raises(ProviderError, match="cannot be read"):
        provider.bill(vast.clock.now() - 3600.0)


def test_vasts_client_is_loaded_only_when_it_is_called() -> None:
    code = (
        "import sys, lib.providers.vast.provider, lib.providers.vast.account;"
        "assert not {'vastai', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
