"""Each state of the system gets its verdict and its sentence (Q16, Q25)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.jobqueue import Snapshot, WatcherInfo
from lib.jobs.doctor import Checkup, diagnose
from lib.jobs.overview import Health, overview, server_sentence

IDLE = Snapshot(
    waiting=0,
    pending=0,
    delayed=0,
    stale_pel=0,
    oldest_waiting_s=None,
    done=3,
    failed=0,
    canceled=0,
    paused=False,
    lock_owner="vps-1",
    watcher_last_seen=1000.0,
    server_time=1004.0,
)


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        ({}, Health.IDLE, "Nothing to do; watcher vps-1 was seen 4 s ago."),
        ({"lock_owner": None}, Health.IDLE, "Nothing to do; no watcher runs."),
        (
            {"waiting": 2, "pending": 1},
            Health.WORKING,
            "3 jobs are outstanding; watcher vps-1 was seen 4 s ago.",
        ),
        ({"delayed": 1}, Health.WORKING, "1 job is outstanding"),
        (
            {"waiting": 1, "lock_owner": None},
            Health.WATCHER_NOT_RUNNING,
            "Start one with: job-watcher run, or job-runner up",
        ),
        ({"pending": 2, "stale_pel": 2}, Health.WATCHER_CRASHED, "2 leases have run out"),
        ({"pending": 1, "stale_pel": 1}, Health.WATCHER_CRASHED, "reclaim the work by itself"),
        (
            {"pending": 1, "stale_pel": 1, "lock_owner": None},
            Health.WATCHER_CRASHED,
            "Start a watcher (job-watcher run, or job-runner up); it reclaims the work.",
        ),
        ({"paused": True, "waiting": 4}, Health.PAUSED, "The queue is paused with 4 outstanding."),
        (
            {"paused": True, "pending": 2, "stale_pel": 2},
            Health.PAUSED,
            "2 leases have run out, and nothing is taken back meanwhile: job-runner resume lets the running",
        ),
        (
            {"paused": True, "pending": 1, "stale_pel": 1, "lock_owner": None},
            Health.PAUSED,
            "job-runner resume, and start a watcher (job-watcher run, or job-runner up); it reclaims the",
        ),
        (
            {"paused": True, "waiting": 1, "lock_owner": None},
            Health.PAUSED,
            "No watcher runs either. Go on with: job-runner resume, then job-watcher run, or job-runner up",
        ),
    ],
)
def test_each_state_has_its_sentence(changes: dict[str, object], verdict: Health, words: str) -> None:
    view = overview(replace(IDLE, **changes), [], {})  # type: ignore[arg-type]  # parametrised fields

    assert view.verdict is verdict
    assert words in view.sentence


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("owner", [None, "vps-1"])
def test_that_work_will_be_reclaimed_is_said_only_where_it_will_be(paused: bool, owner: str | None) -> None:
    stale = replace(IDLE, pending=1, stale_pel=1, paused=paused, lock_owner=owner)

    sentence = overview(stale, [], {}).sentence

    assert ("will reclaim" in sentence) is (owner is not None and not paused)
    assert sentence.startswith("The queue is paused") is paused


@pytest.mark.parametrize(
    ("paused", "owner", "fix"),
    [
        (False, "vps-1", "the running watcher will reclaim the work by itself: look again in a minute"),
        (True, "vps-1", "job-runner resume lets the running watcher reclaim the work"),
        (False, None, "start a watcher (job-watcher run, or job-runner up); it reclaims the work"),
    ],
)
def test_doctor_says_of_leases_that_ran_out_what_status_says(
    paused: bool, owner: str | None, fix: str
) -> None:
    stale = replace(IDLE, pending=1, stale_pel=1, paused=paused, lock_owner=owner)

    (finding,) = diagnose(Checkup(1004.0, "there", snapshot=stale))

    assert (finding.kind.id, finding.fix) == ("D011", fix)


def test_ages_have_no_digits_beyond_the_millisecond() -> None:
    shot = replace(IDLE, waiting=1, oldest_waiting_s=1.0 / 3, server_time=1000.1, watcher_last_seen=999.9)

    shape = shot.to_json()

    assert (shape["oldest_waiting_s"], shape["watcher_last_seen_age_s"]) == (0.333, 0.2)


def test_machines_and_money_are_the_sum_of_what_live_watchers_report() -> None:
    watchers = [
        WatcherInfo("a", 1.0, 2.0, live=True, data={"instances": 2, "spend_usd": "0.10"}),
        WatcherInfo("b", 1.0, 2.0, live=True, data={"instances": 1, "spend_usd": "0.20"}),
        WatcherInfo("gone", 1.0, 2.0, live=False, data={"instances": 9, "spend_usd": "9"}),
    ]

    view = overview(IDLE, watchers, {})

    assert (view.instances, view.spend) == (3, Decimal("0.30"))


def test_the_json_has_the_keys_of_the_contract() -> None:
    shape = overview(IDLE, [], {"version": "9"}).to_json()

    assert {
        "outstanding", "waiting", "pending", "delayed", "stale_pel", "oldest_waiting_s", "done", "failed",
        "lock_owner", "watcher_last_seen", "watcher_last_seen_age_s", "verdict", "sentence",
        "instances", "server",
    } <= set(shape)  # fmt: skip
    assert shape["watcher_last_seen"] == "1970-01-01T00:16:40.000Z"
    assert shape["outstanding"] == shape["waiting"] + shape["pending"] + shape["delayed"]


def test_a_server_that_would_forget_is_told() -> None:
    server = {
        "name": "valkey",
        "version": "9.1.2",
        "place": "127.0.0.1:6379",
        "used_memory_bytes": 2 * 1024 * 1024,
        "appendonly": True,
        "last_write_ok": True,
    }

    assert server_sentence(server) == "valkey 9.1.2 at 127.0.0.1:6379, 2.0 MiB used, append-only file on"
    assert "may lose jobs" in server_sentence({**server, "appendonly": False})
    assert "FAILED" in server_sentence({**server, "last_write_ok": False})


def test_of_machines_by_ssh_doctor_names_the_command_that_looks_at_them() -> None:
    (finding,) = diagnose(Checkup(100.0, "there", provider="ssh"))

    assert "job-watcher machines --check" in finding.fix
