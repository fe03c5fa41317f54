"""What keeps a computer from doing jobs, judged (W1)."""

from __future__ import annotations

import pytest

from lib.errors import ExitStatus, Unavailable
from lib.findings import Finding
from lib.jobs.doctor import Checkup, Trouble, diagnose, exit_status
from lib.jobs.doctor_account import AccountCheckup, diagnose_account
from lib.jobs.doctor_watcher import KINDS, WatcherCheckup, diagnose_watcher

BAD = Trouble("it", "it is broken")
BREAKS = {
    ("D022",): WatcherCheckup(ledger=BAD),
    ("D023",): WatcherCheckup(folder=BAD),
    ("D024",): WatcherCheckup(machines=2, out=[BAD]),
    ("D024", "D025"): WatcherCheckup(machines=1, out=[BAD]),
    ("D024", "D024", "D025"): WatcherCheckup(machines=2, out=[BAD, BAD]),
    ("D025",): WatcherCheckup(unasked=BAD),
    ("D026",): WatcherCheckup(listen=BAD),
    ("D027",): WatcherCheckup(service=BAD),
    ("D028",): WatcherCheckup(webhooks=BAD),
}


@pytest.mark.parametrize("ids", BREAKS, ids="-".join)
def test_each_broken_thing_is_found_alone_and_says_what_to_do(ids: tuple[str, ...]) -> None:
    found = diagnose_watcher(BREAKS[ids])

    assert tuple(item.kind.id for item in found) == ids
    assert all(item.subject and item.sentence and item.fix for item in found)


def test_everything_that_can_be_found_is_broken_here() -> None:
    assert {name for ids in BREAKS for name in ids} == {kind.id for kind in KINDS}


def test_where_all_works_nothing_is_found() -> None:
    assert diagnose_watcher(WatcherCheckup(machines=3)) == []


@pytest.mark.parametrize(
    ("ids", "status"),
    [(("D024",), 0), (("D027",), 0), (("D024", "D025"), 78), (("D022",), 78), (("D026",), 78)],
)
def test_one_machine_of_several_is_a_warning_and_none_at_all_an_error(
    ids: tuple[str, ...], status: int
) -> None:
    assert exit_status(diagnose_watcher(BREAKS[ids])) == ExitStatus(status)


def silent(subject: str) -> Trouble:
    return Trouble.of(subject, Unavailable(f"{subject} does not answer."))


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (diagnose_watcher(WatcherCheckup(machines=2, out=[silent("a"), silent("b")])), 69),
        (diagnose_watcher(WatcherCheckup(machines=2, out=[silent("a"), BAD])), 78),
        (diagnose_watcher(WatcherCheckup(ledger=silent("ledger"))), 69),
        (diagnose_watcher(WatcherCheckup(ledger=silent("ledger"), folder=BAD)), 78),
        (diagnose(Checkup(1.0, "here", store=silent("s3://bucket"))), 69),
        (diagnose(Checkup(1.0, "here", store=BAD)), 78),
        (diagnose_account(AccountCheckup("Vast", unasked=silent("Vast"))), 69),
        (diagnose_account(AccountCheckup("Vast", unasked=BAD)), 78),
        (diagnose_account(AccountCheckup("Vast", unseen=[silent("Vast")])), 69),
        (diagnose_account(AccountCheckup("Vast", unseen=[silent("Vast"), BAD])), 78),
    ],
)
def test_what_does_not_answer_is_told_apart_from_what_must_be_mended(
    found: list[Finding], status: int
) -> None:
    found = [item for item in found if item.kind.id not in {"D001", "D017"}]

    assert exit_status(found) == ExitStatus(status)


@pytest.mark.parametrize("provider", ["ssh", "vast"])
def test_who_looks_at_the_machines_does_not_say_that_nobody_did(provider: str) -> None:
    seen = Checkup(1.0, "here", provider=provider)

    assert [item.kind.id for item in diagnose(seen)] == ["D017"]
    assert diagnose(Checkup(1.0, "here", provider=provider, provider_seen=True)) == []
