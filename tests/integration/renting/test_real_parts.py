"""The loop for rented machines with its real ledger, queue, lock and store (W3, W4, W15)."""

from __future__ import annotations

import pytest
import redis

from job_watcher.simulation.fault_schedule import Fault, Planned
from lib.jobqueue import JobState
from lib.market.stored import read_market
from lib.redislink.transport import Transport
from lib.storage import StoredArtifact
from tests.integration.renting.stage import LOCK_S, Stage, jobs
from tests.integration.servers import Server

COUNT = 6


def _a_batch_is_spoken(stage: Stage) -> None:
    specs = jobs(COUNT)
    stage.queue.enqueue(specs)
    stage.watcher("ann")

    stage.finish(COUNT)

    stage.check(COUNT)
    for spec in specs:
        found = stage.queue.result(spec.request_id)
        assert found is not None
        assert found.state is JobState.DONE
        done = found.done()
        assert done is not None
        for take in done.takes:
            assert stage.storage.stands(StoredArtifact.of(take.main), take.main.file)


def test_a_batch_goes_from_enqueue_to_done_and_the_machines_go_back(stage: Stage) -> None:
    """W9, W11: with the ledger in a SQLite file; it equals the market's bill to the micro-dollar."""
    _a_batch_is_spoken(stage)


def test_a_batch_goes_the_same_way_with_the_ledger_in_postgres(postgres_stage: Stage) -> None:
    """W9, W11."""
    _a_batch_is_spoken(postgres_stage)


class TestAStandby:
    def test_takes_over_from_a_leader_that_died_and_finishes_its_work(self, stage: Stage) -> None:
        """W15: within two lease times; work that is on a machine is adopted, not spoken again."""
        stage.queue.enqueue(jobs(COUNT))
        ann, bob = stage.watcher("ann"), stage.watcher("bob")
        stage.live(3600.0, lambda: stage.queue.snapshot().pending > 0)
        ann.alive = False
        died = stage.now()

        stage.live(3600.0, lambda: bob.reconciler.leading)

        assert stage.now() - died <= 2 * LOCK_S
        stage.finish(COUNT)
        stage.check(COUNT)
        assert stage.told("adopted")
        assert sum(lot.machine.finished for lot in stage.company.lots.values()) == COUNT

    def test_makes_no_provider_call_while_the_leader_lives(self, stage: Stage) -> None:
        """W15."""
        stage.queue.enqueue(jobs(COUNT))
        _, bob = stage.watcher("ann"), stage.watcher("bob")

        stage.finish(COUNT)

        assert bob.asked == []
        stage.check(COUNT)

    def test_takes_over_at_once_from_one_that_leaves_in_good_order(self, stage: Stage) -> None:
        """W15, W17."""
        stage.queue.enqueue(jobs(COUNT))
        ann, bob = stage.watcher("ann"), stage.watcher("bob")
        stage.live(3600.0, lambda: stage.queue.snapshot().pending > 0)

        ann.reconciler.leave()
        ann.alive = False
        stage.live(30.0, lambda: bob.reconciler.leading)

        assert bob.reconciler.leading
        stage.finish(COUNT)
        stage.check(COUNT)
        assert sum(lot.machine.finished for lot in stage.company.lots.values()) == COUNT


#: Where a pass may stand still with a check of the lock still before it. 120 s: the lock is taken over while
#: the leases of jobs last; 900 s: they are over, too.
STANDING = [
    (step, seconds)
    for step in (
        "queue.snapshot after",
        "ledger.open_rows after",
        "ledger.change after",
        "ledger.charge after",
        "provider.list after",
        "queue.begin after",
    )
    for seconds in (120.0, 900.0)
]


@pytest.mark.parametrize(("step", "seconds"), STANDING)
def test_a_leader_woken_after_the_take_over_asks_nobody_and_writes_nothing(
    stage: Stage, own_server: Server, step: str, seconds: float
) -> None:
    """W15: no provider call, and no change of any key of the server."""
    stage.queue.enqueue(jobs(COUNT))
    ann, bob = stage.watcher("ann"), stage.watcher("bob")
    stage.live(3600.0, lambda: stage.queue.snapshot().pending > 0)
    seen: dict[str, object] = {}

    def woken() -> None:
        assert bob.reconciler.leading
        seen.update(asked=list(ann.asked), keys=_everything(own_server))

    ann.stand_still_at(step, seconds, woken)
    stage.live(3600.0, lambda: bool(seen))

    assert ann.asked == seen["asked"]
    assert _everything(own_server) == seen["keys"]
    stage.finish(COUNT)
    stage.check(COUNT)


def _everything(server: Server) -> dict[bytes, bytes | None]:
    """All that the server holds."""
    with redis.Redis(unix_socket_path=str(server.socket_path), protocol=2) as client:
        return {key: client.dump(key) for key in client.scan_iter()}


CRASHES = [
    f"{call} {side}"
    for call in (
        "ledger.open_epoch",
        "ledger.plan",
        "provider.rent",
        "ledger.change",
        "queue.claim",
        "queue.begin",
        "queue.complete",
        "ledger.charge",
        "provider.destroy",
        "provider.bill",
        "ledger.note_host",
    )
    for side in ("before", "after")
]


@pytest.mark.parametrize("step", CRASHES)
def test_a_watcher_killed_at_any_boundary_is_succeeded_on_the_same_ledger(stage: Stage, step: str) -> None:
    """W3, W4: what it had asked for is adopted or concluded, and nothing is left or paid twice."""
    stage.queue.enqueue(jobs(COUNT))
    ann = stage.watcher("ann")
    ann.crash_at(step)
    stage.live(3600.0, lambda: not ann.alive)
    assert not ann.alive

    stage.watcher("bob")

    stage.finish(COUNT)
    stage.check(COUNT)
    assert max(stage.conditions.rents.values()) == 1


def test_a_machine_whose_rent_was_never_answered_is_adopted_by_its_label(stage: Stage) -> None:
    """W4."""
    stage.queue.enqueue(jobs(COUNT))
    ann = stage.watcher("ann")
    ann.crash_at("provider.rent after")
    stage.live(3600.0, lambda: not ann.alive)

    stage.watcher("bob")

    stage.finish(COUNT)
    assert [line.partition(":")[0] for line in stage.told("found")] == ["bob"]
    assert len(stage.company.lots) == 1


class TestTheMarket:
    def test_is_published_before_there_is_any_work(self, stage: Stage, own_server: Server) -> None:
        """A batch can be priced before it is enqueued, and nothing is rented for that."""
        stage.watcher("ann")

        stage.live(60.0)

        found = read_market(Transport(own_server.url))
        assert found is not None
        assert found.provider == "simulated"
        assert found.seen_at == pytest.approx(stage.now(), abs=60)
        assert {item.gpu for item in found.classes} <= {lot.gpu for lot in stage.company.hosts}
        assert all(0 < item.lowest_hourly_micros <= item.median_hourly_micros for item in found.classes)
        assert stage.company.lots == {}

    def test_carries_speeds_and_starts_once_they_were_measured(
        self, stage: Stage, own_server: Server
    ) -> None:
        stage.queue.enqueue(jobs(COUNT))
        stage.watcher("ann")

        stage.finish(COUNT)
        stage.live(3600.0)

        found = read_market(Transport(own_server.url))
        assert found is not None
        gpu = next(iter(stage.company.lots.values())).offer.gpu
        measured = next(item for item in found.classes if item.gpu == gpu)
        assert 0.05 < measured.speeds["hibari"] < 2.0
        assert measured.cold_start_s is not None
        assert 60 < measured.cold_start_s < 1500

    def test_is_looked_at_four_times_an_hour_when_there_is_nothing_to_do(self, stage: Stage) -> None:
        ann = stage.watcher("ann")

        stage.live(3 * 3600.0)

        assert 11 <= ann.asked.count("offers") / 2 <= 13

    def test_is_not_asked_for_again_at_once_when_nobody_answers(self, stage: Stage) -> None:
        ann = stage.watcher("ann")
        stage.conditions.active[Fault.REFUSING] = Planned(Fault.REFUSING, at=0.0)

        stage.live(3 * 3600.0)

        assert 11 <= ann.asked.count("offers") <= 13
        assert stage.conditions.violations == []

    def test_that_cannot_be_published_does_not_stop_the_work(self, stage: Stage, own_server: Server) -> None:
        with redis.Redis(unix_socket_path=str(own_server.socket_path), protocol=2) as client:
            client.execute_command("ACL", "SETUSER", "default", "-set")
        stage.queue.enqueue(jobs(COUNT))
        stage.watcher("ann")

        stage.finish(COUNT)

        stage.check(COUNT)
        assert any("market" in line or "permit" in line for line in stage.told("trouble"))
