"""How long a watcher keeps a machine that has nothing to do: W9."""

from __future__ import annotations

from typing import Any

from lib.spool import ResultError, ResultErrorClass
from tests.unit.dispatch.bench import ScriptedHost
from tests.unit.jobs.jobs import spec
from tests.unit.provisioning.bench import NINE, Bench


class Idling:
    """A watcher whose one machine has the one job there is."""

    def __init__(self, bench: Bench, *later: Any) -> None:
        self.bench = bench
        bench.queue.enqueue([spec("a"), *later])
        self.watcher = bench.watcher()
        self.watcher.step()
        (self.instance,) = bench.company.rentals
        self.host: ScriptedHost = bench.host(self.instance)
        self.host.script = self.host.beat
        self.passes(2)

    def passes(self, count: int) -> None:
        for _ in range(count):
            self.bench.clock.advance(10)
            self.watcher.step()

    def kept(self) -> bool:
        return self.instance not in self.bench.company.destroyed


def test_a_machine_without_work_goes_at_once_where_none_is_known_to_come(bench: Bench) -> None:
    idling = Idling(bench)
    assert idling.kept()
    idling.host.speak_all()
    idling.passes(2)
    assert not idling.kept()


def test_a_machine_waits_for_a_job_whose_time_comes_before_a_start_would_be_dearer(bench: Bench) -> None:
    idling = Idling(bench, spec("b", not_before=NINE + 45))
    idling.host.speak_all()
    idling.passes(2)
    assert idling.kept()
    idling.passes(1)
    idling.host.speak_all()
    idling.passes(1)
    assert bench.queue.snapshot().done == 2
    assert [*bench.company.asked] == ["o1"]


def test_a_machine_does_not_wait_for_longer_than_a_start_costs(bench: Bench) -> None:
    idling = Idling(bench, spec("b", not_before=NINE + 3600))
    idling.host.speak_all()
    idling.passes(6)
    assert not idling.kept()


def test_a_machine_waits_for_the_next_try_of_a_job_that_failed(bench: Bench) -> None:
    idling = Idling(bench)
    (taken,) = idling.host.take()
    idling.host.speak(taken, error=ResultError(ResultErrorClass.ENGINE, "It did not speak this time."))
    idling.watcher.go_on()
    assert bench.queue.snapshot().delayed == 1
    idling.watcher.step()
    idling.passes(1)
    idling.host.speak_all()
    idling.passes(1)
    assert bench.queue.snapshot().done == 1
    assert [*bench.company.asked] == ["o1"]
