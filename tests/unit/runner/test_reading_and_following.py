"""Many records at once, and jobs followed to their end (Q14, Q22)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from job_runner.batch import Batch, Followed, Vanished
from job_runner.moments import moment
from job_runner.reading import read_finished, read_history
from lib.clock import ManualClock, parse_rfc3339
from lib.errors import ExitStatus, UsageError
from lib.jobqueue import Event, FinishedJob, JobRecord, JobState
from lib.jobqueue.memory import MemoryQueue
from tests.unit.runner.jobs import fail, finish, result, spec


class Counting(MemoryQueue):
    """Counts the records asked for one by one."""

    singles = 0

    def result(self, request_id: str) -> FinishedJob | None:
        self.singles += 1
        return super().result(request_id)


class TestManyRecords:
    def test_come_from_few_looks_when_the_jobs_stand_together(self) -> None:
        queue = Counting()
        names = [f"j{n}" for n in range(120)]
        finish(queue, *names)

        found = read_finished(queue, [*names, "unknown"])

        assert set(found) == set(names)
        assert queue.singles == 0

    def test_are_complete_when_many_other_jobs_ended_since(self) -> None:
        queue = Counting()
        names = [f"j{n}" for n in range(60)]
        finish(queue, *names)
        finish(queue, *(f"other{n}" for n in range(200)))

        assert set(read_finished(queue, names)) == set(names)
        assert queue.singles > 0

    def test_of_a_few_jobs_do_not_read_the_history(self) -> None:
        queue = Counting()
        finish(queue, "a", "b")
        queue.enqueue([spec("open")])

        assert set(read_finished(queue, ["a", "open", "b"])) == {"a", "b"}
        assert queue.singles == 2

    def test_of_the_history_come_newest_first(self) -> None:
        queue = MemoryQueue()
        finish(queue, "a")
        fail(queue, "b")

        assert {job.request_id for job in read_history(queue)} == {"a", "b"}
        assert [job.request_id for job in read_history(queue, status=JobState.FAILED)] == ["b"]


class Scripted(MemoryQueue):
    """A queue in which something happens at each look for events."""

    def __init__(self, clock: ManualClock, *steps: object) -> None:
        super().__init__(now_ms=lambda: round(clock.now() * 1000))
        self.clock = clock
        self.steps = list(steps)
        self.forget = False

    def follow_events(self, after: str, *, block_s: float = 0.0, count: int = 500) -> list[Event]:
        step = self.steps.pop(0) if self.steps else None
        if step == "finish":
            for lease in self.claim("tests", count=10):
                self.complete(self.begin(lease), result(lease.request_id))
        elif step == "flush":
            self.forget = True
        events = super().follow_events(after, block_s=0.0, count=count) if step != "deaf" else []
        if not events:
            self.clock.advance(block_s)
        return events

    def jobs(self, request_ids: Sequence[str]) -> list[JobRecord | None]:
        return [None] * len(request_ids) if self.forget else super().jobs(request_ids)


class TestFollowing:
    def test_ends_when_every_job_has_and_says_so_as_it_goes(self) -> None:
        clock = ManualClock()
        queue = Scripted(clock, "quiet", "finish")
        queue.enqueue([spec("a"), spec("b")])
        seen: list[int] = []

        jobs = Followed(queue, ["a", "b", "a"])
        jobs.follow(lambda look: seen.append(look.settled), clock)

        assert seen[0] == 0
        assert seen[-1] == 2
        assert jobs.exit_status is ExitStatus.OK
        assert [end.request_id for end in jobs.results() if end] == ["a", "b"]

    def test_ends_at_its_timeout_with_75(self) -> None:
        clock = ManualClock()
        queue = Scripted(clock)
        queue.enqueue([spec("a")])
        started = clock.monotonic()

        jobs = Followed(queue, ["a"])
        jobs.follow(lambda look: None, clock, timeout_s=3.2)

        assert clock.monotonic() - started == pytest.approx(3.2)
        assert jobs.exit_status is ExitStatus.TRY_AGAIN

    def test_survives_lost_events_by_looking_again(self) -> None:
        clock = ManualClock()
        queue = Scripted(clock, "quiet", *["deaf"] * 3)
        queue.enqueue([spec("a")])
        jobs = Followed(queue, ["a"])
        finish_unheard = [False]

        def look(current: Followed) -> None:
            if not finish_unheard[0]:
                finish_unheard[0] = True
                (lease,) = queue.claim("tests")
                queue.complete(queue.begin(lease), result("a"))
                queue.steps[:] = ["deaf"] * 20

        jobs.follow(look, clock, timeout_s=30)

        assert jobs.finished

    def test_ends_with_a_sentence_when_a_job_vanishes(self) -> None:
        clock = ManualClock()
        queue = Scripted(clock, "quiet", "flush")
        queue.enqueue([spec("a")])

        with pytest.raises(Vanished, match="gone from the queue"):
            Followed(queue, ["a"]).follow(lambda look: None, clock)

    def test_of_a_batch_that_failed_is_1(self) -> None:
        queue = MemoryQueue()
        finish(queue, "a")
        fail(queue, "b")
        batch = Batch(queue, [spec("a"), spec("b")])
        batch.refresh()

        assert batch.exit_status is ExitStatus.JOB_FAILED


NOW = parse_rfc3339("2026-11-22T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"),
        ("2026-11-22T09:00:00+01:00", "2026-11-22T08:00:00Z"),
        ("2026-11-21", "2026-11-21T00:00:00Z"),
        ("90m", "2026-11-22T10:30:00Z"),
        ("36h", "2026-11-21T00:00:00Z"),
        ("7d", "2026-11-15T12:00:00Z"),
        ("1w", "2026-11-15T12:00:00Z"),
        ("30s", "2026-11-22T11:59:30Z"),
    ],
)
def test_times_are_typed_as_moments_days_or_spans(text: str, expected: str) -> None:
    """Q17, Q22."""
    assert moment(text, NOW) == parse_rfc3339(expected)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-11-22T09:00:00", "-1h", "1.5h", "7 d"])
def test_anything_else_is_no_time_and_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="36h"):
        moment(text, NOW)
