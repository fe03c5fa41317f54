"""Which of the gates that wait want a closer look, and why: those come first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lib.clock import rfc3339
from lib.pipeline.gates import standing_rejections
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import GateRow
from lib.pipeline.overview import WaitingGate, gates_inbox
from lib.pipeline.states import RunState
from lib.pipeline.views import RunLine, list_runs

_SOON_S: Final = 3600.0
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class TriagedGate:
    """A gate that waits, and what is known to be wrong with what it is about, in sentences."""

    waiting: WaitingGate
    concerns: Sequence[str]


def triaged_gates(ledger: PipelineLedger) -> list[TriagedGate]:
    """Every gate that waits for a person: first those with concerns, and of each kind the oldest first."""
    told = ledger.look(_told)
    found = [
        TriagedGate(each, tuple(concerns_of(each, told.get((each.gate.run, each.gate.task)))))
        for each in gates_inbox(ledger)
    ]
    return sorted(found, key=lambda each: not each.concerns)


def _told(transaction: Transaction) -> dict[tuple[str, str], Any]:
    rows = transaction.all("told_at_open_gates")
    return {(row["run"], row["name"]): json.loads(row["result"]) for row in rows}


def concerns_of(found: WaitingGate, result: Any = None) -> Iterator[str]:
    """What is known to be wrong with what a gate is about. `result`: its stage's, if that was told a note."""
    gate = found.gate
    stand_ins = [file.path for file in found.artifacts if file.placeholder]
    if stand_ins:
        more = f" and {len(stand_ins) - _NAMED} more" if len(stand_ins) > _NAMED else ""
        names = ", ".join(stand_ins[:_NAMED])
        yield f"{len(stand_ins)} of {len(found.artifacts)} files are placeholders: {names}{more}"
    if left := heeded(result).get("not_applied"):
        yield f"of the notes this was not done: {left}"
    if gate.due_at is not None:
        now = gate.opened_at + found.age_s
        if gate.due_at <= now:
            yield f"its time was over at {rfc3339(gate.due_at)[:19]}Z"
        elif gate.due_at <= now + _SOON_S:
            yield f"its time is over at {rfc3339(gate.due_at)[:19]}Z"


def heeded(result: Any) -> Mapping[str, Any]:
    """What a stage says of the notes that it was told: `notes`, `applied`, `not_applied`; nothing without."""
    told = result.get("instruction") if isinstance(result, Mapping) else None
    return told if isinstance(told, Mapping) else {}


@dataclass(frozen=True, slots=True)
class RejectedRun:
    """A run that is paused, and one of the rejections that it waits at."""

    line: RunLine
    gate: GateRow


def rejected_runs(ledger: PipelineLedger, *, count: int = 20) -> list[RejectedRun]:
    """Each rejection at which one of the newest runs is paused, for whoever lets the stage run anew."""
    return rejected_among(ledger, list_runs(ledger, count=count, states=[RunState.PAUSED]))


def rejected_among(ledger: PipelineLedger, shown: Sequence[RunLine]) -> list[RejectedRun]:
    """The rejections at which some runs are paused, run by run, the oldest first."""
    lines = [line for line in shown if line.run.state is RunState.PAUSED]
    if not lines:
        return []
    found = ledger.look(partial(standing_rejections, runs=[line.run.id for line in lines]))
    return [RejectedRun(line, gate) for line in lines for gate in found if gate.run == line.run.id]
