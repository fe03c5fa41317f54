"""A watcher killed in the middle of its work: what `status` says until another one goes on (Q16, Q25)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.jobqueue import JobQueue, QueueOptions
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobs.overview import Health, overview_of
from lib.jobspec import load_job_file
from lib.redislink.transport import Transport
from tests.e2e.desk import Desk
from tests.e2e.home import Home
from tests.left_workers import end_workers

LEASE_MS = "1000"
DEADLINE_S = 60.0
LONGER_THAN_A_WATCHER_COUNTS_AS_LIVE_S = 60


@pytest.fixture
def later(desk: Desk) -> Iterator[JobQueue]:
    """The same queue as it will look in a minute."""
    options = QueueOptions(prefix=desk.environ["JOBS_PREFIX"])

    def ahead() -> int:
        return time.time_ns() // 1_000_000 + LONGER_THAN_A_WATCHER_COUNTS_AS_LIVE_S * 1000

    with closing(RedisQueue(Transport(desk.environ["REDIS_URL"]), options, now_ms=ahead)) as queue:
        yield queue


def wait_for(desk: Desk, condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up, desk.queue.snapshot()
        desk.queue.follow_events(desk.queue.last_event_id(), block_s=0.05)


def kill_a_watcher_at_work(desk: Desk, lease_ms: str = LEASE_MS) -> None:
    """SIGKILL while a worker of it speaks; what it leaves is a lease."""
    long = desk.folder / "long.yaml"
    text = "This goes on and on. " * 6000
    long.write_text(f"- {{output_name: topic/long, speaker: Ryan, chunk: true, text: '{text}'}}\n")
    desk.queue.enqueue(load_job_file(long).specs)
    watcher = desk.start("run", program="job-watcher", WATCHER_LEASE_IDLE_MS=lease_ms, LOCAL_WORKERS="1")
    wait_for(desk, lambda: "begun" in [event.kind for event in desk.queue.follow_events("0")])
    watcher.kill()
    watcher.communicate()
    end_workers(desk.folder / ".local/share/job-runner")


def leave_a_lease_that_is_over(desk: Desk) -> None:
    kill_a_watcher_at_work(desk)
    wait_for(desk, lambda: desk.queue.snapshot().stale_pel)


def test_status_and_explain_see_at_once_that_a_watcher_of_this_machine_is_dead(desk: Desk) -> None:
    """Q49: not when its heartbeat is old, nor when its lease runs out."""
    kill_a_watcher_at_work(desk, lease_ms="600000")

    seen = desk.shaped("status")
    assert desk.queue.snapshot().lock_owner is not None  # by its heartbeat it lives
    assert (seen["verdict"], seen["lock_owner"], seen["stale_pel"]) == ("watcher_crashed", None, 0)
    assert seen["sentence"].startswith("1 job is leased, and nobody works: watcher ")
    assert "that watcher has ended" in desk.shaped("explain", "topic:long")["sentence"]


def test_status_says_that_a_watcher_stopped_and_who_reclaims_its_work(desk: Desk, later: JobQueue) -> None:
    """Q16, Q25: watcher dead with stale entries, made by killing one."""
    leave_a_lease_that_is_over(desk)

    seen = desk.shaped("status")
    assert (seen["verdict"], seen["stale_pel"], seen["pending"]) == ("watcher_crashed", 1, 1)
    assert seen["sentence"].startswith("1 lease has run out: a watcher stopped without finishing its work.")
    nobody = overview_of(later, server=False)
    assert (nobody.verdict, nobody.snapshot.lock_owner) == (Health.WATCHER_CRASHED, None)
    assert "Start a watcher (job-watcher run, or job-runner up); it reclaims the work." in nobody.sentence

    desk.start("run", program="job-watcher", WATCHER_LEASE_IDLE_MS="60000", LOCAL_WORKERS="1")

    wait_for(desk, lambda: not desk.queue.snapshot().stale_pel)
    assert desk.shaped("status")["verdict"] == "working"


def test_a_paused_queue_says_so_before_all_else_and_promises_nothing(desk: Desk, later: JobQueue) -> None:
    """Q16: while it is paused, nobody takes back what the dead one held."""
    leave_a_lease_that_is_over(desk)

    assert desk.run("pause").returncode == 0

    seen = desk.shaped("status")
    assert (seen["verdict"], seen["stale_pel"]) == ("paused", 1)
    assert seen["sentence"].startswith("The queue is paused with 1 outstanding. 1 lease has run out")
    assert "job-runner resume, and start a watcher" in overview_of(later, server=False).sentence
    assert later.claim("another") == []  # as it says: nothing is taken back

    assert desk.run("resume").returncode == 0
    assert [lease.request_id for lease in later.claim("another")] == ["topic:long"]


def test_one_that_begins_when_its_parent_has_ended_starts_no_server(tmp_path: Path) -> None:
    home = Home(tmp_path)
    done = home.run("run", "--exit-with-parent", program="job-watcher")  # nobody holds its input
    assert (done.returncode, done.stderr) == (0, "")
    assert not home.server_was_started()
