"""Which gates come first and why; what was rejected is kept beside what comes instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib.pipeline.bulk_retries import retry_stages
from lib.pipeline.failures import AlreadyDecided
from lib.pipeline.gate_triage import triaged_gates
from lib.pipeline.gates import count_open_gates
from lib.pipeline.model import GateRule
from lib.pipeline.overview import retryable_stages
from lib.pipeline.rejected_texts import LONGEST_TEXT, reject_and_keep, rejected_text
from lib.pipeline.runs import StageRules, advance
from lib.pipeline.states import RunState
from lib.pipeline.trail import events_after, newest_events
from lib.pipeline.views import list_runs
from tests.contract.pipeline.floor import Floor, dag_of, file

GATED = dag_of("gated", script={"gate": True}, audio={"requires": ["script"]})


def test_gates_with_concerns_come_first_and_say_which(floor: Floor) -> None:
    """P32: exceptions before what is as it should be, and of each the oldest."""
    rules = StageRules(gates={"script": GateRule(timeout_s=600.0, on_timeout="reject")})
    floor.start(GATED, "plain")
    floor.done(floor.claim()[0])
    floor.start(GATED, "stands-in")
    floor.done(floor.claim()[0], files=[replace(file("a.png"), placeholder=True), file("b.png")])
    floor.start(GATED, "due", rules)
    floor.done(floor.claim()[0])
    floor.start(GATED, "half")
    floor.done(floor.claim()[0])
    reject_and_keep(
        floor.ledger, "half", "script", folder=Path("/nowhere"), operator="ann", notes="less moon"
    )
    advance(floor.ledger, "half", operator="ann", instruction="less moon")
    floor.done(floor.claim()[0], {"instruction": {"notes": ["less moon"], "not_applied": "no model"}})

    found = {each.waiting.gate.run: list(each.concerns) for each in triaged_gates(floor.ledger)}

    assert list(found) == ["stands-in", "due", "half", "plain"]
    assert found["stands-in"] == ["1 of 2 files are placeholders: a.png"]
    assert found["due"][0].startswith("its time is over at ")
    assert found["half"] == ["of the notes this was not done: no model"]
    assert found["plain"] == []
    assert count_open_gates(floor.ledger) == 4


def test_what_was_rejected_is_kept_and_no_other_file(floor: Floor, tmp_path: Path) -> None:
    """P20: texts alone, no link's target, nothing longer than is compared."""
    (tmp_path / "secret").write_text("not ours")
    folder = tmp_path / "runs" / "r1"
    folder.mkdir(parents=True)
    (folder / "script.txt").write_text("The moon pulls.")
    (folder / "long.txt").write_text("x" * (LONGEST_TEXT + 1))
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    (folder / "voice.mp3").write_bytes(b"ID3")
    names = ("script.txt", "long.txt", "link.txt", "gone.txt", "voice.mp3")
    floor.start(GATED)
    floor.done(
        floor.claim()[0], files=[*map(file, names[:-1]), replace(file("voice.mp3"), type="audio/mpeg")]
    )

    gate = reject_and_keep(floor.ledger, "r1", "script", folder=folder, operator="ann", notes="no")
    (folder / "script.txt").write_text("Other.")

    kept = {name: rejected_text(folder, gate, name) for name in names}
    assert kept == {**dict.fromkeys(names), "script.txt": "The moon pulls."}
    assert rejected_text(folder, gate, "../../secret") is None


def test_a_late_rejection_keeps_nothing(floor: Floor, tmp_path: Path) -> None:
    """P20: the first decision wins, and what was kept then stays."""
    (tmp_path / "script.txt").write_text("One.")
    floor.start(GATED)
    floor.done(floor.claim()[0], files=[file("script.txt")])
    gate = reject_and_keep(floor.ledger, "r1", "script", folder=tmp_path, operator="ann")
    (tmp_path / "script.txt").write_text("Two.")

    with pytest.raises(AlreadyDecided):
        reject_and_keep(floor.ledger, "r1", "script", folder=tmp_path, operator="ben")

    assert rejected_text(tmp_path, gate, "script.txt") == "One."


def test_runs_are_listed_by_state(floor: Floor) -> None:
    """P32: a state narrows what `active` and the pipeline leave."""
    for run in ("a", "b", "c"):
        floor.start(GATED, run)
    (first, *_) = floor.claim()
    floor.done(first)

    def found(*states: RunState, active: bool = False) -> list[str]:
        return [line.run.id for line in list_runs(floor.ledger, states=states, active=active)]

    assert found(RunState.NEEDS_APPROVAL) == [first.run]
    assert len(found(RunState.NEEDS_APPROVAL, RunState.RUNNING)) == 3
    assert found(RunState.COMPLETED, active=True) == []
    assert [line.run.id for line in list_runs(floor.ledger, states=[RunState.RUNNING], dags=["other"])] == []


def test_the_end_of_a_trail_is_in_order_and_goes_on_before(floor: Floor) -> None:
    """P24, P32: pages from the end are the trail itself."""
    floor.start(GATED)
    floor.done(floor.claim()[0])
    whole = events_after(floor.ledger, 0, run="r1")

    last = newest_events(floor.ledger, "r1", count=2)
    before = newest_events(floor.ledger, "r1", before=last[0].position)

    assert [*before, *last] == whole


def test_a_stage_that_was_taken_meanwhile_is_left_to_its_worker(floor: Floor) -> None:
    """P9: the others are tried again all the same."""
    floor.start(dag_of("two", one={"retries": 0}, other={"retries": 0}), "r1")
    for task in floor.claim():
        floor.fail(task)
    stages = retryable_stages(floor.ledger)
    retry_stages(floor.ledger, stages[:1], operator="ann")

    found = retry_stages(floor.ledger, stages, operator="ann")

    assert [each.stage for each in found.retried] == ["other"]
    assert len(found.refused) == 1
