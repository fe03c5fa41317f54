"""`show` says why nothing moves, and what helps."""

from __future__ import annotations

from lib.pipeline.claims import Parked, TaskReport, finish
from lib.pipeline.gates import reject_gate
from lib.pipeline.runs import StageRules, cancel_job
from lib.pipeline.views import get_job_status
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, diamond


def waits(floor: Floor, run: str = "r1") -> dict[str | None, tuple[str, str | None]]:
    found = get_job_status(floor.ledger, run).waits
    return {wait.stage: (wait.sentence, wait.command) for wait in found}


def test_a_stage_that_nobody_takes_asks_for_a_worker_and_those_below_name_it(floor: Floor) -> None:
    floor.start(diamond())

    found = waits(floor)

    assert found["top"] == (
        "is ready since 2023-11-14T22:13:20Z, and no worker has taken it",
        "job-pipeline worker",
    )
    assert found["bottom"] == ("waits for left (pending), right (pending)", None)


def test_a_stage_at_work_is_no_trouble_until_its_lease_ran_out(floor: Floor) -> None:
    floor.start(diamond())
    floor.claim("host:12")
    working = waits(floor)["top"]
    floor.clock.sleep(LEASE_S + 1)

    assert working == ("is at work at host:12 since 2023-11-14T22:13:20Z", None)
    sentence, command = waits(floor)["top"]
    assert "host:12, whose lease ran out" in sentence
    assert command == "job-pipeline recovery"


def test_a_stage_that_failed_says_when_it_is_tried_again_and_a_dead_one_what_helps(floor: Floor) -> None:
    floor.start(dag_of("two", a={}, b={"requires": ["a"]}), rules=StageRules(max_attempts=2))
    floor.fail(floor.claim()[0], "no sound", pause_s=60)
    later = waits(floor)["a"][0]
    floor.clock.sleep(61)
    floor.fail(floor.claim()[0], "no sound")

    found = waits(floor)

    assert later == "failed in attempt 1 (no sound) and is tried again at 2023-11-14T22:14:20Z"
    assert found["a"] == ("is dead after 2 failures: no sound", "job-pipeline retry-dead --run r1")
    assert found["b"] == ("waits for a (dead)", None)


def test_a_gate_asks_for_a_decision_and_a_rejection_for_advance(floor: Floor) -> None:
    floor.start(dag_of("asking", a={"gate": True}))
    floor.done(floor.claim()[0])
    open_gate = waits(floor)["a"]
    reject_gate(floor.ledger, "r1", "a", operator="ann", notes="less moon")

    assert open_gate == (
        "waits for somebody to decide, since 2023-11-14T22:13:20Z",
        "job-pipeline approve r1 a",
    )
    assert waits(floor)[None] == (
        "a was rejected by ann at 2023-11-14T22:13:20Z: less moon",
        "job-pipeline advance r1 --with-note",
    )


def test_a_lane_names_who_is_in_it(floor: Floor) -> None:
    """P12."""
    heavy = dag_of("heavy", a={"lane": "heavy"})
    floor.start(heavy, "r1")
    floor.start(heavy, "r2")
    (at_work,) = floor.claim()
    waiting = {"r1": "r2", "r2": "r1"}[at_work.run]

    assert waits(floor, waiting)["a"] == (
        f"waits for the lane heavy, in which {at_work.run}/a is at work",
        None,
    )


def test_a_parked_stage_names_the_first_job_that_is_not_done(floor: Floor) -> None:
    """P11."""
    floor.start(dag_of("queued", a={"executor": "queue"}))
    (task,) = floor.claim()
    specs = {"r1-a-1": {"text": "one"}, "r1-a-2": {"text": "two"}}
    finish(floor.ledger, [TaskReport(task, Parked(specs=specs))], owner="ann:1")

    assert waits(floor)["a"] == (
        "waits for the queue, which has done 0 of its 2 jobs",
        "job-runner explain r1-a-1",
    )


def test_what_a_worker_left_to_the_orchestrator_is_said(floor: Floor) -> None:
    """P5."""
    floor.start(diamond())
    floor.done(floor.claim()[0], settle=False)

    found = waits(floor)

    assert found[None][1] == "job-pipeline orchestrator"
    assert found["left"] == ("could begin, and nobody has seen that yet", "job-pipeline orchestrator")


def test_a_canceled_run_can_be_resumed_and_one_that_is_done_waits_for_nothing(floor: Floor) -> None:
    floor.start(diamond(), "r1")
    floor.work()
    floor.start(diamond(), "r2")
    cancel_job(floor.ledger, "r2", operator="ann")

    assert waits(floor, "r1") == {}
    assert waits(floor, "r2")[None] == ("the run was canceled", "job-pipeline resume r2")
