"""Specifications and times for tests."""

from __future__ import annotations

from typing import Any

import pytest

from lib.jobqueue import FinishedJob, JobQueue, JobRecord, JobSpec, Lease


def moment(seconds: float) -> Any:
    """Equal to a time or duration to the millisecond; pytest's own tolerance would be half an hour."""
    return pytest.approx(seconds, rel=0, abs=0.001)


def job(request_id: str, **fields: Any) -> JobSpec:
    """A specification with that id; further fields by name."""
    base: dict[str, Any] = {
        "output_name": request_id.replace(":", "/"),
        "text": f"This is {request_id}.",
        "speaker": "Ryan",
    }
    return JobSpec(request_id=request_id, **{**base, **fields})


def known(queue: JobQueue, request_id: str = "a") -> JobRecord:
    record = queue.job(request_id)
    assert record is not None
    return record


def finished(queue: JobQueue, request_id: str = "a") -> FinishedJob:
    found = queue.result(request_id)
    assert found is not None
    return found


def claimed(queue: JobQueue, consumer: str = "ann") -> Lease:
    (lease,) = queue.claim(consumer)
    return lease
