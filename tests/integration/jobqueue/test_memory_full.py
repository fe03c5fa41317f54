"""What works, and what is refused in which words, when the server's memory is full (Q37)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import redis

from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, ServerFull, connect
from lib.jobqueue.redis.upkeep import upkeep_of
from tests.contract.jobqueue.jobs import job
from tests.integration.servers import Server
from tests.integration.topologies import binary_of, client


@pytest.fixture(scope="module", params=["valkey", "redis-7"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Redis 7.0 refuses more than later servers do."""
    made = Server(binary=binary_of(request.param))
    made.start()
    yield made
    made.remove()


@pytest.fixture
def admin(server: Server) -> Iterator[redis.Redis]:
    with contextlib.closing(client(server)) as made:
        made.config_set("maxmemory", 0)
        made.flushall()
        yield made
        made.config_set("maxmemory", 0)


@pytest.fixture
def full(server: Server, admin: redis.Redis) -> Iterator[JobQueue]:
    """A queue with a failed job and six that wait, whose server has no memory left."""
    with contextlib.closing(connect(server.url, patience_s=5)) as queue:
        queue.enqueue([job("bad")])
        (lease,) = queue.claim("ann")
        queue.fail(queue.begin(lease), Failure(ErrorClass.BAD_INPUT, "no"))
        queue.enqueue([job(f"j{number}") for number in range(6)])
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", 1)
        yield queue


@pytest.mark.parametrize("count", [1, 600])
def test_new_jobs_are_refused_in_words(full: JobQueue, admin: redis.Redis, count: int) -> None:
    with pytest.raises(ServerFull, match="no memory left for new jobs, nothing was enqueued"):
        full.enqueue([job(f"new{number}") for number in range(count)])
    admin.config_set("maxmemory", 0)
    assert full.job("new0") is None


def test_a_refused_retry_does_not_speak_of_enqueueing(full: JobQueue) -> None:
    with pytest.raises(ServerFull, match="no memory left for this, so nothing was changed") as caught:
        full.retry(["bad"])
    assert "enqueue" not in str(caught.value)


def test_running_work_goes_on_and_ends(full: JobQueue) -> None:
    leases = full.claim("ann", count=5)
    assert len(leases) == 5
    begun = [full.begin(lease) for lease in leases]
    assert full.renew(begun) == []
    full.progress(begun[0], {"percent": 5})
    full.complete(begun[0], {"ok": True})
    assert full.fail(begun[1], Failure(ErrorClass.TRANSIENT, "no")) is JobState.DELAYED
    assert full.fail(begun[2], Failure(ErrorClass.BAD_INPUT, "no")) is JobState.FAILED
    full.release(begun[3], "drain")
    assert full.cancel(begun[4].request_id).canceled
    full.heartbeat_watcher("w", {})
    assert full.snapshot().done == 1


def test_all_that_only_reads_still_reads(full: JobQueue) -> None:
    record, failed = full.job("j0"), full.result("bad")

    assert record is not None
    assert record.state is JobState.WAITING
    assert failed is not None
    assert [item.request_id for item in full.history()] == ["bad"]
    assert [item.state for item in full.jobs(["j1", "bad"]) if item] == [JobState.WAITING, JobState.FAILED]
    assert full.results(["bad", "j1"]) == [failed, None]
    assert full.snapshot().waiting == 6
    assert full.nearest("bod") == ("bad",)
    upkeep = upkeep_of(full)
    place = upkeep.inspector.place("j1")
    assert place is not None
    assert place.ahead == 1
    assert upkeep.inspector.server().maxmemory == 1
    assert list(upkeep.misfits(mend=False)) == []


def test_a_job_can_be_withdrawn_and_the_queue_stopped(full: JobQueue) -> None:
    assert full.cancel("j0").canceled
    full.pause()
    assert full.snapshot().paused
    full.resume()
