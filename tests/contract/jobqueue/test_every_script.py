"""Every script of the queue, once, on a cluster, under Sentinel, over TLS and with a user of few rights.

What the scripts do is proved by the rest of this suite on each make of server. Here each has only to be
permitted, to find its keys in one slot, and to be answered with what it is answered elsewhere.
"""

from __future__ import annotations

from typing import Any

import pytest

from lib.jobqueue import ErrorClass, Failure, JobState, Placement, QueueOptions
from lib.jobqueue.admin.observed import BatchInLine
from lib.jobqueue.codec import intake
from lib.jobqueue.redis.queue import RedisQueue
from lib.jobqueue.redis.script_calls import ScriptCalls
from lib.jobqueue.redis.scripts import SCRIPTS
from lib.leadership.lock import LeaderLock
from lib.redislink.scripts import Script
from lib.redislink.transport import Transport
from lib.redislink.wire import Argument
from tests.contract.jobqueue.conftest import REACHED
from tests.contract.jobqueue.jobs import job
from tests.contract.jobqueue.kinds import Kinds


class Noting(Transport):
    """A transport that knows which scripts it ran."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.ran: set[str] = set()

    def evaluate(self, script: Script, *given: Any, **more: Any) -> Any:
        reply = super().evaluate(script, *given, **more)
        self.ran.add(script.name)
        return reply

    def write(self, *command: Argument) -> None:
        """Change a key past the scripts."""
        self.repeat(lambda: self.ask(*command))


@pytest.mark.parametrize("kind", REACHED)
def test_every_script_runs_and_is_answered(kinds: Kinds, kind: str) -> None:
    transport = Noting(kinds.url(kind))
    transport.greet()
    queue = RedisQueue(transport, QueueOptions(), chance=lambda: 1.0)

    one_life(queue, LeaderLock(transport, owner="ann"))
    staged(queue)
    if kind == "few-rights":
        kinds.permit_upkeep()
    kept_in_order(queue, transport)
    asked(queue)

    assert set(SCRIPTS.names()) - transport.ran == set()
    queue.close()


def one_life(queue: RedisQueue, lock: LeaderLock) -> None:
    """What the watcher does with jobs, each step with its answer."""
    queue.register_watcher("ann", {})
    assert len(queue.enqueue([job(name) for name in ("done", "failed", "back", "out")])) == 4
    leases = queue.claim("ann", count=4)
    assert [lease.request_id for lease in leases] == ["done", "failed", "back", "out"]
    done, failed, back, _ = (queue.begin(lease) for lease in leases)
    assert queue.assign([Placement(failed, "m1", "entry")]) == []
    assert lock.acquire() == 1
    assert lock.term is not None
    (failed,) = queue.adopt(lock.term, "bob", hosts=["m1"])
    assert queue.renew([done, failed, back]) == []
    queue.progress(done, {"percent": 1})
    assert queue.complete(done, {"ok": True}) > 0
    assert queue.fail(failed, Failure(ErrorClass.POISON, "It died.", host="m1", hosts=2)) is JobState.DELAYED
    assert queue.excuse("failed", "m1")
    queue.release(back, "drain")
    assert queue.cancel("out").state is JobState.CANCELED
    assert queue.retry(["out"])[0].state is JobState.WAITING
    queue.pause()
    assert queue.claim("ann") == []
    queue.resume()
    queue.wake()
    queue.remove_watcher("ann")
    assert queue.sweep() == (0, 0)
    snapshot = queue.snapshot()
    assert (snapshot.done, snapshot.waiting) == (1, 2)


def staged(queue: RedisQueue) -> None:
    """A file of several chunks, and a batch that is taken back."""
    assert len(queue.enqueue([job(f"many{number}") for number in range(600)])) == 600
    transport, keys, options = queue.parts()
    calls = ScriptCalls(transport, keys, options, None)
    assert calls.stage([intake(job("never"))], "b1", 60_000, first=True).word == "ok"
    assert calls.discard("b1", 10, own=True) == 0
    assert queue.job("never") is None
    assert queue.snapshot().waiting == 602
    assert queue.look_along(count=1000).batches == (BatchInLine("", 602, 0),)


def kept_in_order(queue: RedisQueue, transport: Noting) -> None:
    """What an operator does: damage of each kind is found and mended, a record forgotten, all deleted."""
    admin, keys = queue.admin(), queue.parts()[1]
    transport.write("HSET", keys["state"], "back", "no row")
    transport.write("XADD", keys["normal"], "*", "id", "stray")
    transport.write("HSET", keys["meta"], "publishing", 7)
    found = {misfit.kind for misfit in admin.misfits(mend=True)}
    assert {"damaged", "stray_entry", "wrong_counter"} <= found
    assert list(admin.misfits(mend=True)) == []
    record = queue.job("done")
    assert record is not None
    assert admin.forget([("done", record.lease_no)]) == ["done"]
    admin.flush(hard=False, force=True)
    assert queue.snapshot().outstanding == 0


def asked(queue: RedisQueue) -> None:
    """What `doctor` and `enqueue --durable` run: which rights there are, and a mark for the disk."""
    transport, keys, _ = queue.parts()
    assert queue.admin().inspector.refused(("EVAL return 1 KEY",)) == ()
    sync = SCRIPTS.load("sync")
    assert transport.evaluate(sync, keys.named(sync.keys), ("",)) == 1
