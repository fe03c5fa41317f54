"""The adapter: what a rental may come to, and whose key it is asked for with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from job_watcher.rehearsal.vast import FakeVast
from job_watcher.rehearsal.vast.faults import (
    RequestFault,
    html_page,
    lost_reply,
    no_answer,
    redirect,
    server_error,
    silent_failure,
    truncated,
)
from lib.errors import BadConfiguration, JobRunnerError
from lib.providers.rental import (
    AccountFault,
    HalfRented,
    NoOffer,
    OutcomeUnknown,
    ProviderError,
    RefusedForGood,
    RentalStatus,
)
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.provider import VastProvider
from tests.integration.vast.adapter import LABEL, PLAN, instances, provider, provider_of, rented
from tests.integration.vast.fake_vast import push

__all__ = ["provider"]


class TestRenting:
    @pytest.mark.parametrize("fault", [lost_reply, truncated, html_page, server_error, no_answer])
    def test_without_a_clear_answer_the_outcome_is_not_known(
        self, vast: FakeVast, provider: VastProvider, fault: Callable[[str], RequestFault]
    ) -> None:
        vast.faults.add(fault("create"))
        with pytest.raises(OutcomeUnknown):
            rented(provider, vast)

    @pytest.mark.parametrize("effect", [True, False])
    def test_a_failure_without_a_reason_may_have_rented(
        self, vast: FakeVast, provider: VastProvider, effect: bool
    ) -> None:
        vast.faults.add(silent_failure("create", effect=effect))
        with pytest.raises(OutcomeUnknown):
            rented(provider, vast)

    def test_a_bid_that_is_too_low_leaves_a_machine_and_says_which(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        offer = provider.offers(interruptible=True)[0]
        low = replace(offer, id=f"{offer.id.partition('@')[0]}@0.001")
        with pytest.raises(HalfRented) as caught:
            provider.rent(low, label=LABEL, expires_at=vast.clock.now() + 7200.0)
        assert instances(provider.list()) == [caught.value.instance]
        push(vast, 30.0)
        assert provider.list().rentals[0].status is RentalStatus.STOPPED

    def test_a_bid_that_is_too_low_and_says_nothing_may_have_left_one(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        vast.quirks.bid_refusal_has_id = False
        offer = provider.offers(interruptible=True)[0]
        low = replace(offer, id=f"{offer.id.partition('@')[0]}@0.001")
        with pytest.raises(OutcomeUnknown):
            provider.rent(low, label=LABEL, expires_at=vast.clock.now() + 7200.0)
        assert len(vast.living()) == 1

    def test_an_offer_that_somebody_took_meanwhile_is_gone_however_it_is_said(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        for _ in range(4):
            push(vast, 20.0)
            offer = provider.offers(interruptible=False)[0]
            vast.market.withdraw(int(offer.machine_id), vast.clock.now())
            with pytest.raises(NoOffer):
                provider.rent(offer, label=LABEL, expires_at=vast.clock.now() + 7200.0)
        assert vast.living() == []

    def test_an_account_that_spends_too_fast_is_refused_for_good(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        vast.quirks.spend_limit = 0.01
        with pytest.raises(RefusedForGood) as caught:
            rented(provider, vast)
        assert caught.value.fault is AccountFault.SPEND_LIMIT

    def test_a_plan_that_no_machine_can_be_told_rents_nothing(self, vast: FakeVast) -> None:
        plan = type(PLAN)("ssh-ed25519 A'B", "nonce-12345")
        with pytest.raises(ProviderError, match="No machine was rented"):
            rented(provider_of(vast, plan=plan), vast)
        assert vast.journal.entries("create") == []


class TestTheKey:
    @pytest.mark.parametrize("status", [401, 404])
    def test_one_that_is_not_accepted_is_a_matter_for_a_person(self, vast: FakeVast, status: int) -> None:
        vast.account.keys.auth_status = status
        wrong = provider_of(vast, key="wrong-key-0123456789")
        with pytest.raises(RefusedForGood) as caught:
            wrong.list()
        assert caught.value.fault is AccountFault.KEY
        assert "wrong-key" not in caught.value.message

    def test_one_that_may_not_do_it_says_what_it_should_have(
        self, vast: FakeVast, provider: VastProvider
    ) -> None:
        vast.account.keys.scopes = frozenset({"user_read", "instance_read", "misc"})
        with pytest.raises(RefusedForGood, match="instance_write") as caught:
            rented(provider, vast)
        assert caught.value.fault is AccountFault.SCOPE

    @pytest.mark.parametrize(
        "fault",
        [
            lambda key: RequestFault("list", status=400, body={"error": "x", "msg": f"bad key {key}"}),
            lambda key: RequestFault("list", status=500, body=f"at /?api_key={key}"),
            lambda key: RequestFault(
                "list", status=401, body={"error": "auth_error", "msg": f"Bearer {key}"}
            ),
            lambda key: redirect("list", 302, f"/x?api_key={key}"),
            lambda key: no_answer("list"),
        ],
    )
    def test_it_stands_in_no_error(
        self, vast: FakeVast, provider: VastProvider, fault: Callable[[str], RequestFault]
    ) -> None:
        vast.faults.add(fault(vast.api_key))
        with pytest.raises(JobRunnerError) as caught:
            provider.list()
        error: BaseException | None = caught.value
        while error is not None:
            assert vast.api_key not in str(error)
            error = error.__cause__

    def test_no_file_puts_another_in_its_place(
        self, vast: FakeVast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        tmp_path.joinpath(".vast_api_key").write_text("of-a-file")
        monkeypatch.setenv("VAST_API_KEY", "of-the-environment")
        assert provider_of(vast).list().complete
        tmp_path.joinpath(".netrc").write_text("machine 127.0.0.1 login a password b\n")
        with pytest.raises(BadConfiguration, match="netrc"):
            provider_of(vast).list()
        assert len(vast.journal.entries()) == 1

    def test_one_that_is_none_is_refused_before_it_is_sent(self, vast: FakeVast) -> None:
        for key in ("", " ", "a\n", "clé"):
            with pytest.raises(BadConfiguration):
                VastConnection(key, clock=vast.clock, url=vast.url).check()

    @pytest.mark.parametrize(
        "url",
        [
            "http://vast.example",
            "http://10.0.0.5:80",
            "ftp://127.0.0.1",
            "https://a:b@c",
            "https://c?api_key=x",
            "http://[::1",
        ],
    )
    def test_it_is_sent_to_no_odd_place(self, vast: FakeVast, url: str) -> None:
        with pytest.raises(BadConfiguration, match="VAST_URL"):
            VastConnection(vast.api_key, clock=vast.clock, url=url).check()

    def test_it_is_sent_to_vast_and_to_this_computer(self, vast: FakeVast) -> None:
        for url in (None, "https://vast.example/", "http://localhost:1", "http://[::1]:1", vast.url):
            VastConnection(vast.api_key, clock=vast.clock, url=url).check()
