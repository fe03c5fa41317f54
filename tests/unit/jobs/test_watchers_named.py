"""`status` names each watcher where there are several, and one that is missed with what it held."""

from __future__ import annotations

from typing import Any

import pytest

from job_runner.commands.status import fields_of
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.overview import overview_of
from tests.unit.jobs.jobs import spec


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def told(queue: MemoryQueue) -> str:
    """What `status` has beside `watchers`; "" where it has no such line."""
    return str(fields_of(overview_of(queue, server=False)).get("watchers", ""))


def works(holding: int = 0, **more: Any) -> dict[str, Any]:
    return {"provider": "local", "holding": holding, **more}


def test_one_alone_has_its_name_already(queue: MemoryQueue) -> None:
    queue.register_watcher("a", works())

    assert told(queue) == ""


def test_each_of_several_is_named_with_what_it_does(queue: MemoryQueue, clock: ManualClock) -> None:
    queue.register_watcher("a", works(2))
    queue.register_watcher("b", works(draining=True))
    queue.register_watcher("c", {"provider": "ssh", "role": "leads"})
    clock.advance(3)
    queue.register_watcher("d", {"provider": "ssh", "role": "standby"})

    assert sorted(told(queue).split("; ")) == [
        "a works, holds 2, heard 3.0s ago",
        "b drains, heard 3.0s ago",
        "c leads, heard 3.0s ago",
        "d stands by, heard 0.0s ago",
    ]


def test_one_that_was_killed_with_jobs_comes_first(queue: MemoryQueue, clock: ManualClock) -> None:
    queue.enqueue([spec("a")])
    queue.claim("killed", count=1)
    queue.register_watcher("killed", works(1))
    clock.advance(35)
    queue.register_watcher("alive", works())

    assert told(queue) == ("killed has not been heard of for 35.0s, held 1 job; alive works, heard 0.0s ago")


def test_one_that_ended_long_ago_or_with_nothing_is_not_missed(
    queue: MemoryQueue, clock: ManualClock
) -> None:
    queue.register_watcher("long ago", works(3))
    clock.advance(700)
    queue.register_watcher("idle", works())
    clock.advance(30)
    queue.enqueue([spec("a")])
    queue.claim("alive", count=1)
    queue.register_watcher("alive", works(1))

    assert told(queue) == ""


def test_of_many_only_some_are_named(queue: MemoryQueue) -> None:
    for number in range(12):
        queue.register_watcher(f"w-{number}", works())

    assert told(queue).count("heard") == 8
    assert told(queue).endswith("; 4 more: job-watcher status")
