"""A watcher records a job as done, then publishes it: between the two nothing is wrong (Q22)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.jobqueue import JobQueue, QueueOptions
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobs.reconcile import reconcile
from lib.records import DoneRecord, Timings
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job
from tests.doubles import records
from tests.integration.jobs.conftest import PREFIX, Yard

LONG_AGO_S = 130.0  # no watcher is still at its next step then


@pytest.fixture
def earlier(redis_url: str) -> Iterator[JobQueue]:
    """The same queue, as it was written to a while ago."""
    then = time.time_ns() // 1_000_000 - round(LONG_AGO_S * 1000)
    options = QueueOptions(prefix=PREFIX)
    with closing(RedisQueue(Transport(redis_url), options, now_ms=lambda: then)) as queue:
        yield queue


def recorded(yard: Yard, queue: JobQueue) -> Path:
    """End a job as done; returns where its watcher was to publish it next."""
    queue.enqueue([job("fresh")])
    (lease,) = queue.claim("w-9")
    audio = yard.stored("fresh.wav", b"fresh audio")
    record = DoneRecord(records.spoken(records.take(audio=audio)), Timings(0.0, 0.0, 0.0), "local")
    queue.complete(queue.begin(lease), record.to_json())
    return yard.folder / "store/outputs/fresh.wav"


def found(yard: Yard, *, apply: bool = True) -> list[tuple[str, str]]:
    findings = reconcile(yard.queue, yard.storage, apply=apply).findings
    return [(item.kind.id, item.subject) for item in findings]


def test_a_job_that_is_being_published_is_no_finding_and_left_to_its_watcher(raw_yard: Yard) -> None:
    output = recorded(raw_yard, raw_yard.queue)
    raw_yard.queue.register_watcher("w-9", {})

    assert found(raw_yard) == []

    assert not output.exists()


def test_a_file_that_is_missing_beside_it_is_found(raw_yard: Yard) -> None:
    raw_yard.finish("done")
    (raw_yard.folder / "store/outputs/done.wav").unlink()
    recorded(raw_yard, raw_yard.queue)
    raw_yard.queue.register_watcher("w-9", {})

    assert found(raw_yard) == [("R020", "done")]


def test_what_a_watcher_did_not_publish_in_time_is_found(raw_yard: Yard, earlier: JobQueue) -> None:
    output = recorded(raw_yard, earlier)
    raw_yard.queue.register_watcher("w-9", {})

    assert found(raw_yard) == [("R020", "fresh")]

    assert output.read_bytes() == b"fresh audio"


def test_what_a_dead_watcher_left_unpublished_is_found_at_once(raw_yard: Yard) -> None:
    recorded(raw_yard, raw_yard.queue)
    raw_yard.queue.register_watcher("w-8", {})

    assert found(raw_yard, apply=False) == [("R020", "fresh")]
