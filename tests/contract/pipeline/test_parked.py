"""P11: work that the queue does, ordered once whatever crashes, and collected when all of it is done."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lib.errors import BadInput, TryAgain, Unavailable
from lib.pipeline.claims import ClaimedTask, Parked, TaskReport, finish
from lib.pipeline.orchestration import recover
from lib.pipeline.parked_tasks import parked_tasks, tend_parked
from lib.pipeline.runs import advance, cancel_job
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of

QUEUED = dag_of(
    "queued",
    audio={"executor": "queue", "lane": "heavy", "retries": 2, "timeout": 100.0},
    other={"lane": "heavy"},
)


class Queue:
    """A queue in memory that does nothing by itself."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[str, Any]] = {}
        self.ordered: list[str] = []
        self.refuses: Exception | None = None
        self.dies_after_ordering = False
        self.no_room_for: str | None = None
        self.room = 1_000_000  # unfinished jobs

    def order(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        if self.refuses:
            raise self.refuses
        unfinished = {name for name, (state, _) in self.jobs.items() if state == "enqueued"}
        if self.no_room_for in specs or len(unfinished | set(specs)) > self.room:
            raise TryAgain("the queue is full")
        for request_id in specs:
            if request_id not in self.jobs:
                self.jobs[request_id] = ("enqueued", None)
                self.ordered.append(request_id)
        if self.dies_after_ordering:
            self.dies_after_ordering = False
            raise Unavailable("killed")

    def ask(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, Any]]:
        return {name: self.jobs[name] for name in request_ids if name in self.jobs}

    def cancel(self, request_ids: Sequence[str]) -> None:
        for name in request_ids:
            if name in self.jobs:
                self.jobs[name] = ("canceled", None)

    def end(self, state: str = "done", result: Any = None, *names: str) -> None:
        for name in names or list(self.jobs):
            self.jobs[name] = (state, result or {"audio": name})


@pytest.fixture
def queue() -> Queue:
    return Queue()


def park(floor: Floor, texts: Sequence[str] = ("one", "two")) -> ClaimedTask:
    """Claim the queue's stage and hand its jobs over."""
    (task,) = floor.claim(stages=["audio"])
    specs = {f"r1.audio.{task.attempt}.{i}": {"text": text} for i, text in enumerate(texts)}
    assert finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1") == []
    return task


def test_a_parked_task_holds_no_lease_no_lane_and_no_attempt(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    row = floor.task("audio")
    assert (row.state, row.lease_owner, row.lease_expires_at) == ("processing", None, None)
    floor.clock.advance(100 * LEASE_S)
    assert recover(floor.ledger) == []
    assert [task.name for task in floor.claim()] == ["other"]  # the lane is free
    tend_parked(floor.ledger, queue)
    assert [task.name for task in parked_tasks(floor.ledger)] == ["audio"]


def test_it_is_collected_by_a_worker_when_every_job_is_done(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    assert tend_parked(floor.ledger, queue) == []
    queue.end("done", None, "r1.audio.1.0")
    tend_parked(floor.ledger, queue)
    assert floor.claim(stages=["audio"]) == []

    queue.end()
    assert tend_parked(floor.ledger, queue) == [("r1", "audio")]
    (task,) = floor.claim(stages=["audio"])
    assert task.attempt == 1
    assert [job.result for job in task.jobs] == [{"audio": "r1.audio.1.0"}, {"audio": "r1.audio.1.1"}]
    assert floor.done(task)
    assert floor.trail()[1:] == [
        "stage_started:audio",
        "stage_parked:audio",
        "stage_unparked:audio",
        "stage_collecting:audio",
        "stage_completed:audio",
    ]


def test_after_a_crash_between_the_two_stores_the_jobs_are_ordered_once(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    queue.dies_after_ordering = True
    with pytest.raises(Unavailable):
        tend_parked(floor.ledger, queue)
    tend_parked(floor.ledger, queue)
    assert queue.ordered == ["r1.audio.1.0", "r1.audio.1.1"]
    queue.end()
    tend_parked(floor.ledger, queue)
    assert len(floor.claim(stages=["audio"])) == 1


def test_a_stage_with_more_jobs_than_the_queue_has_room_for_goes_through_it_in_portions(
    floor: Floor, queue: Queue
) -> None:
    floor.start(QUEUED)
    queue.room = 3
    park(floor, [str(number) for number in range(8)])

    for _ in range(5):
        with contextlib.suppress(TryAgain):
            tend_parked(floor.ledger, queue)
        queue.end()
    tend_parked(floor.ledger, queue)

    assert floor.claim(stages=["audio"])
    assert sorted(queue.ordered) == [f"r1.audio.1.{number}" for number in range(8)]


def test_jobs_that_the_queue_lost_are_ordered_again(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    queue.jobs.clear()
    tend_parked(floor.ledger, queue)
    tend_parked(floor.ledger, queue)
    assert len(queue.jobs) == 2


def test_a_job_that_fails_fails_the_attempt_and_the_next_one_orders_only_what_is_missing(
    floor: Floor, queue: Queue
) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    queue.end("done", None, "r1.audio.1.0")
    queue.end("failed", {"error": "no such voice", "failure_class": "transient"}, "r1.audio.1.1")
    tend_parked(floor.ledger, queue)
    row = floor.task("audio")
    assert (row.state, row.error) == ("failed", "the job r1.audio.1.1: no such voice")

    floor.clock.advance(3600.0)
    park(floor)
    tend_parked(floor.ledger, queue)
    assert queue.ordered[2:] == ["r1.audio.2.1"]
    queue.end("done", None, "r1.audio.2.1")
    tend_parked(floor.ledger, queue)
    (task,) = floor.claim(stages=["audio"])
    assert [job.result for job in task.jobs] == [{"audio": "r1.audio.1.0"}, {"audio": "r1.audio.2.1"}]


def test_a_specification_that_the_queue_refuses_kills_the_stage(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    queue.refuses = BadInput("the voice is unknown")
    tend_parked(floor.ledger, queue)
    row = floor.task("audio")
    assert (row.state, row.error) == ("dead", "the voice is unknown")


def test_waiting_in_line_does_not_count_against_the_time_and_work_does(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    floor.clock.advance(10_000.0)
    tend_parked(floor.ledger, queue)
    assert floor.states()["audio"] == "processing"

    queue.end("running", None, "r1.audio.1.0")
    tend_parked(floor.ledger, queue)
    floor.clock.advance(100.0)
    tend_parked(floor.ledger, queue)
    assert floor.states()["audio"] == "processing"
    floor.clock.advance(0.1)
    tend_parked(floor.ledger, queue)
    assert floor.states()["audio"] == "failed"
    tend_parked(floor.ledger, queue)
    assert {state for state, _ in queue.jobs.values()} == {"canceled"}


def test_cancel_goes_through_to_the_queue(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    cancel_job(floor.ledger, "r1", operator="ann")
    tend_parked(floor.ledger, queue)
    assert {state for state, _ in queue.jobs.values()} == {"canceled"}
    assert parked_tasks(floor.ledger) == []
    assert floor.state() == "canceled"


def test_a_collection_that_fails_is_tried_again_without_doing_the_jobs_again(
    floor: Floor, queue: Queue
) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    queue.end()
    tend_parked(floor.ledger, queue)
    (task,) = floor.claim(stages=["audio"])
    floor.fail(task, "the disk is full")
    (again,) = floor.claim(stages=["audio"])
    assert len(again.jobs) == 2
    assert floor.done(again)


def test_a_stage_made_anew_gives_its_jobs_anew(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED)
    park(floor)
    tend_parked(floor.ledger, queue)
    queue.end()
    tend_parked(floor.ledger, queue)
    (task,) = floor.claim(stages=["audio"])
    floor.done(task)
    advance(floor.ledger, "r1", operator="ann", stage="audio", instruction="slower")
    (fresh,) = floor.claim(stages=["audio"])
    assert (fresh.jobs, fresh.attempt) == ((), 2)


BELOW = dag_of("below", text={}, audio={"executor": "queue", "requires": ["text"]})


def parked_below(floor: Floor, queue: Queue) -> ClaimedTask:
    """A run whose queue's stage has its jobs done, and is to be collected."""
    floor.start(BELOW)
    (text,) = floor.claim()
    floor.done(text, "first")
    task = park(floor)
    tend_parked(floor.ledger, queue)
    queue.end()
    tend_parked(floor.ledger, queue)
    return task


@pytest.mark.parametrize("then", ["waits", "is at work", "failed"])
def test_jobs_made_from_what_is_run_anew_are_not_collected(floor: Floor, queue: Queue, then: str) -> None:
    parked_below(floor, queue)
    if then != "waits":
        (collecting,) = floor.claim()
        if then == "failed":
            floor.fail(collecting, pause_s=1000.0)
    advance(floor.ledger, "r1", operator="ann", stage="text", instruction="shorter")
    (text,) = floor.claim()
    floor.done(text, "second")
    (audio,) = floor.claim()
    assert (audio.inputs, audio.jobs, audio.attempt) == ({"text": "second"}, (), 2)


def test_a_stage_that_the_queue_has_no_room_for_keeps_nobody_else_waiting(floor: Floor, queue: Queue) -> None:
    floor.start(QUEUED, "r1")
    floor.start(QUEUED, "r2")
    (first,) = floor.claim(stages=["audio"], count=1)
    finish(floor.ledger, [TaskReport(first, Parked(specs={"large": {"text": "x"}}))], owner="ann:1")
    floor.clock.advance(1.0)
    (second,) = floor.claim(stages=["audio"])
    finish(floor.ledger, [TaskReport(second, Parked(specs={"small": {"text": "x"}}))], owner="ann:1")
    queue.no_room_for = "large"
    with pytest.raises(TryAgain):
        tend_parked(floor.ledger, queue)
    assert queue.ordered == ["small"]
    queue.end()
    with pytest.raises(TryAgain):
        tend_parked(floor.ledger, queue)
    assert [task.run for task in floor.claim(stages=["audio"])] == [second.run]
