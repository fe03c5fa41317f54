"""Several watchers on one queue and one store: each job is done once in effect, whoever dies."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lib.jobqueue.redis.queue import RedisQueue
from lib.jobs.reconcile import reconcile
from lib.jobspec import JobSpec
from lib.redislink.transport import Transport
from tests.integration.cluster.conftest import LEASE_MS, Shared, name_of
from tests.integration.cluster.hosts import Host
from tests.integration.watcher.conftest import beats

A_WHILE_AFTER_PUBLISHING_S = 180


def test_a_computer_that_dies_in_the_midst_of_its_work_costs_no_job_and_doubles_none(shared: Shared) -> None:
    """W15: three computers, one queue, one store, and one of them is lost for good."""
    for host in shared.hosts:
        shared.start(host)
    shared.wait_for("all three watch", lambda: len(shared.queue.watchers()) == 3)
    specs = enqueued_until_all_have_work(shared, 12)
    shared.wait_for("one done", lambda: shared.events("done"))

    shared.hosts[0].dies()

    shared.wait_for("all done", lambda: shared.done(specs))
    shared.wait_for("names of what the living finished", lambda: missing(shared, specs) <= owed(shared))
    mended(shared)
    shared.assert_done_once(specs)
    assert all(host.drains() == 0 for host in shared.hosts[1:])


def enqueued_until_all_have_work(shared: Shared, count: int) -> list[JobSpec]:
    """So many jobs, and more where the first watchers have taken all before the last one came to it."""
    specs = beats(count, sentences=2)
    shared.queue.enqueue(specs)

    def all_have_work() -> bool:
        if len(shared.claimers()) < len(shared.hosts) and not shared.queue.snapshot().waiting:
            specs.append(beats(len(specs) + 1, sentences=2)[-1])
            shared.queue.enqueue(specs[-1:])
        return len(shared.claimers()) == len(shared.hosts)

    shared.wait_for("all have work", all_have_work)
    return specs


@pytest.mark.parametrize("store", ["folder"])
def test_what_a_lost_computer_still_owed_a_name_is_published_by_reconcile(
    shared: Shared, tmp_path: Path
) -> None:
    """It died between the record and the name, and its journal with it: nobody else owes that name."""
    specs = beats(1)
    outputs = tmp_path / "shared" / "outputs"
    outputs.parent.mkdir(exist_ok=True)
    outputs.write_text("a file where the folder of names should be")
    shared.queue.enqueue(specs)
    first, second, _ = shared.hosts
    shared.start(first)
    shared.wait_for("done", lambda: shared.done(specs))
    first.dies()
    outputs.unlink()
    shared.start(second)
    shared.wait_for("it looks after the queue", lambda: "working" in second.log)

    assert not shared.published(specs)
    mended(shared)

    shared.assert_done_once(specs)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", range(5))
def test_computers_that_die_are_replaced_and_are_cut_off_at_random_do_every_job_once(
    shared: Shared, seed: int
) -> None:
    """A cable that is pulled for longer than a lease, too: who comes back then can change nothing."""
    chance = random.Random(seed)
    specs = beats(60, sentences=2)
    shared.queue.enqueue(specs)
    for host in shared.hosts:
        shared.start(host)
    shared.wait_for("work", lambda: shared.events("done"))

    while not shared.done(specs):
        host = chance.choice(shared.hosts)
        if host.space and chance.random() < 0.5:
            trouble_with_the_cable(host, chance)
        else:
            host.dies()
            # On the same disk it would find what it had at hand, and count that as a death of its worker:
            # a job that two computers died of is poison, and nobody can tell a power cut from that.
            host.is_replaced()
            shared.start(host)
        wait_for_more(shared, specs)

    shared.wait_for("names", lambda: missing(shared, specs) <= owed(shared))
    mended(shared)
    shared.assert_done_once(specs)


def wait_for_more(shared: Shared, specs: Sequence[JobSpec]) -> None:
    """Until a job was done since, or all are."""
    before = len(shared.events("done"))
    shared.wait_for("more", lambda: len(shared.events("done")) > before or shared.done(specs))


def trouble_with_the_cable(host: Host, chance: random.Random) -> None:
    """Off for a while, which may be longer than a lease."""
    host.cut()
    time.sleep(chance.uniform(0.5, 2.0) * LEASE_MS / 1000)  # the others go on meanwhile
    host.mend()


def missing(shared: Shared, specs: Sequence[JobSpec]) -> set[str]:
    """The jobs without their name."""
    return {spec.request_id for spec in specs if not shared.storage.published(name_of(spec))}


def owed(shared: Shared) -> set[str]:
    """The jobs that a computer which is no more finished last: it may not have come to their names."""
    live = set()
    for host in shared.hosts:
        live |= {name for name in shared.claimers() if host.watcher and f"-{host.watcher.pid}-" in name}
    found = set()
    for request_id in shared.events("done"):
        job = shared.queue.result(request_id)
        if job is not None and job.consumer not in live:
            found.add(request_id)
    return found


def mended(shared: Shared) -> None:
    """What `job-runner reconcile --apply` does some minutes later."""

    def ahead() -> int:
        return time.time_ns() // 1_000_000 + A_WHILE_AFTER_PUBLISHING_S * 1000

    with closing(RedisQueue(Transport(shared.server_url), now_ms=ahead)) as later:
        assert reconcile(later, shared.storage, apply=True).left == 0
