"""Two of everything at the same instant: one does it, and the other one is told or does something else."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from lib.errors import JobRunnerError
from lib.pipeline.claims import Parked, TaskReport, finish
from lib.pipeline.failures import AlreadyDecided, RunConflict, WrongState
from lib.pipeline.gates import approve_gate, reject_gate, time_out_gates
from lib.pipeline.model import GateRule
from lib.pipeline.orchestration import recover, settle_runs
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.runs import NewRun, StageRules, cancel_job, start_jobs
from lib.pipeline.snapshots import list_snapshots, save_snapshot
from lib.pipeline.trail import events_after
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, diamond
from tests.contract.pipeline.test_parked import QUEUED, Queue

Race = Callable[[Floor, int], None]
ROUNDS = range(300 if os.environ.get("JOB_RUNNER_SOAK") else 3)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each comes to, begun by threads that waited for each other; a refusal is an outcome."""
    line = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        line.wait()
        try:
            return work()
        except JobRunnerError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def kinds(floor: Floor, run: str) -> list[str]:
    return [str(event.kind) for event in events_after(floor.ledger, 0, run=run)]


def two_operators(floor: Floor, number: int) -> None:
    gated = dag_of("gated", script={"gate": True}, audio={"requires": ["script"]})
    run = floor.start(gated, f"r{number}")
    floor.done(floor.claim(stages=["script"])[0])
    answers = at_once(
        lambda: approve_gate(floor.ledger, run, "script", operator="ann"),
        lambda: reject_gate(floor.ledger, run, "script", operator="bob"),
    )
    (late,) = [each for each in answers if isinstance(each, AlreadyDecided)]
    (first,) = [each for each in answers if each is not late]
    assert f"was {first.decision} by {first.operator} at " in late.message
    told = kinds(floor, run)
    assert told.count("gate_approved") + told.count("gate_rejected") == 1
    assert floor.state(run) == ("running" if first.operator == "ann" else "paused")


def a_decision_and_the_end_of_its_time(floor: Floor, number: int) -> None:
    gated = dag_of("gated", script={"gate": True})
    rules = StageRules(gates={"script": GateRule(timeout_s=1.0, on_timeout="reject")})
    run = floor.start(gated, f"r{number}", rules)
    floor.done(floor.claim()[0])
    floor.clock.advance(2.0)
    at_once(
        lambda: approve_gate(floor.ledger, run, "script", operator="ann"),
        lambda: time_out_gates(floor.ledger),
        lambda: time_out_gates(floor.ledger),
    )
    told = kinds(floor, run)
    assert told.count("gate_approved") + told.count("gate_rejected") == 1


def recoveries_and_orchestrators(floor: Floor, number: int) -> None:
    run = floor.start(diamond(), f"r{number}")
    floor.done(floor.claim()[0], settle=False)
    at_once(*[lambda: settle_runs(floor.ledger, everything=True)] * 3)
    assert len(floor.claim()) == 2
    floor.clock.advance(LEASE_S + 1)
    taken = at_once(*[lambda: recover(floor.ledger)] * 3)
    assert sorted(pair for each in taken for pair in each) == [(run, "left"), (run, "right")]
    assert kinds(floor, run).count("stage_failed") == 2
    assert floor.work() == ["left", "right", "bottom"]


def bridges(floor: Floor, number: int) -> None:
    queue, run = Queue(), floor.start(QUEUED, f"r{number}")
    (task,) = floor.claim(stages=["audio"])
    specs = {f"{run}.{place}": {"text": "a"} for place in range(3)}
    finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")
    at_once(*[lambda: tend_parked(floor.ledger, queue)] * 3)
    assert sorted(queue.jobs) == sorted(specs)
    queue.end()
    at_once(*[lambda: tend_parked(floor.ledger, queue)] * 3)
    assert kinds(floor, run).count("stage_unparked") == 1
    assert sorted(floor.work()) == ["audio", "other"]


def the_end_and_a_cancel(floor: Floor, number: int) -> None:
    one = dag_of("one", a={})
    run = floor.start(one, f"r{number}")
    (task,) = floor.claim()
    counted, canceled = at_once(
        lambda: floor.done(task), lambda: cancel_job(floor.ledger, run, operator="ann")
    )
    if counted:
        assert isinstance(canceled, WrongState)
    assert (counted, canceled is True) in ((True, False), (False, True))
    assert floor.state(run) == ("completed" if counted else "canceled")


def starters_of_one_id(floor: Floor, number: int) -> None:
    graph = diamond().graph()
    snapshot = save_snapshot(floor.ledger, graph).id
    mine, theirs = NewRun(id=f"r{number}", inputs={"of": 1}), NewRun(id=f"r{number}", inputs={"of": 2})
    other, last = NewRun(id=f"s{number}"), NewRun(id=f"t{number}")
    answers = at_once(
        lambda: start_jobs(floor.ledger, snapshot, [last, mine, other]),
        lambda: start_jobs(floor.ledger, snapshot, [other, mine, last]),
        lambda: start_jobs(floor.ledger, snapshot, [theirs]),
    )
    ours = [started for each in answers[:2] if isinstance(each, list) for started in each]
    if isinstance(answers[2], RunConflict):
        assert sum(started.created for started in ours) == 3
        assert len(ours) == 6
    else:
        assert all(isinstance(each, RunConflict) for each in answers[:2])
        assert answers[2][0].created
    assert list(floor.states(f"r{number}")) == list(graph.by_name)


def snapshots_made_active(floor: Floor, number: int) -> None:
    graphs = [dag_of("shop", a={}, **{f"b{number}{letter}": {}}).graph() for letter in "xyz"]
    saved = at_once(*[partial(save_snapshot, floor.ledger, each, activate=True) for each in graphs])
    assert all(each.active for each in saved)
    (active,) = [each for each in list_snapshots(floor.ledger) if each.active]
    assert active.graph in graphs


def claimers(floor: Floor, number: int) -> None:
    """Nothing is handed out twice, and of a lane's tasks one is at work."""
    both = dag_of("both", a={"lane": "heavy"}, b={"lane": "heavy"}, c={}, d={})
    run = floor.start(both, f"r{number}")
    answers = at_once(*[partial(floor.claim, f"w:{n}", 2) for n in range(4)])
    names = sorted(task.name for tasks in answers for task in tasks)
    assert len(names) == len(set(names))
    assert len({"a", "b"} & set(names)) <= 1
    for owner, tasks in enumerate(answers):
        assert all([floor.done(task, owner=f"w:{owner}") for task in tasks])
    floor.work()
    assert (floor.state(run), kinds(floor, run).count("stage_started")) == ("completed", 4)


RACES = (
    two_operators,
    a_decision_and_the_end_of_its_time,
    recoveries_and_orchestrators,
    bridges,
    the_end_and_a_cancel,
    starters_of_one_id,
    snapshots_made_active,
    claimers,
)


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_of_two_at_once_one_does_it(floor: Floor, race: Race) -> None:
    for number in ROUNDS:
        race(floor, number)


@pytest.mark.soak
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_of_two_at_once_one_does_it_each_of_hundreds_of_times(floor: Floor, race: Race) -> None:
    for number in ROUNDS:
        race(floor, number)
