"""P20 to P22: what waits for a person, who decides about exactly what was made, and how a run goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lib.pipeline import gates
from lib.pipeline.decision_links import DecisionLink
from lib.pipeline.failures import AlreadyDecided, SeenSomethingElse, UnknownRun, UnknownStage, WrongState
from lib.pipeline.gate_inspection import note_of_rejection
from lib.pipeline.gate_triage import rejected_runs
from lib.pipeline.gates import approve_gate, look_again, open_gates, reject_gate, time_out_gates
from lib.pipeline.linked_gate import find_linked
from lib.pipeline.model import GateRule
from lib.pipeline.orchestration import settle_runs
from lib.pipeline.runs import StageRules, advance, cancel_job, resume, retry
from lib.pipeline.views import get_job_status
from tests.contract.pipeline.floor import Floor, dag_of, diamond, file

GATED = dag_of("gated", script={"gate": True}, audio={"requires": ["script"]}, notes={})


def at_gate(floor: Floor, **rules: GateRule | None) -> None:
    floor.start(GATED, rules=StageRules(gates=rules))
    for task in floor.claim():
        floor.done(task, files=[file(f"{task.name}.txt")])


def test_a_gate_parks_the_run_without_a_lease_and_the_rest_goes_on(floor: Floor) -> None:
    at_gate(floor)
    assert floor.states() == {"script": "needs_approval", "notes": "succeeded", "audio": "pending"}
    assert floor.state() == "needs_approval"
    assert floor.task("script").lease_expires_at is None
    assert floor.claim() == []
    assert [(gate.task, gate.attempt) for gate in open_gates(floor.ledger)] == [("script", 1)]


def test_an_approval_lets_what_follows_begin_and_is_in_the_trail(floor: Floor) -> None:
    at_gate(floor)
    approve_gate(floor.ledger, "r1", "script", operator="ann", notes="good")
    assert [task.name for task in floor.claim()] == ["audio"]
    assert floor.trail()[-2:] == ["gate_approved:script", "stage_started:audio"]
    assert open_gates(floor.ledger) == []


def test_a_rejection_pauses_the_run_and_advance_does_the_stage_again_with_the_note(floor: Floor) -> None:
    at_gate(floor)
    reject_gate(floor.ledger, "r1", "script", operator="ann", notes="too long")
    assert (floor.state(), floor.states()["script"]) == ("paused", "pending")
    assert floor.claim() == []

    assert advance(floor.ledger, "r1", operator="ann", instruction="too long") == "script"
    (again,) = floor.claim()
    assert (again.name, again.attempt, again.instruction) == ("script", 2, "too long")
    assert floor.task("script").failures == 0  # a rejection uses up no attempt
    assert floor.trail()[-4:] == [
        "gate_rejected:script",
        "stage_retried:script",
        "job_resumed",
        "stage_started:script",
    ]


def at_two_rejected_gates(floor: Floor) -> None:
    floor.start(dag_of("film", outline={}, **{name: _below_outline() for name in ("script", "pictures")}))
    floor.work()
    for name in ("script", "pictures"):
        floor.clock.advance(1.0)
        reject_gate(floor.ledger, "r1", name, operator="ann", notes=f"more {name}")


def _below_outline() -> dict[str, Any]:
    return {"requires": ["outline"], "gate": True}


def told_to_wait(floor: Floor) -> list[str]:
    return [wait.sentence for wait in get_job_status(floor.ledger, "r1").waits if wait.stage is None]


def test_of_two_rejected_gates_none_is_run_anew_before_somebody_says_so(floor: Floor) -> None:
    at_two_rejected_gates(floor)
    assert note_of_rejection(floor.ledger, "r1", None) == "more script"
    assert advance(floor.ledger, "r1", operator="ann", instruction="more script") == "script"
    assert (floor.state(), floor.claim()) == ("paused", [])
    (wait,) = told_to_wait(floor)
    assert wait.startswith("pictures was rejected by ann")
    (run,) = rejected_runs(floor.ledger)
    assert run.gate.task == "pictures"

    assert note_of_rejection(floor.ledger, "r1", None) == "more pictures"
    assert advance(floor.ledger, "r1", operator="ann", instruction="more pictures") == "pictures"
    again = {task.name: task.instruction for task in floor.claim()}
    assert again == {"script": "more script", "pictures": "more pictures"}
    assert floor.trail().count("job_resumed") == 1


def test_what_is_advanced_above_answers_the_rejections_below(floor: Floor) -> None:
    at_two_rejected_gates(floor)
    advance(floor.ledger, "r1", operator="ann", stage="outline")
    assert floor.work()[0] == "outline"
    assert len(open_gates(floor.ledger)) == 2

    reject_gate(floor.ledger, "r1", "script", operator="ann")
    advance(floor.ledger, "r1", operator="ann", stage="pictures")
    assert (floor.state(), floor.claim()) == ("paused", [])
    assert advance(floor.ledger, "r1", operator="ann") == "script"
    assert {task.name for task in floor.claim()} == {"script", "pictures"}


def test_the_first_decision_wins_and_the_late_one_is_told_who_decided(floor: Floor) -> None:
    at_gate(floor)
    reject_gate(floor.ledger, "r1", "script", operator="ann")
    with pytest.raises(AlreadyDecided, match="rejected by ann at 20"):
        approve_gate(floor.ledger, "r1", "script", operator="bob")
    assert floor.state() == "paused"


def test_a_decision_about_one_opening_is_none_about_the_next_with_the_same_files(floor: Floor) -> None:
    at_gate(floor)
    (first,) = open_gates(floor.ledger)
    reject_gate(floor.ledger, "r1", "script", operator="ann", number=first.number)
    advance(floor.ledger, "r1", operator="ann")
    (again,) = floor.claim()
    floor.done(again, files=[file("script.txt")])
    (second,) = open_gates(floor.ledger)
    assert (second.seen, second.number == first.number) == (first.seen, False)
    link = DecisionLink(
        run="r1", stage="script", number=first.number, seen=first.seen, operator="bob", expires_at=1
    )
    for decides in (approve_gate, reject_gate):
        with pytest.raises(AlreadyDecided, match="open anew"):
            decides(floor.ledger, "r1", "script", operator="bob", seen=link.seen, number=link.number)
    assert open_gates(floor.ledger) == [second]

    about = find_linked(floor.ledger, link)
    assert about is not None
    assert (about.is_open, about.gate.operator, about.before) == (False, "ann", [])
    newer = find_linked(floor.ledger, replace(link, number=second.number))
    assert newer is not None
    assert (newer.is_open, [gate.number for gate in newer.before]) == (True, [first.number])
    for other in (replace(link, run="r2"), replace(link, stage="audio"), replace(link, number=99)):
        assert find_linked(floor.ledger, other) is None
    approve_gate(floor.ledger, "r1", "script", operator="bob", number=second.number)


def test_nothing_is_decided_by_a_link_to_a_canceled_run(floor: Floor) -> None:
    at_gate(floor)
    (gate,) = open_gates(floor.ledger)
    cancel_job(floor.ledger, "r1", operator="ann")
    found = find_linked(
        floor.ledger,
        DecisionLink(run="r1", stage="script", number=gate.number, seen="", operator="b", expires_at=1),
    )
    assert found is not None
    assert not found.is_open


def test_an_approval_of_something_else_than_what_is_there_is_refused(floor: Floor) -> None:
    at_gate(floor)
    (gate,) = open_gates(floor.ledger)
    seen = look_again(floor.ledger, "r1", "script", [file("script.txt", "edited by hand")])
    assert seen != gate.seen

    with pytest.raises(SeenSomethingElse, match="changed since you looked"):
        approve_gate(floor.ledger, "r1", "script", operator="ann", seen=gate.seen)
    approve_gate(floor.ledger, "r1", "script", operator="ann", seen=seen)
    assert floor.trail().count("gate_voided:script") == 1


def test_looking_at_the_same_files_again_changes_nothing(floor: Floor) -> None:
    at_gate(floor)
    (gate,) = open_gates(floor.ledger)
    assert look_again(floor.ledger, "r1", "script", [file("script.txt")]) == gate.seen
    assert "gate_voided:script" not in floor.trail()


def test_a_stage_made_anew_asks_again(floor: Floor) -> None:
    at_gate(floor)
    approve_gate(floor.ledger, "r1", "script", operator="ann")
    floor.work()
    assert floor.state() == "completed"

    advance(floor.ledger, "r1", operator="ann", stage="script")
    (task,) = floor.claim()
    floor.done(task, "another text")
    assert floor.states()["script"] == "needs_approval"
    assert floor.claim() == []


def test_what_lies_below_is_not_done_again_when_its_inputs_stay_the_same(floor: Floor) -> None:
    floor.start(diamond())
    floor.work()
    advance(floor.ledger, "r1", operator="ann", stage="left")
    (left,) = floor.claim()
    floor.done(left)
    assert floor.claim() == []
    assert floor.state() == "completed"
    assert floor.trail()[-2:] == ["stage_completed:bottom", "job_completed"]

    advance(floor.ledger, "r1", operator="ann", stage="left")
    (left,) = floor.claim()
    floor.done(left, "other")
    assert [task.inputs for task in floor.claim()] == [{"left": "other", "right": "right"}]


def test_an_approved_stage_below_stays_approved_when_nothing_of_it_changed(floor: Floor) -> None:
    dag = dag_of("two", outline={}, script={"requires": ["outline"], "gate": True})
    floor.start(dag)
    floor.work()
    approve_gate(floor.ledger, "r1", "script", operator="ann")
    advance(floor.ledger, "r1", operator="ann", stage="outline")
    (outline,) = floor.claim()
    floor.done(outline)
    assert floor.claim() == []
    assert floor.state() == "completed"
    assert len([event for event in floor.trail() if event == "gate_pause:script"]) == 1


def test_redoing_what_is_at_an_open_gate_voids_the_question(floor: Floor) -> None:
    at_gate(floor)
    advance(floor.ledger, "r1", operator="ann", stage="script")
    assert open_gates(floor.ledger) == []
    (again,) = floor.claim()
    floor.done(again, "new")
    assert [gate.attempt for gate in open_gates(floor.ledger)] == [2]


@pytest.mark.parametrize(
    ("rule", "states"),
    [
        (GateRule(timeout_s=60.0), "needs_approval"),
        (GateRule(timeout_s=60.0, on_timeout="remind"), "needs_approval"),
        (GateRule(timeout_s=60.0, on_timeout="approve"), "running"),
        (GateRule(timeout_s=60.0, on_timeout="reject"), "paused"),
    ],
)
def test_when_nobody_decides_in_time_the_rule_says_what_happens(
    floor: Floor, rule: GateRule, states: str
) -> None:
    at_gate(floor, script=rule)
    floor.clock.advance(59.0)
    assert time_out_gates(floor.ledger) == []
    floor.clock.advance(1.0)
    told = time_out_gates(floor.ledger)
    assert time_out_gates(floor.ledger) == []  # once
    assert floor.state() == states
    assert bool(told) is (rule.on_timeout != "wait")
    if rule.on_timeout in ("approve", "reject"):
        with pytest.raises(AlreadyDecided, match=f"by {gates.TIMEOUT}"):
            approve_gate(floor.ledger, "r1", "script", operator="ann")


def test_a_gate_that_needs_nobody_is_approved_at_once_and_the_trail_says_so(floor: Floor) -> None:
    at_gate(floor, script=GateRule(auto_approve=True))
    assert floor.states()["script"] == "succeeded"
    assert floor.trail().index("gate_pause:script") < floor.trail().index("gate_approved:script")
    with pytest.raises(AlreadyDecided, match="by auto"):
        reject_gate(floor.ledger, "r1", "script", operator="ann")


def test_a_gate_that_is_not_required_is_none(floor: Floor) -> None:
    at_gate(floor, script=None)
    assert floor.states()["script"] == "succeeded"
    with pytest.raises(WrongState, match="waits for nobody"):
        approve_gate(floor.ledger, "r1", "script", operator="ann")


def test_cancel_stops_everything_and_resume_goes_on_from_there(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    floor.done(top)
    left, right = floor.claim()
    floor.done(left)

    assert cancel_job(floor.ledger, "r1", operator="ann", notes="wrong voice")
    assert not cancel_job(floor.ledger, "r1", operator="bob")
    assert not floor.done(right)
    assert floor.state() == "canceled"
    assert floor.claim() == []

    assert resume(floor.ledger, "r1", operator="ann") == ["right", "bottom"]
    assert floor.work() == ["right", "bottom"]
    assert floor.state() == "completed"


def test_cancel_closes_the_question_at_a_gate(floor: Floor) -> None:
    at_gate(floor)
    cancel_job(floor.ledger, "r1", operator="ann")
    assert open_gates(floor.ledger) == []
    with pytest.raises(AlreadyDecided, match="voided by ann"):
        approve_gate(floor.ledger, "r1", "script", operator="bob")


def test_a_completed_run_is_not_canceled(floor: Floor) -> None:
    floor.start(diamond())
    floor.work()
    with pytest.raises(WrongState, match="has completed"):
        cancel_job(floor.ledger, "r1", operator="ann")


def test_a_run_that_is_done_is_not_canceled_before_the_orchestrator_has_seen_it(floor: Floor) -> None:
    floor.start(dag_of("one", only={}))
    (task,) = floor.claim()
    floor.done(task, settle=False)
    with pytest.raises(WrongState, match="has completed"):
        cancel_job(floor.ledger, "r1", operator="ann")
    settle_runs(floor.ledger, everything=False)
    assert floor.state() == "completed"


def test_what_a_dead_stage_blocked_comes_back_when_it_is_retried(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    floor.done(top)
    left, right = floor.claim()
    floor.fail(left, for_good=True)
    floor.done(right)
    assert floor.states()["bottom"] == "blocked"
    assert floor.state() == "failed"

    retry(floor.ledger, "r1", "left", operator="ann")
    assert floor.states() == {
        "top": "succeeded",
        "left": "pending",
        "right": "succeeded",
        "bottom": "pending",
    }
    assert floor.work() == ["left", "bottom"]
    assert floor.state() == "completed"


def test_a_failed_run_is_resumed_where_it_died(floor: Floor) -> None:
    floor.start(diamond())
    (top,) = floor.claim()
    floor.fail(top, for_good=True)
    assert resume(floor.ledger, "r1", operator="ann") == ["top"]
    assert floor.work() == ["top", "left", "right", "bottom"]


def test_what_does_not_exist_or_does_not_fit_is_one_sentence(floor: Floor) -> None:
    floor.start(GATED)
    with pytest.raises(UnknownRun, match="no run 'r9'"):
        approve_gate(floor.ledger, "r9", "script", operator="ann")
    with pytest.raises(UnknownStage, match="it has script, notes, audio"):
        approve_gate(floor.ledger, "r1", "video", operator="ann")
    with pytest.raises(WrongState, match="no gate of it was rejected"):
        advance(floor.ledger, "r1", operator="ann")
    with pytest.raises(WrongState, match="nothing to resume"):
        resume(floor.ledger, "r1", operator="ann")
    with pytest.raises(WrongState, match="only failed and dead"):
        retry(floor.ledger, "r1", "script", operator="ann")


def test_files_of_a_stage_that_is_none_are_refused(floor: Floor) -> None:
    at_gate(floor)
    with pytest.raises(UnknownStage, match="has no stage 'nothing'"):
        look_again(floor.ledger, "r1", "nothing", [file("script.txt", "b")])
