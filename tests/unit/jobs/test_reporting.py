"""A file against the queue and the store (Q19)."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from job_runner import wiring
from lib.clock import ManualClock
from lib.errors import ExitStatus
from lib.jobqueue import ErrorClass, Failure, JobQueue
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.report import (
    UNFINISHED,
    WRONG,
    Report,
    ReportRow,
    Standing,
    report_on,
)
from tests.unit.jobs.jobs import Shelf, fail, finish, spec


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> JobQueue:
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def row_of(queue: JobQueue, clock: ManualClock, name: str, shelf: Shelf | None = None) -> ReportRow:
    return report_on(queue, [spec(name)], shelf or Shelf(), clock.now()).rows[0]


def test_a_job_nobody_enqueued_is_missing(queue: JobQueue, clock: ManualClock) -> None:
    assert row_of(queue, clock, "a").standing is Standing.MISSING


def test_a_job_with_other_content_is_changed_whatever_its_state(queue: JobQueue, clock: ManualClock) -> None:
    finish(queue, "a")
    row = report_on(queue, [spec("a", seed=7)], Shelf(), clock.now()).rows[0]

    assert row.standing is Standing.CHANGED
    assert row.reason is not None
    assert "done" in row.reason


def test_what_does_not_change_the_output_does_not_make_it_changed(
    queue: JobQueue, clock: ManualClock
) -> None:
    finish(queue, "a")
    row = report_on(queue, [spec("a", priority="high", max_attempts=9)], Shelf(), clock.now()).rows[0]

    assert row.standing is Standing.DONE


def test_a_done_job_names_its_file(queue: JobQueue, clock: ManualClock) -> None:
    finish(queue, "a")
    row = row_of(queue, clock, "a")

    assert (row.standing, row.file, row.reason) == (Standing.DONE, "/store/out/a.1.wav", None)


def test_a_done_job_whose_published_file_is_missing_says_so(queue: JobQueue, clock: ManualClock) -> None:
    finish(queue, "a")
    row = row_of(queue, clock, "a", Shelf({"out/a.1.wav"}))

    assert row.standing is Standing.DONE
    assert row.reason is not None
    assert "reconcile --apply" in row.reason


def test_when_a_job_is_due_is_the_queues_word_and_not_the_files(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([spec("a", not_before=clock.now() + 86_400)])
    queue.enqueue([spec("b")])
    (lease,) = queue.claim("tests")
    queue.fail(queue.begin(lease), Failure(ErrorClass.TRANSIENT, "The engine stumbled."))
    moved = [spec("a", not_before=clock.now() - 60), spec("b", not_before=clock.now() + 60)]

    rows = report_on(queue, moved, Shelf(), clock.now()).rows

    assert rows[0].reason == "not before 2023-11-15T22:13:20.000Z"
    assert rows[1].reason == "waits to be tried again; attempt 1 of 3 failed"


def test_audio_that_left_the_store_is_gone_even_of_a_later_take(queue: JobQueue, clock: ManualClock) -> None:
    finish(queue, "a", takes=3)

    row = row_of(queue, clock, "a", Shelf({"a/3"}))

    assert row.standing is Standing.ARTIFACT_GONE
    assert row.reason is not None
    assert "take 3" in row.reason


def test_failed_and_canceled_jobs_say_why(queue: JobQueue, clock: ManualClock) -> None:
    fail(queue, "a", "It is wrong.")
    queue.enqueue([spec("b")])
    queue.cancel("b")

    assert row_of(queue, clock, "a").reason == "bad_input: It is wrong."
    assert row_of(queue, clock, "b").standing is Standing.CANCELED


def test_unfinished_jobs_say_for_how_long_where_or_until_when(queue: JobQueue, clock: ManualClock) -> None:
    late = spec("late", not_before=clock.now() + 3600)
    queue.enqueue([spec("runs")])
    (lease,) = queue.claim("w1")
    queue.begin(lease)
    queue.enqueue([spec("waits"), late])
    clock.advance(65)

    rows = report_on(queue, [spec("runs"), spec("waits"), late], Shelf(), clock.now()).rows

    assert [row.standing.value for row in rows] == ["running", "waiting", "delayed"]
    assert rows[0].reason == "attempt 1 at w1 for 1m05s"
    assert rows[1].reason == "for 1m05s"
    assert rows[2].reason is not None
    assert rows[2].reason.startswith("not before 2023-11-14T")


def test_the_exit_status_is_the_worst_of_all_jobs() -> None:
    """Q19: 1 beats 75 beats 0."""
    assert set(Standing) == {*UNFINISHED, *WRONG, Standing.DONE}
    for pair in combinations(Standing, 2):
        report = Report(tuple(ReportRow(spec(str(n)), standing) for n, standing in enumerate(pair)))
        expected = (
            ExitStatus.JOB_FAILED
            if WRONG.intersection(pair)
            else ExitStatus.TRY_AGAIN
            if UNFINISHED.intersection(pair)
            else ExitStatus.OK
        )
        assert report.exit_status is expected


def test_totals_count_every_standing(queue: JobQueue, clock: ManualClock) -> None:
    finish(queue, "a", "b")
    totals = report_on(queue, [spec("a"), spec("b"), spec("c")], Shelf(), clock.now()).totals()

    assert totals.pop("jobs") == 3
    assert {name: count for name, count in totals.items() if count} == {"done": 2, "missing": 1}
    assert set(totals) == {standing.value for standing in Standing}


@pytest.mark.parametrize(
    ("provider", "advised"),
    [("local", "speak it anew: up --replace"), ("ssh", "speak it anew: enqueue --replace --wait")],
)
def test_a_changed_job_is_asked_for_again_by_a_command_that_works_here(
    queue: JobQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, provider: str, advised: str
) -> None:
    """`up` speaks on this machine alone, and refuses where PROVIDER names others."""
    monkeypatch.setenv("PROVIDER", provider)
    queue.enqueue([spec("a")])
    changed = replace(spec("a"), text="Something else.")

    (row,) = report_on(queue, [changed], Shelf(), clock.now(), again=wiring.here().again).rows

    assert row.standing is Standing.CHANGED
    assert row.reason is not None
    assert row.reason.endswith(advised)
