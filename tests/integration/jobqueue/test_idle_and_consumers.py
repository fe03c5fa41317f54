"""Idle workers: quiet, awake at once, and gone from the group when they are gone (Q30, Q40)."""

from __future__ import annotations

import threading
import time

import pytest
import redis

from lib.jobqueue import JobQueue, JobState, Lease, QueueOptions, connect
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.redislink.transport import Transport
from tests.contract.jobqueue.jobs import job


def until_blocked(raw: redis.Redis, count: int = 1) -> None:
    """Wait until that many clients wait for entries."""
    give_up = time.monotonic() + 10
    while raw.info("clients")["blocked_clients"] < count:
        assert time.monotonic() < give_up, "no worker came to wait"
        time.sleep(0.001)


def commands(raw: redis.Redis) -> int:
    """Commands carried out so far, those inside scripts included."""
    stats = raw.info("commandstats")
    return sum(entry["calls"] for name, entry in stats.items() if name not in ("cmdstat_info",))


def test_an_idle_worker_sends_under_two_commands_a_second(queue: JobQueue, raw: redis.Redis) -> None:
    worker = threading.Thread(target=lambda: queue.claim("ann", block_s=60))
    worker.start()
    until_blocked(raw)
    before, started = commands(raw), time.monotonic()
    time.sleep(1)  # the measure: what is sent in a second of doing nothing
    sent, passed = commands(raw) - before, time.monotonic() - started
    queue.wake()
    worker.join(10)

    assert sent / passed < 2


def test_a_whole_cycle_of_idling_stays_under_two_commands_a_second(queue: JobQueue, raw: redis.Redis) -> None:
    queue.claim("ann")
    before = commands(raw)
    queue.claim("ann")
    per_cycle = commands(raw) - before + 1  # and the blocking read

    assert per_cycle / 10 < 2, "a cycle is ten seconds"


def test_a_job_reaches_an_idle_worker_within_milliseconds(
    queue: JobQueue, raw: redis.Redis, redis_url: str
) -> None:
    producer = connect(redis_url)
    delays = []
    for number in range(20):
        got: list[tuple[float, list[Lease]]] = []

        def work(into: list[tuple[float, list[Lease]]] = got) -> None:
            leases = queue.claim("ann", block_s=30)
            into.append((time.monotonic(), leases))

        worker = threading.Thread(target=work)
        worker.start()
        until_blocked(raw)
        started = time.monotonic()
        producer.enqueue([job(f"j{number}")])
        worker.join(10)
        assert len(got[0][1]) == 1
        delays.append(got[0][0] - started)
    producer.close()

    assert sorted(delays)[10] < 0.05


@pytest.mark.parametrize("count", [1, 600])
def test_delayed_jobs_wake_a_worker_that_already_sleeps(
    queue: JobQueue, raw: redis.Redis, redis_url: str, count: int
) -> None:
    producer = connect(redis_url)
    got: list[Lease] = []
    worker = threading.Thread(target=lambda: got.extend(queue.claim("ann", block_s=30)))
    worker.start()
    until_blocked(raw)
    due = time.time() + 0.3
    producer.enqueue([job(f"j{number}", not_before=due) for number in range(count)])
    worker.join(10)
    late = time.time() - due
    producer.close()

    assert len(got) == 1
    assert 0 <= late < 2


def test_the_bell_is_rung_only_for_what_no_stream_tells(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    assert raw.exists("pab:jobs:bell") == 0

    queue.enqueue([job("later", not_before=4_000_000_000.0)])
    assert raw.xlen("pab:jobs:bell") == 1


def test_the_specification_goes_with_the_job_that_is_done_and_stays_for_a_retry(
    queue: JobQueue, raw: redis.Redis
) -> None:
    queue.enqueue([job("done"), job("canceled")])
    queue.complete(queue.claim("ann")[0], {})
    queue.cancel("canceled")

    assert raw.hkeys("pab:jobs:spec") == ["canceled"]


def test_the_bell_is_rung_when_a_running_job_is_canceled(queue: JobQueue, raw: redis.Redis) -> None:
    """The worker that holds it may be asleep; no stream tells it."""
    queue.enqueue([job("a")])
    queue.claim("ann")
    assert raw.exists("pab:jobs:bell") == 0

    queue.cancel("a")

    assert raw.xlen("pab:jobs:bell") == 1


def test_the_bell_is_rung_for_a_retried_job_that_is_not_due(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("now"), job("later", not_before=4_000_000_000.0)])
    queue.cancel("now")
    queue.cancel("later")
    raw.delete("pab:jobs:bell")

    queue.retry(["now"])
    assert raw.exists("pab:jobs:bell") == 0
    queue.retry(["later"])
    assert raw.xlen("pab:jobs:bell") == 1


@pytest.mark.parametrize("stored", ["no JSON", "[1]", "7", '{"not_before":"soon"}'])
def test_what_nobody_can_read_is_retried_and_left_to_a_worker(
    queue: JobQueue, raw: redis.Redis, stored: str
) -> None:
    queue.enqueue([job("odd")])
    queue.cancel("odd")
    raw.hset("pab:jobs:spec", "odd", stored)

    assert queue.retry(["odd"])[0].state is JobState.WAITING
    assert queue.claim("ann") == []  # found out
    assert [record.state for record in queue.jobs(["odd"]) if record] == [JobState.FAILED]


def test_an_expired_lease_wakes_a_worker_that_already_sleeps(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    queue.claim("dead", lease_ms=400)
    started = time.monotonic()

    (lease,) = queue.claim("ann", block_s=30)

    assert lease.lease_no == 2
    assert time.monotonic() - started < 5


def test_a_worker_that_already_sleeps_wakes_when_the_queue_is_resumed(
    queue: JobQueue, raw: redis.Redis
) -> None:
    queue.enqueue([job("a")])
    queue.pause()
    got: list[Lease] = []
    worker = threading.Thread(target=lambda: got.extend(queue.claim("ann", block_s=30)))
    worker.start()
    until_blocked(raw)
    queue.resume()
    worker.join(5)

    assert [lease.request_id for lease in got] == ["a"]


def test_a_worker_that_already_sleeps_is_unblocked_by_wake(queue: JobQueue, raw: redis.Redis) -> None:
    worker = threading.Thread(target=lambda: queue.claim("ann", block_s=60))
    worker.start()
    until_blocked(raw)
    queue.wake()
    worker.join(5)

    assert not worker.is_alive()


def test_an_idle_worker_writes_nothing_down(queue: JobQueue, raw: redis.Redis) -> None:
    queue.claim("ann")
    before = raw.info("persistence")["rdb_changes_since_last_save"]
    for _ in range(20):
        assert queue.claim("ann", count=3) == []

    assert raw.info("persistence")["rdb_changes_since_last_save"] == before


def test_only_a_repeated_call_looks_through_what_its_worker_holds(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    raw.config_resetstat()

    queue.claim("ann", count=2)

    assert "cmdstat_xpending" not in raw.info("commandstats")


def names(raw: redis.Redis) -> set[str]:
    return {str(item["name"]) for item in raw.xinfo_consumers("pab:jobs:stream", "watchers")}


def test_a_worker_that_leaves_takes_its_name_out_of_the_group(queue: JobQueue, raw: redis.Redis) -> None:
    queue.register_watcher("ann", {})
    queue.claim("ann")
    assert names(raw) == {"ann"}

    queue.remove_watcher("ann")

    assert names(raw) == set()


def test_a_name_that_still_holds_a_job_stays_and_so_does_the_job(queue: JobQueue, raw: redis.Redis) -> None:
    queue.enqueue([job("a")])
    (lease,) = queue.claim("ann")

    queue.remove_watcher("ann")

    assert names(raw) == {"ann"}
    queue.complete(lease, {})
    assert queue.snapshot().done == 1


def test_long_dead_names_are_swept_when_a_worker_starts(
    queue: JobQueue, raw: redis.Redis, redis_url: str
) -> None:
    queue.enqueue([job("a")])
    queue.claim("holder")
    queue.claim("dead")
    queue.claim("alive")
    queue.heartbeat_watcher("alive", {})
    transport = Transport(redis_url)
    faces = ScriptCalls(transport, Keys("pab:jobs"), QueueOptions(), None)
    faces.leave("", live_ms=20_000, idle_ms=60_000)
    assert names(raw) == {"holder", "dead", "alive"}, "none is idle for so long"
    faces.leave("", live_ms=20_000, idle_ms=0)
    transport.close()

    assert names(raw) == {"holder", "alive"}


def test_rows_dead_for_more_than_a_day_leave_the_registry(queue: JobQueue, raw: redis.Redis) -> None:
    now = time.time() * 1000
    row = '{{"started_ms":1,"seen_ms":{:.0f},"data":{{}}}}'
    raw.hset("pab:jobs:watcher", "old", row.format(now - 86_400_000 - 60_000))
    raw.hset("pab:jobs:watcher", "recent", row.format(now - 86_400_000 + 60_000))

    queue.register_watcher("new", {})

    assert set(raw.hkeys("pab:jobs:watcher")) == {"recent", "new"}


def test_many_workers_share_many_jobs_each_job_once(queue: JobQueue, redis_url: str) -> None:
    queue.enqueue([job(f"j{number}") for number in range(400)])
    taken: list[str] = []

    def work(name: str) -> None:
        own = connect(redis_url)
        while leases := own.claim(name, count=7):
            taken.extend(lease.request_id for lease in leases)
            assert None not in own.complete_many([(lease, {"by": name}) for lease in leases])
        own.close()

    workers = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert sorted(taken) == sorted(f"j{number}" for number in range(400))
    assert queue.snapshot().done == 400
