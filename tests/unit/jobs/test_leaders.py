"""Who leads, who stands by and who drains, as `job-watcher status` and `machines` tell it (W1, W15)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.jobqueue import WatcherInfo, WatcherRole, role_of
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.leaders import draining_of, leader_json, leader_text, role_text
from lib.jobs.machines import machines_of
from lib.jobs.overview import overview_of
from lib.leadership.lock import Leader

NOW = 1_790_000_000.0
LEADER = Leader("vps-1", 4, NOW - 180, 41.5)


def seen(name: str = "vps-1.2", live: bool = True, **data: Any) -> WatcherInfo:
    return WatcherInfo(name, NOW - 200, NOW - 1, live=live, data=data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"provider": "local", "role": "works"}, "works"),
        ({"provider": "ssh", "role": "leads", "epoch": 4}, "leads, epoch 4"),
        ({"provider": "ssh", "role": "leads", "epoch": 4, "draining": True}, "leads, epoch 4, draining"),
        ({"provider": "ssh", "role": "standby", "draining": False}, "standby"),
        ({"provider": "local"}, "works"),  # as older versions write it, down to here
        ({"provider": "ssh"}, "leads"),
        ({"provider": "ssh", "role": "standby"}, "standby"),
        ({}, "works"),
        ({"provider": "local", "role": ["odd"], "draining": "yes", "epoch": "x"}, "works"),
    ],
)
def test_an_entry_says_its_role_itself_and_older_ones_are_still_read(
    data: dict[str, Any], words: str
) -> None:
    assert role_text(seen(**data)) == words


def test_a_role_is_what_the_entry_says_and_no_guess_by_its_provider() -> None:
    assert role_of(seen(provider="vast", role="works")) is WatcherRole.WORKS
    assert role_of(seen(provider="local", role="leads")) is WatcherRole.LEADS


def test_one_that_is_gone_has_no_role() -> None:
    assert role_text(seen(live=False, provider="ssh", role="leads")) == "gone"


LED = seen(provider="ssh", role="leads", epoch=4)
STANDBY = seen("vps-2", provider="ssh", role="standby")


@pytest.mark.parametrize(
    ("leader", "watchers", "words"),
    [
        (LEADER, [LED, STANDBY], "vps-1 leads in epoch 4, for 3m00s."),
        (LEADER._replace(left_s=0.0), [STANDBY], "Nobody leads; vps-1 led last, in epoch 4."),
        (None, [STANDBY], "Nobody has led yet."),
        (
            LEADER,
            [seen(live=False, provider="ssh", role="leads"), STANDBY],
            "vps-1 has the leader's lock, in epoch 4, and was not seen lately: its lease ends in 41.5s "
            "unless it renews it, and whoever stands by leads then.",
        ),
        # vps-10 is not vps-1
        (
            LEADER,
            [seen("vps-10.1", provider="ssh", role="leads")],
            "vps-1 has the leader's lock, in epoch 4, and was not seen lately: its lease ends in 41.5s "
            "unless it renews it, and whoever stands by leads then.",
        ),
        (None, [seen(provider="local", role="works")], None),
        (LEADER._replace(left_s=0.0), [seen(provider="local", role="works")], None),
    ],
)
def test_people_are_told_who_leads(
    leader: Leader | None, watchers: list[WatcherInfo], words: str | None
) -> None:
    assert leader_text(leader, watchers, NOW) == words


def test_machines_and_status_tell_the_same_to_programs() -> None:
    queue = MemoryQueue(now_ms=lambda: int(NOW * 1000))
    queue.register_watcher("vps-1.2", {"provider": "ssh", "role": "leads", "epoch": 4, "draining": True})
    queue.register_watcher("vps-2", {"provider": "ssh", "role": "standby"})
    queue.register_watcher("old", {"provider": "local"})

    rows = {row["name"]: row for row in overview_of(queue).to_json()["watchers"]}

    assert machines_of(queue).to_json()["standby"] == ["vps-2"]
    assert draining_of(queue) == ["vps-1.2"]
    assert leader_json(LEADER) == {
        "owner": "vps-1",
        "epoch": 4,
        "since": "2026-09-21T14:10:20.000Z",
        "live": True,
        "lease_left_seconds": 41.5,
    }
    assert {name: (row["role"], row["draining"]) for name, row in rows.items()} == {
        "vps-1.2": ("leads", True),
        "vps-2": ("standby", False),
        "old": ("works", False),
    }
