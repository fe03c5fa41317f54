"""While people wait, they hear once what keeps the queue from going on."""

from __future__ import annotations

import pytest

from job_runner.display.live_view import Hindrance
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.overview import Health
from tests.unit.jobs.jobs import spec


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> MemoryQueue:
    queue = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    queue.enqueue([spec("a")])
    return queue


def looks(hindrance: Hindrance, clock: ManualClock, count: int = 4) -> None:
    for _ in range(count):
        hindrance.tell()
        clock.advance(2)


def test_that_nobody_works_is_said_once(
    queue: MemoryQueue, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(Hindrance(queue, clock), clock)

    err = capsys.readouterr().err
    assert err.count("no watcher runs") == 1
    assert "job-runner up" in err


def test_a_pause_is_said_and_a_moment_without_watcher_is_not(
    queue: MemoryQueue, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    hindrance = Hindrance(queue, clock)
    looks(hindrance, clock, 1)
    queue.register_watcher("w", {})
    queue.claim("w", count=0)
    queue.pause()
    looks(hindrance, clock)

    err = capsys.readouterr().err
    assert "no watcher runs" not in err
    assert err.count("is paused") == 1


def test_only_what_was_asked_for_is_said(
    queue: MemoryQueue, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(Hindrance(queue, clock, frozenset({Health.PAUSED})), clock)

    assert capsys.readouterr().err == ""


def test_a_watchers_trouble_is_said_once_while_it_lasts(
    queue: MemoryQueue, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    hindrance = Hindrance(queue, clock)
    for trouble in ("The disk is full.", "The disk is full.", None, "It is full again."):
        queue.register_watcher("w", {"trouble": trouble})
        looks(hindrance, clock, 2)

    err = capsys.readouterr().err
    assert err.count("the watcher says: The disk is full.") == 1
    assert err.count("the watcher says: It is full again.") == 1
