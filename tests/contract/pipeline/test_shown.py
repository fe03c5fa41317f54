"""What is shown of pipelines, and their trail as files, is the same on every database."""

from __future__ import annotations

import json
from pathlib import Path

from lib.pipeline.gates import reject_gate
from lib.pipeline.overview import gates_inbox, queue_depth, retryable_stages, stale_leases, top_failures
from lib.pipeline.runs import StageRules
from lib.pipeline.trail import events_after
from lib.pipeline.trail_files import TrailFiles
from lib.pipeline.views import event_json, get_job_status, list_active_jobs, list_runs, run_states
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, file


def busy(floor: Floor) -> Floor:
    """A run at its gate, one that is dead, one whose worker is gone, and one that waits for a lane."""
    floor.start(dag_of("asking", a={"gate": True}, b={"requires": ["a"]}), "gate")
    floor.done(floor.claim()[0], files=[file("a.txt")])
    floor.start(dag_of("dying", a={}), "dead", rules=StageRules(max_attempts=1))
    floor.fail(floor.claim()[0], "no sound")
    heavy = dag_of("heavy", a={"lane": "heavy"})
    floor.start(heavy, "gone")
    floor.claim("host:12")
    floor.start(heavy, "waits")
    floor.clock.sleep(LEASE_S + 1)
    return floor


def test_lists_and_counts(floor: Floor) -> None:
    """P8."""
    ledger = busy(floor).ledger

    assert {line.text() for line in list_runs(ledger)} == {
        "gate  a=GATE(None)  b=NEW(None)  attempts=1",
        "dead  a=DEAD(None)  attempts=1",
        "gone  a=RUNNING(host:12)  attempts=1",
        "waits  a=READY(None)  attempts=0",
    }
    assert {line.run.id for line in list_active_jobs(ledger)} == {"gate", "gone", "waits"}
    assert {depth.dag: (depth.states, depth.ready) for depth in queue_depth(ledger)} == {
        "asking": ({"needs_approval": 1, "pending": 1}, 0),
        "dying": ({"dead": 1}, 0),
        "heavy": ({"pending": 1, "processing": 1}, 1),
    }


def test_what_needs_somebody(floor: Floor) -> None:
    """P8, P20."""
    ledger = busy(floor).ledger

    assert [(each.run, each.owner, each.age_s) for each in stale_leases(ledger)] == [("gone", "host:12", 1.0)]
    assert [(each.stage, each.reason) for each in top_failures(ledger, since=0)] == [("a", "no sound")]
    assert [(each.run, each.failures) for each in retryable_stages(ledger)] == [("dead", 1)]
    (gate,) = gates_inbox(ledger)
    assert [each.path for each in gate.artifacts] == ["a.txt"]


def test_one_run_and_why_it_waits(floor: Floor) -> None:
    """P8."""
    ledger = busy(floor).ledger

    shown = {run: get_job_status(ledger, run) for run in ("gate", "waits")}

    assert [wait.command for wait in shown["gate"].waits] == ["job-pipeline approve gate a", None]
    assert "in which gone/a is at work" in shown["waits"].waits[0].sentence
    assert json.loads(json.dumps(shown["gate"].to_json()))["artifacts"][0]["path"] == "a.txt"
    assert {run: state["state"] for run, state in run_states(ledger, ["gate", "dead"]).items()} == {
        "gate": "needs_approval",
        "dead": "failed",
    }


def test_the_trail_as_files(floor: Floor, tmp_path: Path) -> None:
    """P24."""
    files = TrailFiles(busy(floor).ledger, tmp_path)
    files.catch_up()
    reject_gate(floor.ledger, "gate", "a", operator="ann")
    (tmp_path / "runs" / "gate" / "events.jsonl").unlink()
    files.catch_up()

    whole = [event_json(event) for event in events_after(floor.ledger, 0)]
    found = [json.loads(line) for line in (tmp_path / "jobs" / "state.jsonl").read_text().splitlines()]
    of_one = [json.loads(line) for line in (tmp_path / "runs/gate/events.jsonl").read_text().splitlines()]
    assert found == whole
    assert of_one == [event for event in whole if event["run"] == "gate"]
