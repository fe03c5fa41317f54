"""What `up` and `enqueue --wait` say beside the table of results."""

from __future__ import annotations

import pytest

from job_runner.display.results import show_results
from lib.clock import ManualClock
from lib.jobqueue import ErrorClass, Failure, JobQueue
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobs.follow import Batch
from lib.jobs.results import result_rows
from tests.unit.jobs.jobs import Shelf, spec


@pytest.fixture
def queue() -> JobQueue:
    clock = ManualClock()
    return MemoryQueue(now_ms=lambda: round(clock.now() * 1000))


def told(queue: JobQueue, capsys: pytest.CaptureFixture[str], *names: str) -> str:
    batch = Batch(queue, [spec(name) for name in names])
    batch.refresh()
    show_results(result_rows(batch, Shelf()))
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("error_class", "way"),
    [
        (ErrorClass.TRANSIENT, "a is failed, see job-runner result a; job-runner retry a tries it again"),
        (ErrorClass.BAD_INPUT, "so mend the job and enqueue it with --replace"),
        (ErrorClass.CANCELED, "a is canceled, see job-runner result a; job-runner retry a puts it back"),
    ],
)
def test_of_a_job_that_ended_without_audio_it_is_said_what_puts_it_back(
    queue: JobQueue, capsys: pytest.CaptureFixture[str], error_class: ErrorClass, way: str
) -> None:
    queue.enqueue([spec("a", max_attempts=1)])
    if error_class is ErrorClass.CANCELED:
        queue.cancel("a")
    else:
        (lease,) = queue.claim("w")
        queue.fail(queue.begin(lease), Failure(error_class, "It did not work."))

    assert way in told(queue, capsys, "a")
