"""Many records at once, and jobs followed to their end (Q14, Q22)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lib.cli.moments import moment
from lib.clock import ManualClock, parse_rfc3339
from lib.errors import ExitStatus, UsageError
from lib.jobqueue import Event, FinishedJob, JobRecord, JobState, UnknownJob
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch, Followed, Vanished
from lib.jobs.history import read_history
from lib.jobs.report import report_on
from lib.jobs.results import ending_or_record
from tests.unit.jobs.jobs import Shelf, fail, finish, result, spec


class Counting(MemoryQueue):
    """Counts the looks, and the records that one of them gave at most."""

    looks = 0
    most = 0

    def result(self, request_id: str) -> FinishedJob | None:
        self.looks += 1
        return super().result(request_id)

    def results(self, request_ids: Sequence[str]) -> list[FinishedJob | None]:
        self.looks += 1
        return [MemoryQueue.result(self, request_id) for request_id in request_ids]

    def history(
        self,
        *,
        limit: int = 20,
        status: JobState | None = None,
        since: float | None = None,
        behind: FinishedJob | None = None,
    ) -> list[FinishedJob]:
        found = super().history(limit=limit, status=status, since=since, behind=behind)
        self.looks += 1
        self.most = max(self.most, len(found))
        return found


class TestManyRecords:
    def test_of_a_batch_come_from_one_look(self) -> None:
        queue = Counting()
        names = [f"j{n}" for n in range(120)]
        finish(queue, *names)

        assert [end.request_id for end in Followed(queue, names).results() if end] == names
        assert queue.looks == 1

    def test_of_a_report_come_from_one_look(self) -> None:
        queue = Counting()
        names = [f"j{n}" for n in range(120)]
        finish(queue, *names)
        queue.enqueue([spec("open")])

        report = report_on(queue, [spec(name) for name in [*names, "open", "missing"]], Shelf(), NOW)

        assert report.totals()["done"] == 120
        assert queue.looks == 1

    def test_of_the_history_come_newest_first(self) -> None:
        queue = MemoryQueue()
        finish(queue, "a")
        fail(queue, "b")

        assert {job.request_id for job in read_history(queue)} == {"a", "b"}
        assert [job.request_id for job in read_history(queue, status=JobState.FAILED)] == ["b"]

    def test_of_the_whole_history_come_a_page_at_a_time(self) -> None:
        queue = Counting()
        names = [f"j{n}" for n in range(1200)]
        finish(queue, *names)

        reading = read_history(queue)
        next(reading)
        assert queue.looks == 1, "what is not asked for yet is not read yet"
        seen = {job.request_id for job in reading}

        assert len(seen) == 1199
        assert queue.most <= 500

    def test_of_the_history_are_each_read_once_while_others_finish(self) -> None:
        queue = MemoryQueue()
        names = [f"j{n}" for n in range(600)]
        finish(queue, *names)
        seen = []
        for number, job in enumerate(read_history(queue)):
            seen.append(job.request_id)
            if number % 100 == 0:
                finish(queue, f"new{number}")

        assert sorted(seen) == sorted(names)


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


class TestTheEndingOfAJob:
    def test_that_comes_between_two_looks_is_found(self) -> None:
        class Late(MemoryQueue):
            def job(self, request_id: str) -> JobRecord | None:
                if super().result(request_id) is None:
                    (lease,) = self.claim("tests")
                    self.complete(self.begin(lease), result(request_id))
                return super().job(request_id)

        queue = Late()
        queue.enqueue([spec("a")])

        ended = ending_or_record(queue, "a")

        assert isinstance(ended, FinishedJob)
        assert ended.state is JobState.DONE

    def test_is_what_is_known_while_there_is_none(self) -> None:
        queue = MemoryQueue()
        queue.enqueue([spec("a")])

        assert isinstance(ending_or_record(queue, "a"), JobRecord)
        with pytest.raises(UnknownJob):
            ending_or_record(queue, "b")


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

    def test_ends_with_a_sentence_when_a_job_vanished_before_the_first_look(self) -> None:
        clock = ManualClock()

        with pytest.raises(Vanished, match="gone from the queue"):
            Followed(Scripted(clock), ["a"]).follow(lambda look: None, clock, timeout_s=30)

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
