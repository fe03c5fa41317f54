"""What `flush` deletes and what it leaves (Q21), and `--durable`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from lib.errors import BadConfiguration
from lib.jobqueue import JobState, Outcome, QueueOptions, connect
from lib.jobqueue.codec import intake
from lib.jobqueue.errors import JobsHeld
from lib.jobqueue.redis.durability import Durability, NotDurable
from lib.jobqueue.redis.inspection import Inspector
from lib.jobqueue.redis.keys import Keys
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.jobqueue.redis.upkeep import upkeep_of
from lib.redislink.transport import Transport
from lib.redislink.wire import Command
from tests.contract.jobqueue.jobs import job
from tests.integration.jobs.conftest import Yard
from tests.integration.servers import Server

UNFINISHED = ("again", "returned", "running", "waiting", "later", "first")
KEPT = {"calls", "result", "failed", "history", "history:failed", "state", "spec", "meta"}


def test_flush_is_refused_while_a_watcher_holds_a_job_and_deletes_nothing(yard: Yard) -> None:
    """Q21."""
    before = yard.upkeep.inspector.sizes()

    with pytest.raises(JobsHeld, match="1 job is leased"):
        yard.upkeep.flush(hard=False, force=False)
    with pytest.raises(JobsHeld):
        yard.upkeep.flush(hard=True, force=False)

    assert yard.upkeep.inspector.sizes() == before


def test_a_lease_that_ran_out_is_nobody_holding_a_job(raw_yard: Yard) -> None:
    """Q21."""
    raw_yard.queue.enqueue([job("a")])
    raw_yard.queue.claim("w-1", lease_ms=1)
    while not raw_yard.queue.snapshot().stale_pel:
        pass

    assert raw_yard.upkeep.flush(hard=False, force=False).jobs == 1


def test_flush_deletes_unfinished_jobs_and_keeps_the_finished(yard: Yard) -> None:
    """Q21."""
    flushed = yard.upkeep.flush(hard=False, force=True)

    assert (flushed.jobs, flushed.leased) == (len(UNFINISHED), 1)
    assert [yard.queue.job(name) for name in UNFINISHED] == [None] * len(UNFINISHED)
    names = ("done", "failed", "canceled")
    assert [record.state.value for name in names if (record := yard.queue.result(name))] == list(names)
    assert len(yard.queue.history()) == 3
    left = {item.key.removeprefix("pab:jobs:") for item in yard.upkeep.inspector.sizes()}
    assert left <= KEPT
    shot = yard.queue.snapshot()
    assert (shot.outstanding, shot.done, shot.failed, shot.canceled) == (0, 1, 1, 1)
    assert list(yard.upkeep.misfits(mend=False)) == []


def test_after_a_flush_finished_jobs_are_duplicates_and_others_new(yard: Yard) -> None:
    """Q21."""
    yard.upkeep.flush(hard=False, force=True)

    outcomes = yard.queue.enqueue([job("done"), job("failed"), job("canceled"), job("waiting")])

    assert [item.outcome for item in outcomes] == [Outcome.DUPLICATE] * 3 + [Outcome.CREATED]
    assert [lease.request_id for lease in yard.queue.claim("w-2", count=5)] == ["waiting"]
    assert yard.queue.retry(["failed"])[0].retried


@pytest.mark.parametrize("hard", [False, True])
def test_enqueue_and_claim_work_straight_after_a_flush_even_of_a_paused_queue(yard: Yard, hard: bool) -> None:
    """Q21."""
    yard.queue.pause()

    yard.upkeep.flush(hard=hard, force=True)

    yard.queue.enqueue([job(f"new-{name}", priority=name) for name in ("high", "normal", "low")])
    assert len(yard.queue.claim("w-2", count=5)) == 3
    assert list(yard.upkeep.misfits(mend=False)) == []


@pytest.mark.parametrize("hard", [False, True])
def test_a_worker_whose_job_was_flushed_can_write_nothing_any_more(yard: Yard, hard: bool) -> None:
    """Q21, Q33."""
    yard.queue.enqueue([job("mine")])
    lease = next(item for item in yard.queue.claim("w-2", count=9) if item.request_id == "mine")

    yard.upkeep.flush(hard=hard, force=True)

    assert yard.queue.renew([lease]) == [lease]
    assert yard.queue.complete_many([(lease, {})]) == [None]
    assert yard.queue.job("mine") is None
    assert list(yard.upkeep.misfits(mend=False)) == []


@pytest.mark.parametrize("hard", [False, True])
def test_keys_outside_the_prefix_are_never_touched(yard: Yard, hard: bool) -> None:
    """Q21."""
    before = sorted(keys_of_others(yard))

    yard.upkeep.flush(hard=hard, force=True)

    assert sorted(key for key in yard.raw.keys("*") if not key.startswith("pab:jobs:")) == before
    assert len(before) > 10


def keys_of_others(yard: Yard) -> list[str]:
    """Keys that look alike and belong to others; one whole queue among them."""
    for key in ("pab:jobs2:state", "pab:jobsx", "pab:jobs", "pab:job", "xpab:jobs:state", "pab:jobs-stream"):
        yard.raw.set(key, "theirs")
    url = f"unix://{yard.raw.connection_pool.connection_kwargs['path']}"
    queue = connect(url, QueueOptions(prefix="pab:jobsq"))
    queue.enqueue([job("theirs"), job("later", not_before=4_000_000_000.0)])
    queue.close()
    return [key for key in yard.raw.keys("*") if not key.startswith("pab:jobs:")]


def test_hard_leaves_no_key_under_the_prefix(yard: Yard) -> None:
    """Q21."""
    yard.raw.set(yard.key("left-by-somebody"), "x")
    yard.raw.hset(yard.key("lock"), "epoch", 3)
    yard.queue.register_watcher("w-1", {})

    yard.upkeep.flush(hard=True, force=True)

    assert yard.raw.keys("pab:jobs:*") == []


def test_soft_leaves_what_it_does_not_know_and_who_watches(yard: Yard) -> None:
    """Q21."""
    yard.raw.set(yard.key("left-by-somebody"), "x")
    yard.raw.hset(yard.key("lock"), "epoch", 3)
    yard.queue.register_watcher("w-1", {})

    yard.upkeep.flush(hard=False, force=True)

    assert yard.raw.exists(*map(yard.key, ("left-by-somebody", "lock", "watcher"))) == 3


def test_a_flush_that_was_killed_in_the_middle_is_finished_by_the_next(yard: Yard) -> None:
    """Q21."""
    yard.upkeep._run("flush", "", "soft", "1")  # the first step only
    assert yard.queue.claim("w-2", count=9) == []

    yard.upkeep.flush(hard=False, force=False)

    assert [yard.queue.job(name) for name in UNFINISHED] == [None] * len(UNFINISHED)
    assert list(yard.upkeep.misfits(mend=False)) == []


def test_a_renewal_between_the_two_steps_brings_nothing_back(yard: Yard) -> None:
    """Q21, Q33."""
    yard.queue.enqueue([job("mine")])
    lease = next(item for item in yard.queue.claim("w-2", count=9) if item.request_id == "mine")

    yard.upkeep._run("flush", "", "soft", "1")  # the first step only

    assert yard.queue.renew([lease]) == [lease]
    assert yard.queue.job("mine") is None


def test_a_file_that_is_being_enqueued_since_the_flush_stays(yard: Yard) -> None:
    """Q21."""
    assert isinstance(yard.queue, RedisQueue)
    faces = ScriptCalls(*yard.queue.parts(), None)
    yard.upkeep._run("flush", "", "soft", "1")
    faces.stage([intake(job("staged"))], "00000000000000aa", 30_000, first=True)

    assert yard.upkeep._run("flush_rows", "staged") == 0


def test_a_file_that_was_being_enqueued_is_gone_with_its_lists(yard: Yard) -> None:
    """Q21."""
    assert isinstance(yard.queue, RedisQueue)
    faces = ScriptCalls(*yard.queue.parts(), None)
    faces.stage([intake(job("staged"))], "00000000000000aa", 30_000, first=True)

    yard.upkeep.flush(hard=False, force=True)

    assert not yard.raw.hexists(yard.key("state"), "staged")
    assert not yard.raw.hexists(yard.key("spec"), "staged")
    assert not yard.raw.exists(yard.key("batch:00000000000000aa"))
    assert faces.commit("00000000000000aa", 30_000, 100) == "lost"


def test_a_job_that_finished_since_the_flush_stays_known(yard: Yard) -> None:
    """Q21."""
    assert yard.upkeep._run("flush_rows", "done", "failed", "canceled", "nobody") == 0

    assert yard.queue.result("done") is not None
    assert list(yard.upkeep.misfits(mend=False)) == []


def test_a_finished_job_is_not_taken_along_by_a_lease_that_was_left_over(raw_yard: Yard) -> None:
    """Q21."""
    raw_yard.finish("done")
    raw_yard.raw.zadd(raw_yard.key("leases"), {"done": 1, "nobody": 1})

    raw_yard.upkeep.flush(hard=False, force=False)

    assert raw_yard.queue.job("done") is not None
    assert list(raw_yard.upkeep.misfits(mend=False)) == []


def test_a_running_job_without_a_lease_goes_too(yard: Yard) -> None:
    """Q21."""
    yard.raw.zrem(yard.key("leases"), "running")

    yard.upkeep.flush(hard=False, force=False)

    assert yard.queue.job("running") is None


def test_a_job_that_points_to_no_entry_goes_too(yard: Yard) -> None:
    """Q21."""
    yard.unlink_entry("waiting")

    yard.upkeep.flush(hard=False, force=True)

    assert yard.queue.job("waiting") is None


def test_a_job_left_behind_is_not_saved_by_anothers_entry_of_the_same_id(yard: Yard) -> None:
    """Q21. A stream made anew in the same millisecond gives ids again."""
    entry = yard.entry_of("waiting")
    yard.upkeep._run("flush", "", "soft", "1")
    yard.raw.xadd(yard.key("stream"), {"id": "other"}, id=entry)

    assert yard.upkeep._run("flush_rows", "waiting") == 1


def test_jobs_enqueued_while_a_flush_runs_stay_whole(yard: Yard, redis_url: str) -> None:
    """Q21."""
    queue = connect(redis_url, QueueOptions(prefix="pab:jobs"))
    stop = threading.Event()
    accepted: list[str] = []

    def produce() -> None:
        while not stop.is_set():
            name = f"busy-{len(accepted)}"
            queue.enqueue([job(name)])
            accepted.append(name)

    producer = threading.Thread(target=produce)
    producer.start()
    for _ in range(5):
        yard.upkeep.flush(hard=False, force=True)
    stop.set()
    producer.join()
    queue.close()

    assert list(yard.upkeep.misfits(mend=False)) == []
    states = [record.state for name in accepted if (record := yard.queue.job(name))]
    assert set(states) <= {JobState.WAITING}
    assert yard.queue.snapshot().waiting == len(states)


# --- enqueue --durable --------------------------------------------------------------------------------


def test_durable_jobs_survive_a_kill_right_after_the_call(own_server: Server) -> None:
    own_server.kill()
    own_server.start()
    queue = connect(own_server.url, QueueOptions())
    durability = upkeep_of(queue).durability
    durability.require()
    queue.enqueue([job("a")])

    assert durability.wait() == "on the server's disk"

    own_server.kill()
    own_server.start()
    assert queue.job("a") is not None
    queue.close()


def test_durable_is_refused_before_anything_is_enqueued_where_there_is_no_file(raw_yard: Yard) -> None:
    with pytest.raises(BadConfiguration, match="appendonly"):
        raw_yard.upkeep.durability.require()


class _ConfirmsNothing(Transport):
    """A server whose disk has taken nothing by the time that WAITAOF gives up."""

    def in_order(self, *commands: Command) -> list[Any]:
        return [1, [0, 0]]


class _WithoutWaitaof(Inspector):
    """A server that has no WAITAOF, as before Redis 7.2."""

    def refused(self, commands: Sequence[str]) -> tuple[str, ...]:
        return ("WAITAOF",)

    def knows(self, command: str) -> bool:
        return False


def test_a_server_that_does_not_confirm_is_not_believed(own_server: Server) -> None:
    transport, keys = _ConfirmsNothing(own_server.url), Keys(QueueOptions().prefix)
    durability = Durability(transport, keys, Inspector(transport, keys))

    with pytest.raises(NotDurable, match="run the same command again"):
        durability.wait()
    transport.close()


def test_a_server_without_waitaof_is_trusted_only_when_it_syncs_every_write(
    own_server: Server,
) -> None:
    transport, keys = Transport(own_server.url), Keys(QueueOptions().prefix)
    durability = Durability(transport, keys, _WithoutWaitaof(transport, keys))
    with pytest.raises(BadConfiguration, match="has neither"):
        durability.require()

    transport.ask("CONFIG", "SET", "appendfsync", "always")
    durability.require()

    assert "every write" in durability.wait()
    transport.close()
