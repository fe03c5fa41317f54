"""Pages of unfinished jobs, what had ended when, and the newest events: what the console's pages look at."""

from __future__ import annotations

import pytest

from lib.clock import ManualClock
from lib.errors import BadInput
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState
from lib.jobqueue.admin.observed import EndedJobs
from lib.jobqueue.redis.queue import RedisQueue
from tests.contract.jobqueue.jobs import job


def pages(queue: JobQueue, state: JobState | None, count: int) -> list[tuple[str, ...]]:
    found, behind = [], ""
    while True:
        page = queue.listed(state, behind, count=count)
        found.append(page.ids)
        behind = page.behind
        if not behind:
            return found


def all_of(queue: JobQueue, state: JobState | None, count: int = 3) -> list[str]:
    return [name for page in pages(queue, state, count) for name in page]


def test_waiting_jobs_come_in_the_order_of_the_line(queue: JobQueue) -> None:
    queue.enqueue([job("late", priority="low"), *(job(f"n{number}") for number in range(7))])
    queue.enqueue([job("first", priority="high")])

    assert all_of(queue, JobState.WAITING) == ["first", *(f"n{number}" for number in range(7)), "late"]
    assert max(map(len, pages(queue, JobState.WAITING, 3))) <= 3


def test_each_job_stands_under_its_own_state(queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue([job(name) for name in ("run", "back", "bad", "done", "out", "wait")])
    queue.enqueue([job("tomorrow", not_before=clock.now() + 86_400)])
    run, back, bad, done = queue.claim("ann", count=4)
    assert run.request_id == "run"
    queue.release(back, "drain")
    queue.fail(bad, Failure(ErrorClass.TRANSIENT, "Not now."))
    queue.complete(done, {})
    queue.cancel("out")

    assert all_of(queue, JobState.RUNNING) == ["run"]
    assert sorted(all_of(queue, JobState.WAITING)) == ["back", "wait"]
    assert all_of(queue, JobState.DELAYED) == ["bad", "tomorrow"]


def test_delayed_jobs_of_one_moment_are_each_listed_once(queue: JobQueue, clock: ManualClock) -> None:
    names = [f"n{number}" for number in range(8)]
    queue.enqueue([job(name, not_before=clock.now() + 60) for name in names])

    assert all_of(queue, JobState.DELAYED, 3) == names


def test_finished_jobs_come_from_the_latest_back(queue: JobQueue, clock: ManualClock) -> None:
    names = [f"n{number}" for number in range(9)]
    queue.enqueue([job(name) for name in names])
    for number, lease in enumerate(queue.claim("ann", count=9)):
        if number % 3:
            queue.complete(lease, {})
        else:
            queue.fail(lease, Failure(ErrorClass.BAD_INPUT, "No."))
        clock.advance(number // 3)  # the first ones end in the same millisecond

    wanted = [finished.request_id for finished in queue.history(limit=20)]
    for count in (1, 2, 4, 20):
        assert all_of(queue, None, count) == wanted
        assert all_of(queue, JobState.FAILED, count) == ["n6", "n3", "n0"]
        assert len(all_of(queue, JobState.DONE, count)) == 6


def test_a_page_that_was_left_goes_on_behind_it_though_its_jobs_are_gone(queue: JobQueue) -> None:
    queue.enqueue([job(f"n{number}") for number in range(6)])
    first = queue.listed(JobState.WAITING, count=3)
    for name in first.ids:
        queue.cancel(name)

    assert queue.listed(JobState.WAITING, first.behind, count=9).ids == ("n3", "n4", "n5")


def test_what_no_page_said_is_refused(queue: JobQueue) -> None:
    if isinstance(queue, RedisQueue):  # in memory a place is any text
        with pytest.raises(BadInput, match="is where no page of waiting jobs ended"):
            queue.listed(JobState.WAITING, "9:x")


def test_it_is_told_how_many_had_ended_when_and_how(queue: JobQueue, clock: ManualClock) -> None:
    begin = clock.now()
    queue.enqueue([job(name) for name in ("a", "b", "c")])
    clock.advance(10)
    queue.complete(queue.claim("ann")[0], {})
    clock.advance(10)
    queue.fail(queue.claim("ann")[0], Failure(ErrorClass.BAD_INPUT, "No."))
    queue.cancel("c")

    moments = (begin + 10, begin + 10.001, begin + 21)
    assert queue.ended(moments) == [EndedJobs(0, 0), EndedJobs(1, 0), EndedJobs(3, 2)]
    assert queue.ended([]) == []


def test_the_newest_events_come_in_order(queue: JobQueue) -> None:
    queue.enqueue([job(f"n{number}") for number in range(5)])

    assert [event.request_id for event in queue.latest_events(3)] == ["n2", "n3", "n4"]
    assert queue.latest_events(1)[0].id == queue.last_event_id()
