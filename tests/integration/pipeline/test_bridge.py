"""P11: parked tasks and a real queue, told apart and brought together again whatever crashes between them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from job_pipeline.bridge import Bridge, QueueWork
from lib.clock import ManualClock
from lib.errors import BadInput, TryAgain, Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, QueueOptions
from lib.jobqueue.memory.queue import MemoryQueue
from lib.pipeline.claims import Parked, TaskReport, finish
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.runs import cancel_job
from lib.sql import open_database
from tests.contract.pipeline.floor import Floor, dag_of

DAG = dag_of("queued", audio={"executor": "queue", "retries": 1})


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    database = open_database(f"sqlite:///{tmp_path / 'pipeline.db'}")
    clock = ManualClock()
    yield Floor(PipelineLedger(database, clock=clock), clock)
    database.close()


@pytest.fixture(params=["memory", "valkey"])
def queue(request: pytest.FixtureRequest) -> Iterator[JobQueue]:
    if request.param == "memory":
        opened: JobQueue = MemoryQueue()
    else:
        request.getfixturevalue("raw")  # an empty server
        from lib.jobqueue import connect

        opened = connect(request.getfixturevalue("redis_url"), QueueOptions())
    yield opened
    opened.close()


def park(floor: Floor, **beats: dict[str, Any]) -> None:
    floor.start(DAG)
    again(floor, **beats)


def again(floor: Floor, **beats: dict[str, Any]) -> None:
    (task,) = floor.claim()
    specs = {f"r1.audio.{task.attempt}.{name}": beat for name, beat in beats.items()}
    finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")


def beat(text: str) -> dict[str, Any]:
    return {"text": text, "speaker": "Ryan", "output_name": f"r1/{text}"}


def speak(queue: JobQueue, count: int = 1) -> list[str]:
    """A watcher that finishes jobs."""
    leases = queue.claim("watcher", count=count)
    for lease in leases:
        queue.complete(queue.begin(lease), {"audio": lease.request_id})
    return [lease.request_id for lease in leases]


def test_a_stage_is_done_when_the_queue_has_done_its_jobs(floor: Floor, queue: JobQueue) -> None:
    park(floor, one=beat("one"), two=beat("two"))
    work = QueueWork(queue)
    tend_parked(floor.ledger, work)
    assert sorted(speak(queue, 2)) == ["r1.audio.1.one", "r1.audio.1.two"]

    tend_parked(floor.ledger, work)

    (task,) = floor.claim()
    assert [job.result["audio"] for job in task.jobs] == ["r1.audio.1.one", "r1.audio.1.two"]
    floor.done(task)
    assert floor.state() == "completed"


def test_a_crash_after_each_single_write_to_either_store_changes_nothing_in_the_end(
    floor: Floor, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(floor, one=beat("one"), two=beat("two"))
    writes = {"left": 0}

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*values: Any, **named: Any) -> Any:
            answer = call(*values, **named)
            if writes["left"] == 0:
                raise Unavailable("killed")
            writes["left"] -= 1
            return answer

        return made

    monkeypatch.setattr(queue, "enqueue", dying(queue.enqueue))
    monkeypatch.setattr(floor.ledger, "change", dying(floor.ledger.change))
    spoken: list[str] = []
    for allowed in (0, 0, 1, 1, 2, 3, 50, 50):
        writes["left"] = allowed
        with contextlib.suppress(Unavailable):
            tend_parked(floor.ledger, QueueWork(queue))
        spoken += speak(queue)

    writes["left"] = 1000
    assert sorted(spoken) == ["r1.audio.1.one", "r1.audio.1.two"]
    (task,) = floor.claim()
    assert floor.done(task)


def test_a_job_that_ends_badly_is_told_with_its_reason(floor: Floor, queue: JobQueue) -> None:
    park(floor, one=beat("one"))
    work = QueueWork(queue)
    tend_parked(floor.ledger, work)
    (lease,) = queue.claim("watcher")
    queue.fail(queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "the text has no words"))
    tend_parked(floor.ledger, work)
    row = floor.task("audio")
    assert (row.state, row.error) == ("dead", "the job r1.audio.1.one: the text has no words")


def test_a_specification_without_a_text_kills_the_stage_before_anything_is_enqueued(
    floor: Floor, queue: JobQueue
) -> None:
    park(floor, one=beat("one"), two={"speaker": "Ryan"})
    tend_parked(floor.ledger, QueueWork(queue))
    row = floor.task("audio")
    assert row.state == "dead"
    assert "text" in (row.error or "")
    assert queue.claim("watcher") == []


def test_a_canceled_run_takes_its_jobs_from_the_queue(floor: Floor, queue: JobQueue) -> None:
    park(floor, one=beat("one"), two=beat("two"))
    work = QueueWork(queue)
    tend_parked(floor.ledger, work)
    cancel_job(floor.ledger, "r1", operator="ann")
    tend_parked(floor.ledger, work)
    states = [record.state for record in queue.jobs(["r1.audio.1.one", "r1.audio.1.two"]) if record]
    assert states == [JobState.CANCELED] * 2


def test_a_job_that_somebody_cancels_fails_the_attempt(floor: Floor, queue: JobQueue) -> None:
    park(floor, one=beat("one"))
    work = QueueWork(queue)
    tend_parked(floor.ledger, work)
    queue.cancel("r1.audio.1.one")
    tend_parked(floor.ledger, work)
    assert floor.task("audio").error == "the job r1.audio.1.one: it was canceled"


def test_the_same_id_with_other_content_is_no_job_of_ours(floor: Floor, queue: JobQueue) -> None:
    work = QueueWork(queue)
    work.order({"r1.audio.1.one": beat("another database's")})
    with pytest.raises(BadInput, match="share this queue"):
        work.order({"r1.audio.1.one": beat("ours")})


def test_a_full_queue_is_waited_for(floor: Floor) -> None:
    queue = MemoryQueue(QueueOptions(max_depth=1))
    park(floor, one=beat("one"), two=beat("two"))
    with pytest.raises(TryAgain, match="full"):
        tend_parked(floor.ledger, QueueWork(queue))
    assert floor.states() == {"audio": "processing"}


def test_a_bridge_hears_from_the_queue_and_needs_none_before_there_is_work(
    floor: Floor, queue: JobQueue
) -> None:
    opened, changed = threading.Event(), threading.Event()

    def open_queue() -> JobQueue:
        opened.set()
        return queue

    bridge = Bridge(floor.ledger, open_queue, told=changed.set)
    assert not bridge.tend()
    assert not opened.is_set()
    park(floor, one=beat("one"))
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        bridge.wake()
        assert opened.wait(20)
        while not speak(queue):
            pass
        while not (tasks := floor.claim()):  # one change tells that it was enqueued, another that it is done
            assert changed.wait(20)
            changed.clear()
    finally:
        bridge.stop()
        thread.join()
    assert len(tasks[0].jobs) == 1


def test_a_bridge_outlives_what_nobody_foresaw(floor: Floor, caplog: pytest.LogCaptureFixture) -> None:
    opened = threading.Event()
    queues: list[JobQueue | None] = [MemoryQueue(), None]

    def open_queue() -> JobQueue:
        found = queues.pop()
        if found is None:
            bridge.wake()  # so that the test need not wait for the pause
            raise ValueError("a fault of ours")
        opened.set()
        return found

    bridge = Bridge(floor.ledger, open_queue)
    park(floor, one=beat("one"))
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        assert opened.wait(20)
    finally:
        bridge.stop()
        thread.join()
    assert "a fault of ours" in caplog.text
