"""Decides at the gates of runs that somebody attends: by asking, or by a leave that was given before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from job_pipeline.wiring import PipelineRoom
from lib.cli import output
from lib.errors import JobRunnerError
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.model import GateRow
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.runs import advance
from lib.pipeline.views import RunView
from lib.units import bytes_text

_YES: Final = frozenset({"", "y", "yes"})
_LEAVE: Final = frozenset({"q", "quit", "l", "later"})


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What becomes of a stage's result. `note` None: it is approved; else it is made anew and told this."""

    note: str | None = None


#: Answers for one gate, or leaves it open (None).
Decider = Callable[[RunView, GateRow], GateAnswer | None]


def open_gates(views: Sequence[RunView]) -> Iterator[tuple[RunView, GateRow]]:
    """Every gate that waits for a decision."""
    for view in views:
        yield from ((view, gate) for gate in view.gates if gate.decision is None)


def decide(room: PipelineRoom, views: Sequence[RunView], decider: Decider, operator: str) -> bool:
    """Decide at every gate that waits; whether any was decided."""
    decided = False
    for view, gate in open_gates(views):
        answer = decider(view, gate)
        if answer is not None:
            decided = _decided(room, gate, answer, operator) or decided
    room.tell()
    return decided


def _decided(room: PipelineRoom, gate: GateRow, answer: GateAnswer, operator: str) -> bool:
    """Carry out an answer; False where somebody else was first, or the files are not what they were."""
    try:
        folder = room.trail_files.folder_of(gate.run)
        if answer.note is None:
            approve_inspected(room.ledger, gate.run, gate.task, folder=folder, operator=operator)
            output.say_state("approved", f": {gate.task} of {gate.run}, by {operator}")
        else:
            reject_and_keep(
                room.ledger, gate.run, gate.task, folder=folder, operator=operator, notes=answer.note
            )
            advance(
                room.ledger, gate.run, stage=gate.task, operator=operator, instruction=answer.note or None
            )
            output.say_state("rejected", f": {gate.task} of {gate.run}, by {operator}; it is made anew")
    except SeenSomethingElse as error:
        output.note(error.message)
        return True  # it was noted, and is asked about again
    except JobRunnerError as error:
        output.warn(error.message)
        return False
    return True


def approves(view: RunView, gate: GateRow) -> GateAnswer:
    """Approves all."""
    return GateAnswer()


def leaves(view: RunView, gate: GateRow) -> None:
    """Decides nothing."""


def of_notes(result: Any) -> Iterator[str]:
    """What a stage that was made anew did of the notes that it was told, and what it could not."""
    told = result.get("instruction") if isinstance(result, Mapping) else None
    if isinstance(told, Mapping):
        notes = " / ".join(str(note) for note in told.get("notes") or ())
        yield f"you asked: {notes}"
        if told.get("applied"):
            yield f"  done: {told['applied']}"
        if told.get("not_applied"):
            yield f"  not done: {told['not_applied']}"


def asks(room: PipelineRoom) -> Decider:
    """Asks the person at the terminal."""

    def ask(view: RunView, gate: GateRow) -> GateAnswer | None:
        folder = room.trail_files.folder_of(gate.run)
        for sentence in of_notes(view.results.get(gate.task)):
            output.note(sentence)
        output.note(f"{gate.task} of {gate.run} waits for you; look at {folder}:")
        for file in view.artifacts:
            if file.task == gate.task:
                output.note(f"  {file.path}  {bytes_text(file.size)}")
        output.note("Enter approves; words are what it is to do otherwise; q leaves it open: ")
        said = sys.stdin.readline()
        words = " ".join(said.split())
        if not said or words.lower() in _LEAVE:
            return None
        return GateAnswer() if words.lower() in _YES else GateAnswer(words)

    return ask
