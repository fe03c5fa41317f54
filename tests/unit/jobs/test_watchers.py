"""A watcher of this machine that was killed is seen at once (Q49)."""

from __future__ import annotations

from typing import Any

import pytest

from lib.clock import ManualClock
from lib.jobqueue import JobQueue
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.explain import explain
from lib.jobs.explain_evidence import evidence_of
from lib.jobs.overview import Health, overview_of
from lib.jobs.watchers import seen_watchers
from lib.processes import this_process
from tests.unit.jobs.jobs import Shelf, spec

HERE = this_process() or {}
KILLED = {**HERE, "started": "1"}

pytestmark = pytest.mark.skipif(not HERE, reason="this system has no /proc")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> JobQueue:
    made = MemoryQueue(now_ms=lambda: round(clock.now() * 1000))
    made.enqueue([spec("a")])
    return made


def work(queue: JobQueue, name: str, process: dict[str, Any]) -> None:
    queue.register_watcher(name, {"process": process})
    for lease in queue.claim(name):
        queue.begin(lease)


def test_a_killed_watcher_with_a_job_is_a_crash_before_its_lease_runs_out(queue: JobQueue) -> None:
    work(queue, "killed", KILLED)

    view = overview_of(queue)

    assert (view.verdict, view.snapshot.lock_owner) == (Health.WATCHER_CRASHED, None)
    assert view.sentence == (
        "1 job is leased, and nobody works: watcher killed of this machine ended without finishing its work. "
        "Start a watcher (job-watcher run, or job-runner up); it reclaims the work."
    )
    assert [row["live"] for row in view.to_json()["watchers"]] == [False]


def test_the_verdict_stays_when_its_heartbeat_is_old_too(queue: JobQueue, clock: ManualClock) -> None:
    work(queue, "killed", KILLED)
    clock.advance(60)

    assert overview_of(queue).verdict is Health.WATCHER_CRASHED


def test_a_killed_watcher_without_a_job_is_simply_none(queue: JobQueue) -> None:
    queue.register_watcher("killed", {"process": KILLED})

    assert overview_of(queue).verdict is Health.WATCHER_NOT_RUNNING


def test_another_watcher_that_lives_works_on(queue: JobQueue) -> None:
    work(queue, "killed", KILLED)
    queue.register_watcher("alive", {"process": HERE})

    view = overview_of(queue)

    assert (view.verdict, view.snapshot.lock_owner) == (Health.WORKING, "alive")


@pytest.mark.parametrize(
    "process",
    [None, {}, {**KILLED, "where": "another machine"}, HERE],
    ids=["untold", "nothing", "far", "alive"],
)
def test_a_watcher_that_nobody_here_can_judge_lives_by_its_heartbeat(queue: JobQueue, process: Any) -> None:
    queue.register_watcher("far", {"process": process})

    assert seen_watchers(queue.snapshot()).snapshot.lock_owner == "far"


def test_explain_says_that_the_watcher_of_the_job_has_ended(queue: JobQueue) -> None:
    work(queue, "killed", KILLED)

    told = explain(evidence_of(queue, Shelf(), "a"))

    assert told.reason.value == "worker_silent"
    assert "that watcher has ended" in told.sentence
