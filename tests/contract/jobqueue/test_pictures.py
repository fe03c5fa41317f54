"""A picture goes the way of any other job: what is asked for comes back whole, its record too (I7)."""

from __future__ import annotations

from typing import Any

from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState
from lib.jobspec import JobSpec, normalize_job_spec
from lib.records import DoneRecord, DrawnRecord, JobPicture, Timings
from tests.contract.jobqueue.jobs import job
from tests.doubles import records


def picture(**fields: Any) -> JobSpec:
    raw = {"output_name": "tides/pier", "kind": "image", "prompt": "A pier.", "width": 640, "height": 360}
    return normalize_job_spec(raw | {"seed": 7} | fields)


def done(spec: JobSpec) -> DoneRecord:
    file = records.file_ref("tides/pier.png", b"png", key="blobs/1")
    made = JobPicture(file, *spec.size, seed=7)
    record = DrawnRecord(spec.drawn_by, "", 7, 0.1, made, "2026-11-30T05:00:00.000Z", 0.0)
    return DoneRecord(record, Timings(0.0, 0.1, 0.0), "local")


def test_a_picture_is_leased_as_it_was_asked_for_and_its_record_is_kept(queue: JobQueue) -> None:
    spec = picture()
    queue.enqueue([job("a"), spec])
    leases = {lease.request_id: lease for lease in queue.claim("ann", count=2)}

    lease = queue.begin(leases[spec.request_id])
    assert lease.spec == spec
    queue.progress(lease, {"pieces_done": 0, "pieces": 1})
    queue.complete(lease, done(spec).to_json())

    finished = queue.result(spec.request_id)
    assert finished is not None
    assert (finished.state, finished.done()) == (JobState.DONE, done(spec))


def test_another_prompt_or_size_is_other_content(queue: JobQueue) -> None:
    queue.enqueue([picture()])

    assert picture().fingerprint == picture(priority="high", timeout_s=60).fingerprint
    others = [picture(prompt="A gull."), picture(width=648), picture(seed=8), picture(backend="mock")]
    assert len({spec.fingerprint for spec in (picture(), *others)}) == 5


def test_a_picture_that_failed_is_retried_and_one_that_waits_is_canceled(queue: JobQueue) -> None:
    first, second = picture(), picture(output_name="tides/gull")
    queue.enqueue([first])
    (lease,) = queue.claim("ann", count=1)
    queue.fail(queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "There is no backend."))
    queue.retry([first.request_id])
    queue.enqueue([second])
    queue.cancel(second.request_id)

    found = queue.jobs([first.request_id, second.request_id])
    states = [known.state if known else None for known in found]
    assert states == [JobState.WAITING, JobState.CANCELED]
