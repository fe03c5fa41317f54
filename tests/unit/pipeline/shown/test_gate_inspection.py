"""An approval is about the files as they lie there (P21)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.pipeline.failures import AlreadyDecided, SeenSomethingElse, WrongState
from lib.pipeline.gate_inspection import approve_inspected, note_of_rejection, waiting_stage
from lib.pipeline.gates import reject_gate
from tests.contract.pipeline.floor import Floor, dag_of, file


@pytest.fixture
def at_its_gate(floor: Floor, tmp_path: Path) -> Floor:
    """A run whose stage `a` asks about a file that lies in `tmp_path`."""
    floor.start(dag_of("asking", a={"gate": True}, b={"requires": ["a"]}))
    (tmp_path / "a.txt").write_text("a")
    floor.done(floor.claim()[0], files=[file("a.txt")])
    return floor


def approve(floor: Floor, folder: Path | None, seen: str | None = None) -> str | None:
    gate = approve_inspected(floor.ledger, "r1", "a", folder=folder, operator="ann", seen=seen)
    return gate.decision


def test_files_that_are_what_the_ledger_says_are_approved(at_its_gate: Floor, tmp_path: Path) -> None:
    """P21."""
    assert approve(at_its_gate, tmp_path) == "approved"
    assert at_its_gate.states() == {"a": "succeeded", "b": "pending"}


def test_a_file_that_was_changed_is_looked_at_again_before_it_is_approved(
    at_its_gate: Floor, tmp_path: Path
) -> None:
    """P21."""
    (tmp_path / "a.txt").write_text("mended by hand")

    with pytest.raises(SeenSomethingElse, match=r"a\.txt of a has changed .* look again, then approve"):
        approve(at_its_gate, tmp_path)
    waiting = at_its_gate.state()

    assert waiting == "needs_approval"
    assert approve(at_its_gate, tmp_path) == "approved"
    assert "gate_voided:a" in at_its_gate.trail()


def test_who_looked_before_the_change_does_not_decide_about_it(at_its_gate: Floor, tmp_path: Path) -> None:
    """P21."""
    (tmp_path / "a.txt").write_text("mended by hand")
    with pytest.raises(SeenSomethingElse):
        approve(at_its_gate, tmp_path)

    with pytest.raises(SeenSomethingElse, match="changed since you looked"):
        approve(at_its_gate, tmp_path, seen="what it was before")


def test_a_file_that_is_gone_is_not_approved_unless_it_lies_elsewhere(
    at_its_gate: Floor, tmp_path: Path
) -> None:
    """P21."""
    (tmp_path / "a.txt").unlink()

    with pytest.raises(SeenSomethingElse, match=r"a\.txt of a cannot be read"):
        approve(at_its_gate, tmp_path)
    assert approve(at_its_gate, None) == "approved"


def test_a_gate_that_was_decided_says_by_whom_whatever_lies_there(at_its_gate: Floor, tmp_path: Path) -> None:
    """P20."""
    approve(at_its_gate, tmp_path)
    (tmp_path / "a.txt").unlink()

    with pytest.raises(AlreadyDecided, match="approved by ann"):
        approve(at_its_gate, tmp_path)


def test_the_one_stage_that_waits_need_not_be_named(at_its_gate: Floor, tmp_path: Path) -> None:
    named = waiting_stage(at_its_gate.ledger, "r1")
    approve(at_its_gate, tmp_path)

    assert named == "a"
    with pytest.raises(WrongState, match="no stage of r1 waits"):
        waiting_stage(at_its_gate.ledger, "r1")


def test_the_note_of_a_rejection_is_the_newest_and_must_be_there(at_its_gate: Floor) -> None:
    with pytest.raises(WrongState, match="--note"):
        note_of_rejection(at_its_gate.ledger, "r1", None)
    reject_gate(at_its_gate.ledger, "r1", "a", operator="ann", notes="less moon")

    assert note_of_rejection(at_its_gate.ledger, "r1", None) == "less moon"
    with pytest.raises(WrongState, match="no rejection of b"):
        note_of_rejection(at_its_gate.ledger, "r1", "b")
