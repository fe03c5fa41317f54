"""What lists and `show` say of runs."""

from __future__ import annotations

import pytest

from lib.pipeline.failures import UnknownRun
from lib.pipeline.runs import StageRules, cancel_job
from lib.pipeline.views import get_job_status, list_artifacts, list_runs, run_states
from tests.contract.pipeline.floor import Floor, dag_of, diamond, file


def test_a_line_has_each_stage_with_its_owner_and_the_attempts(floor: Floor) -> None:
    """P8."""
    production = dag_of("p", audio={}, visuals={"requires": ["audio"]}, render={"requires": ["visuals"]})
    floor.start(production, "beat-7")
    (before,) = list_runs(floor.ledger)
    floor.claim("host:12", count=1)
    (during,) = list_runs(floor.ledger)

    assert before.text() == "beat-7  audio=READY(None)  visuals=NEW(None)  render=NEW(None)  attempts=0"
    assert during.text() == "beat-7  audio=RUNNING(host:12)  visuals=NEW(None)  render=NEW(None)  attempts=1"
    told = during.to_json()
    assert told["audio_lease_owner"] == "host:12"
    assert told["audio_lease_expires_at"] == "2023-11-14T22:13:50.000Z"
    assert told["visuals_lease_owner"] is None


def test_each_state_has_its_word(floor: Floor) -> None:
    """P8."""
    rules = StageRules(max_attempts=1)
    many = dag_of("many", good={}, bad={}, below={"requires": ["bad"]}, asks={"gate": True})
    floor.start(many, rules=rules)
    good, bad, asks = sorted(floor.claim(), key=lambda task: ["good", "bad", "asks"].index(task.name))
    floor.done(good)
    floor.fail(bad)
    floor.done(asks)
    again = floor.start(dag_of("again", tried={}), "r2")
    (tried,) = floor.claim()
    floor.fail(tried, pause_s=60)
    stopped = floor.start(dag_of("stopped", never={}), "r3")
    cancel_job(floor.ledger, stopped, operator="ann")

    lines = {line.run.id: line.text() for line in list_runs(floor.ledger)}
    assert (
        lines["r1"] == "r1  good=DONE(None)  bad=DEAD(None)  asks=GATE(None)  below=BLOCKED(None)  attempts=1"
    )
    assert lines[again] == "r2  tried=FAILED(None)  attempts=1"
    assert lines[stopped] == "r3  never=CANCELED(None)  attempts=0"


def test_the_newest_come_first_and_active_ones_have_not_ended(floor: Floor) -> None:
    """P8."""
    for run in ("old", "done", "new"):
        floor.clock.sleep(1)
        floor.start(diamond(), run)
    cancel_job(floor.ledger, "done", operator="ann")

    assert [line.run.id for line in list_runs(floor.ledger, count=2)] == ["new", "done"]
    assert [line.run.id for line in list_runs(floor.ledger, active=True)] == ["new", "old"]


def test_a_run_shows_its_results_files_and_the_graph_it_is_bound_to(floor: Floor) -> None:
    floor.start(diamond(), tide="high")
    (top,) = floor.claim()
    floor.done(top, {"words": 3}, files=[file("top.txt")])

    told = get_job_status(floor.ledger, "r1").to_json()

    stages = {stage["name"]: stage for stage in told["stages"]}
    assert told["inputs"] == {"tide": "high"}
    assert stages["top"]["result"] == {"words": 3}
    assert stages["bottom"]["requires"] == ["left", "right"]
    assert [artifact["path"] for artifact in told["artifacts"]] == ["top.txt"]
    assert [artifact.path for artifact in list_artifacts(floor.ledger, "r1")] == ["top.txt"]


def test_the_state_of_many_runs_is_that_of_each(floor: Floor) -> None:
    """P23."""
    floor.start(dag_of("asking", a={"gate": True}), "r1")
    floor.start(diamond(), "r2")
    for task in floor.claim():
        floor.done(task, files=[file(f"{task.run}.txt")])

    states = run_states(floor.ledger, ["r1", "r2"])

    assert {run: state["state"] for run, state in states.items()} == {"r1": "needs_approval", "r2": "running"}
    assert [gate["stage"] for gate in states["r1"]["gates"]] == ["a"]
    assert [[artifact["path"] for artifact in states[run]["artifacts"]] for run in ("r1", "r2")] == [
        ["r1.txt"],
        ["r2.txt"],
    ]


def test_a_run_that_does_not_exist_is_said(floor: Floor) -> None:
    for look in (get_job_status, list_artifacts):
        with pytest.raises(UnknownRun, match="no run 'r9'"):
            look(floor.ledger, "r9")
