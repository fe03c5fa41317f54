"""P3 to P5: who has a task, for how long, and what becomes of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from lib.pipeline.claims import Done, Released, TaskReport, finish, renew
from lib.pipeline.ledger import EVERYBODY, Transaction
from lib.pipeline.orchestration import recover, settle_runs
from lib.pipeline.runs import StageRules
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, diamond


def test_requirements_come_first_and_a_fan_in_is_handed_out_once(floor: Floor) -> None:
    floor.start(diamond())

    assert [t.name for t in floor.claim()] == ["top"]
    assert floor.claim() == []
    top = floor.task("top")
    assert (top.state, top.lease_owner, top.attempt) == ("processing", "ann:1", 1)


def test_a_fan_in_is_ready_with_the_transaction_that_finishes_its_last_requirement(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    floor.done(top)
    left, right = floor.claim()

    floor.done(left)
    assert floor.claim() == []
    floor.done(right)

    (bottom,) = floor.claim()
    assert bottom.inputs == {"left": "left", "right": "right"}


def test_roots_get_the_inputs_of_the_run_and_the_others_the_results_above_them(floor: Floor) -> None:
    floor.start(diamond(), uri="file:///script.txt")
    (top,) = floor.claim()
    assert top.inputs == {"uri": "file:///script.txt"}
    floor.done(top, {"seconds": 3})
    assert [t.inputs for t in floor.claim()] == [{"top": {"seconds": 3}}] * 2


def test_a_worker_that_lost_its_lease_changes_nothing(floor: Floor) -> None:
    floor.start(diamond())
    (mine,) = floor.claim("ann:1")
    floor.clock.advance(LEASE_S + 1)
    assert recover(floor.ledger) == [("r1", "top")]
    (theirs,) = floor.claim("bob:2")
    assert theirs.attempt == 2

    assert not floor.done(mine, "stale")  # the zombie wakes
    assert renew(floor.ledger, [mine], owner="ann:1", lease_s=LEASE_S) == [mine]
    assert floor.task("top").lease_owner == "bob:2"
    assert floor.done(theirs, "fresh", owner="bob:2")
    assert floor.claim("bob:2")[0].inputs == {"top": "fresh"}


def test_the_same_worker_with_an_older_lease_number_changes_nothing(floor: Floor) -> None:
    floor.start(diamond())
    (first,) = floor.claim()
    floor.clock.advance(LEASE_S + 1)
    recover(floor.ledger)
    (second,) = floor.claim()

    assert not floor.done(first, "stale")
    assert floor.done(second, "fresh")


def test_a_task_is_finished_once(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    assert floor.done(top, "one")
    assert not floor.done(top, "two")
    assert not floor.fail(top)
    assert floor.trail().count("stage_completed:top") == 1


def test_a_renewed_lease_outlives_its_first_end(floor: Floor) -> None:
    floor.start(diamond())
    tasks = floor.claim()
    floor.clock.advance(LEASE_S - 1)
    assert renew(floor.ledger, tasks, owner="ann:1", lease_s=LEASE_S) == []
    floor.clock.advance(LEASE_S - 1)
    assert recover(floor.ledger) == []
    assert floor.done(tasks[0])


def test_a_failure_is_retried_after_its_pause_until_there_are_no_attempts_left(floor: Floor) -> None:
    floor.start(dag_of("one", only={"retries": 1}, after={"requires": ["only"]}))
    (task,) = floor.claim()
    floor.fail(task, "no network", pause_s=5.0)
    assert floor.states() == {"only": "failed", "after": "pending"}
    assert floor.claim() == []

    floor.clock.advance(5.0)
    (again,) = floor.claim()
    assert again.attempt == 2
    floor.fail(again, "no network", pause_s=5.0)
    assert floor.states() == {"only": "dead", "after": "blocked"}
    assert floor.state() == "failed"
    assert floor.trail()[-3:] == ["stage_failed:only", "stage_blocked:after", "job_failed"]


def test_what_is_unspecified_in_the_code_comes_from_the_rules(floor: Floor) -> None:
    dag = dag_of("one", a={"timeout": 7.0}, b={"timeout": 7.0, "retries": 4}, c={})
    floor.start(dag, rules=StageRules(timeout_s=50.0, max_attempts=3, timeouts_s={"a": 99.0}))
    rows = [floor.task(name) for name in "abc"]
    assert [(r.timeout_s, r.max_attempts) for r in rows] == [(99.0, 3), (7.0, 5), (50.0, 3)]


def test_a_lease_that_runs_out_counts_as_an_attempt_and_one_given_back_does_not(floor: Floor) -> None:
    floor.start(dag_of("one", only={"retries": 1}))
    tasks = floor.claim()
    finish(
        floor.ledger, [TaskReport(task, Released(why="the worker stops")) for task in tasks], owner="ann:1"
    )
    assert floor.task("only").failures == 0

    for _ in range(2):
        assert floor.claim()
        floor.clock.advance(LEASE_S + 1)
        recover(floor.ledger)
    assert floor.states() == {"only": "dead"}


def test_several_ends_are_written_together_and_only_the_lost_ones_are_not(floor: Floor) -> None:
    floor.start(dag_of("three", a={}, b={}, c={}))
    a, b, c = floor.claim()
    assert floor.done(b, "early")

    lost = finish(
        floor.ledger,
        [TaskReport(a, Done(result=1)), TaskReport(b, Done(result=2)), TaskReport(c, Released(why="full"))],
        owner="ann:1",
    )

    assert [task.name for task in lost] == ["b"]
    assert floor.states() == {"a": "succeeded", "b": "succeeded", "c": "pending"}


def test_a_worker_of_one_stage_gets_that_stage_only(floor: Floor) -> None:
    floor.start(dag_of("two", a={}, b={}))
    assert [task.name for task in floor.claim(stages=["b"])] == ["b"]


def test_workers_take_only_their_own_pipelines(floor: Floor) -> None:
    floor.start(dag_of("mine", a={}), "r1")
    mine = dict(floor.dags)
    floor.start(dag_of("theirs", a={}), "r2")
    floor.dags = mine
    assert [task.run for task in floor.claim()] == ["r1"]


def test_no_more_are_claimed_than_asked_for_and_the_longest_ready_come_first(floor: Floor) -> None:
    dag = dag_of("one", only={})
    for number in range(3):
        floor.start(dag, f"r{number}")
        floor.clock.advance(1.0)
    assert [task.run for task in floor.claim(count=2)] == ["r0", "r1"]


def test_of_a_lane_one_is_at_work_in_all_runs_and_pipelines(floor: Floor) -> None:
    heavy = {"lane": "heavy"}
    floor.start(dag_of("one", a=heavy, b=heavy, free={}), "r1")
    floor.start(dag_of("two", a=heavy), "r2")

    first = floor.claim()
    assert sorted(task.name for task in first) == ["a", "free"]
    assert floor.claim("bob:2") == []
    floor.done(next(task for task in first if task.name == "a"))
    assert len(floor.claim("bob:2")) == 1


def test_a_task_at_its_gate_does_not_hold_the_lane(floor: Floor) -> None:
    floor.start(dag_of("one", a={"lane": "heavy", "gate": True}, b={"lane": "heavy"}))
    (a,) = floor.claim()
    floor.done(a)
    assert [task.name for task in floor.claim()] == ["b"]


def test_with_the_orchestrator_in_charge_workers_make_nothing_ready(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    assert floor.done(top, settle=False)
    assert floor.claim() == []
    assert floor.state() == "running"

    assert settle_runs(floor.ledger, everything=False) == ["r1"]
    assert settle_runs(floor.ledger, everything=False) == []
    assert [task.name for task in floor.claim()] == ["left", "right"]


def test_the_trail_is_the_same_whoever_makes_tasks_ready(floor: Floor) -> None:
    trails = []
    for run, settle in (("r1", True), ("r2", False)):
        floor.start(diamond(), run)
        while floor.state(run) != "completed":
            for task in floor.claim():
                floor.done(task, settle=settle)
            settle_runs(floor.ledger, everything=False)
        trails.append(floor.trail(run))
    assert trails[0] == trails[1]


def test_a_full_look_changes_nothing_on_a_ledger_in_order(floor: Floor) -> None:
    floor.start(diamond())
    floor.claim()
    before = floor.trail()
    assert settle_runs(floor.ledger, everything=True) == []
    assert floor.trail() == before


def test_who_claims_one_task_and_who_ends_another_of_its_run_do_not_block_each_other(floor: Floor) -> None:
    if floor.ledger.database.dialect == "sqlite":
        pytest.skip("one writer at a time")
    floor.start(diamond())
    floor.done(floor.claim()[0])
    tries: list[str] = []
    claimed, waits = threading.Event(), text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def claiming(transaction: Transaction) -> None:
        tries.append("claim")
        values = {"dag": "diamond", "names": ["right"], "now": transaction.now}
        transaction.all("claimable", count=1, **values)
        claimed.set()
        while not transaction.connection.execute(waits).scalar_one():
            pass  # until the other one waits for what is claimed here
        event = {"run": "r1", "task": "right", "attempt": 1, "at": transaction.now, "data": "{}"}
        transaction.run("tell", {"kind": "stage_started", **event})

    def ending(transaction: Transaction) -> None:
        tries.append("end")
        transaction.boards(["r1"])

    with ThreadPoolExecutor() as threads:
        claims = threads.submit(floor.ledger.change, claiming)
        assert claimed.wait(20)
        floor.ledger.change(ending)
        claims.result(20)
    assert tries == ["claim", "end"]  # a deadlock would have one of them begin anew, a second later


def test_whoever_waits_for_a_lane_is_woken_in_every_pipeline_when_it_is_free(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor.start(dag_of("one", a={"lane": "heavy"}), "r1")
    floor.start(dag_of("two", a={"lane": "heavy"}), "r2")
    (task,) = floor.claim()
    woken: list[str] = []
    monkeypatch.setattr(Transaction, "wake", lambda _, dag: woken.append(dag))

    floor.done(task)

    assert woken == [EVERYBODY]


def test_a_run_that_somebody_stands_still_with_holds_up_the_recovery_of_no_other(floor: Floor) -> None:
    if floor.ledger.database.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time, and no rows that are locked")
    for run in ("r1", "r2"):
        floor.start(diamond(), run)
    floor.claim()
    floor.clock.advance(LEASE_S + 1)

    def stand_still(transaction: Transaction) -> list[tuple[str, str]]:
        transaction.boards(["r1"])
        return recover(floor.ledger)  # by another connection

    assert floor.ledger.change(stand_still) == [("r2", "top")]
    assert recover(floor.ledger) == [("r1", "top")]


def test_a_lease_is_its_owners_alone(floor: Floor) -> None:
    floor.start(diamond())
    (task,) = floor.claim("ann:1")
    assert not floor.done(task, "stolen", owner="bob:2")
    assert renew(floor.ledger, [task], owner="bob:2", lease_s=LEASE_S) == [task]
    assert floor.done(task, owner="ann:1")
