"""What can be told of an account before anything is rented on it."""

from __future__ import annotations

import pytest

from job_watcher.rehearsal.vast import FakeVast, no_answer, server_error
from lib.providers.vast.account import AccountReport, examine_account
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.refusals import SCOPES


def examined(vast: FakeVast, key: str | None = None) -> AccountReport:
    pytest.importorskip("vastai", reason="Vast's client is not installed: install the extra vast")
    return examine_account(VastConnection(key or vast.api_key, clock=vast.clock, url=vast.url))


def test_an_account_that_is_fine(vast: FakeVast) -> None:
    vast.account.keys.scopes = frozenset(SCOPES)
    report = examined(vast)
    assert report == AccountReport(
        key_accepted=True,
        excess=(),
        credit_micros=25_000_000,
        can_pay=True,
        ssh_keys=0,
        clock_ahead_s=0.0,
    )


def test_nothing_is_changed(vast: FakeVast) -> None:
    examined(vast)
    changes = [entry for entry in vast.journal.entries() if entry.method not in ("GET", "POST")]
    assert [(entry.method, entry.path, entry.status) for entry in changes] == [
        ("PUT", "/api/v0/instances/0/", 404)
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_that_is_missing_is_named(vast: FakeVast, scope: str) -> None:
    vast.account.keys.scopes = frozenset(SCOPES) - {scope}
    report = examined(vast)
    assert report.missing == (scope,)
    assert report.key_accepted


def test_what_a_key_may_do_and_need_not_is_named(vast: FakeVast) -> None:
    assert examined(vast).excess == ("billing_write", "user_write")


@pytest.mark.parametrize("status", [401, 404])
def test_a_key_that_is_not_accepted(vast: FakeVast, status: int) -> None:
    vast.account.keys.auth_status = status
    report = examined(vast, "wrong-key-0123456789")
    assert report == AccountReport(key_accepted=False)
    assert len(vast.journal.entries()) == 1


def test_no_credit(vast: FakeVast) -> None:
    vast.set_credit(0.0)
    assert examined(vast).credit_micros == 0


@pytest.mark.parametrize("skew_s", [-90.0, 90.0])
def test_a_clock_that_is_off(vast: FakeVast, skew_s: float) -> None:
    vast.quirks.date_skew_s = skew_s
    assert examined(vast).clock_ahead_s == -skew_s


def test_what_could_not_be_looked_at_is_said(vast: FakeVast) -> None:
    vast.account.keys.scopes = frozenset(SCOPES)
    vast.faults.add(server_error("charges"), no_answer("search"))
    report = examined(vast)
    assert [part.sentence.split()[4] for part in report.unseen] == ["billing_read", "misc"]
    assert report.missing == ()


def test_no_answer_at_all_says_nothing_of_the_key(vast: FakeVast) -> None:
    vast.faults.add(no_answer("user"))
    report = examined(vast)
    assert report.key_accepted is None
    assert len(report.unseen) == 1
