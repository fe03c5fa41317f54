"""Jobs on two machines while the watcher is killed, connections are cut and a server is switched off.

All are done once in effect, every artifact is what its record says, and nothing is left on the machines.
"""

from __future__ import annotations

import hashlib
import random
import signal
import time
from functools import partial

import pytest

from tests.integration.fleet.conftest import FleetDeployment
from tests.integration.watcher.conftest import beats
from tests.warm.process import WarmProcess


def storm(fleet: FleetDeployment, *, jobs: int, troubles: int, seed: int) -> None:
    """Have `jobs` done through `troubles`, then see that everything is as if there had been none."""
    chance = random.Random(seed)
    specs = beats(jobs, sentences=2)
    ids = [spec.request_id for spec in specs]
    fleet.enqueue(specs)
    watcher = fleet.start()
    for number in range(troubles):
        wanted = min(jobs - 1, (number + 1) * jobs // (troubles + 1))
        fleet.wait_for(f"{wanted} done", partial(has_done, fleet, wanted))
        watcher = trouble(fleet, watcher, chance, number)
    fleet.wait_until_done(specs)
    check_artifacts(fleet, ids)
    assert len(fleet.events("done")) == jobs
    for machine in fleet.machines:  # whoever was off is on again: what it has left to do, it drops
        machine.start_if_off()
    fleet.wait_for("all back", lambda: fleet.stages() == ["ready"] * len(fleet.machines))
    fleet.wait_for("spools empty", lambda: not leftovers(fleet))
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(60) == 0, fleet.log()
    fleet.wait_for(
        "the shells of closed connections end",
        lambda: not any(machine.processes() for machine in fleet.machines),
    )
    assert leftovers(fleet) == []


def has_done(fleet: FleetDeployment, wanted: int) -> bool:
    """Whether so many jobs are done."""
    return fleet.queue.snapshot().done >= wanted


def trouble(fleet: FleetDeployment, watcher: WarmProcess, chance: random.Random, number: int) -> WarmProcess:
    """One trouble; the watcher that works after it. The first three are one of each kind."""
    kind = number if number < 3 else chance.randrange(3)
    time.sleep(chance.random() * 0.5)  # somewhere in the midst of the work
    machine = chance.choice(fleet.machines)
    if kind == 0:
        watcher.kill()
        watcher.wait()
        return fleet.start()
    if kind == 1:
        machine.cut()
    elif machine.is_on and all(each.is_on for each in fleet.machines):
        machine.stop()
    else:
        for each in fleet.machines:
            each.start_if_off()
    return watcher


def check_artifacts(fleet: FleetDeployment, ids: list[str]) -> None:
    """Every record's audio is stored under its hash, and has it."""
    for request_id in ids:
        finished = fleet.queue.result(request_id)
        assert finished is not None
        record = finished.done()
        assert record is not None
        for take in record.takes:
            audio = (fleet.data / "storage" / str(take.main.key)).read_bytes()
            assert hashlib.sha256(audio).hexdigest() == take.main.sha256


def leftovers(fleet: FleetDeployment) -> list[str]:
    """Files of jobs and temporary files on the machines."""
    kinds = (*(f"/{name}/" for name in ("inbox", "work", "outbox", "tmp")), "sample/", ".part")
    return [
        name
        for machine in fleet.machines
        for name in machine.files()
        if any(kind in f"/{name}" for kind in kinds) and "/run/" not in name
    ]


def test_ten_jobs_through_a_killed_watcher_cut_lines_and_a_lost_server(pair: FleetDeployment) -> None:
    storm(pair, jobs=10, troubles=3, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10))
def test_sixty_jobs_through_a_storm(pair: FleetDeployment, seed: int) -> None:
    storm(pair, jobs=60, troubles=8, seed=seed)
