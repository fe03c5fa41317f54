"""Gates: where a run waits for a person, who decides about exactly what was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lib.clock import rfc3339
from lib.pipeline.failures import AlreadyDecided, SeenSomethingElse, WrongState, unknown_stage
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact, EventKind, GateRow
from lib.pipeline.rows import artifact_columns, gate_of
from lib.pipeline.run_transitions import Board
from lib.pipeline.states import Hold, TaskState
from lib.pipeline.work import to_json

#: Who decided where no person did.
AUTO, TIMEOUT = "auto", "timeout"


def digest_of(result: str, files: Mapping[str, str]) -> str:
    """sha256 of what an operator sees: a result (JSON text) and files (path to sha256)."""
    return hashlib.sha256(to_json([result, dict(files)]).encode()).hexdigest()


def ask(transaction: Transaction, board: Board, name: str, seen: str) -> None:
    """Open the gate of a task that has just come to it, about what `seen` stands for."""
    task = board.tasks[name]
    assert task.gate is not None
    rule, now = task.gate, transaction.now
    at_once = rule.auto_approve
    transaction.run(
        "open_gate",
        {
            "run": board.run.id,
            "task": name,
            "attempt": task.attempt,
            "seen": seen,
            "now": now,
            "due_at": None if rule.timeout_s is None or rule.on_timeout == "wait" else now + rule.timeout_s,
            "decision": "approved" if at_once else None,
            "operator": AUTO if at_once else None,
            "decided_at": now if at_once else None,
        },
    )
    if at_once:
        board.approved(name, AUTO)


def still_approved(transaction: Transaction, run: str, task: str, seen: str) -> bool:
    """Whether the last decision about a gate approved exactly this."""
    row = transaction.one("gate", run=run, task=task)
    return row is not None and row["decision"] == "approved" and row["seen"] == seen


def approve_gate(
    ledger: PipelineLedger,
    run: str,
    stage: str,
    *,
    operator: str,
    notes: str | None = None,
    seen: str | None = None,
    number: int | None = None,
) -> GateRow:
    """Let what follows a stage begin; the gate as it was decided.

    `seen` is the digest that the operator looked at; None: what is there now. `number` is the opening of the
    gate that is meant; None: the one that is open now.

    Raises:
        UnknownRun, UnknownStage: there is none.
        WrongState: the stage waits for nobody.
        AlreadyDecided: somebody was first; the sentence says who.
        SeenSomethingElse: the stage made something else meanwhile.
    """
    return _decide(ledger, run, stage, "approved", operator, notes, seen, number)


def reject_gate(
    ledger: PipelineLedger,
    run: str,
    stage: str,
    *,
    operator: str,
    notes: str | None = None,
    seen: str | None = None,
    number: int | None = None,
) -> GateRow:
    """Refuse what a stage made: the run is paused until `advance` lets the stage run anew.

    Raises: as `approve_gate`.
    """
    return _decide(ledger, run, stage, "rejected", operator, notes, seen, number)


def _decide(
    ledger: PipelineLedger,
    run: str,
    stage: str,
    decision: str,
    operator: str,
    notes: str | None,
    seen: str | None,
    number: int | None,
) -> GateRow:
    def step(board: Board, transaction: Transaction) -> GateRow:
        gate = open_gate(transaction, board, stage)
        if number not in (None, gate.number):
            raise AlreadyDecided(
                f"the gate {stage} of {run} was decided and is open anew, about what was made since"
            )
        if seen is not None and seen != gate.seen:
            raise SeenSomethingElse(
                f"what {stage} of {run} made has changed since you looked; look again, then decide"
            )
        return _close(transaction, board, gate, decision, operator, notes)

    return ledger.change_run(run, step)


def open_gate(transaction: Transaction, board: Board, stage: str) -> GateRow:
    """The gate of a stage that waits for a person. Raises as `approve_gate`, without `SeenSomethingElse`."""
    run = board.run.id
    if stage not in board.tasks:
        raise unknown_stage(run, stage, list(board.tasks))
    row = transaction.one("gate", run=run, task=stage)
    if row is None:
        raise WrongState(
            f"the stage {stage} of {run} is {board.tasks[stage].state}; it waits for nobody's decision"
        )
    gate = gate_of(row)
    if gate.decision is not None or board.tasks[stage].state is not TaskState.NEEDS_APPROVAL:
        when = rfc3339(gate.decided_at or transaction.now)
        raise AlreadyDecided(f"the gate {stage} of {run} was {gate.decision} by {gate.operator} at {when}")
    return gate


def _close(
    transaction: Transaction, board: Board, gate: GateRow, decision: str, operator: str, notes: str | None
) -> GateRow:
    transaction.run(
        "decide",
        {
            "number": gate.number,
            "decision": decision,
            "operator": operator,
            "notes": notes,
            "now": transaction.now,
        },
    )
    step = board.approved if decision == "approved" else board.rejected
    step(gate.task, operator, notes)
    return replace(gate, decision=decision, operator=operator, notes=notes, decided_at=transaction.now)


def look_again(ledger: PipelineLedger, run: str, stage: str, files: Sequence[Artifact]) -> str:
    """Note the files of a stage as they are now, changed by somebody at its open gate; the new digest.

    A decision about what they were before is refused from now on.

    Raises: as `approve_gate`, without `SeenSomethingElse`.
    """

    def step(board: Board, transaction: Transaction) -> str:
        return note_files(transaction, board, open_gate(transaction, board, stage), files)

    return ledger.change_run(run, step)


def note_files(transaction: Transaction, board: Board, gate: GateRow, files: Sequence[Artifact]) -> str:
    """As `look_again`, within a change of the run that has found its gate open."""
    run, stage = gate.run, gate.task
    columns = [
        artifact_columns(run, replace(file, task=stage, attempt=gate.attempt, at=transaction.now))
        for file in files
    ]
    transaction.run("record_artifact", columns)
    row = next(row for row in transaction.all("tasks_of", run=run) if row["name"] == stage)
    rows = [row for row in transaction.all("artifacts_of", run=run) if row["task"] == stage]
    seen = digest_of(row["result"], {row["path"]: row["sha256"] for row in rows})
    if seen != gate.seen:
        transaction.run("look_again", {"number": gate.number, "seen": seen})
        board.tell(EventKind.GATE_VOIDED, stage, seen=seen)
    return seen


def standing_rejections(transaction: Transaction, runs: Sequence[str]) -> list[GateRow]:
    """The rejections in some runs after which nobody has let the stage run anew yet, the oldest first."""
    return [gate_of(row) for row in transaction.all("standing_rejections", runs=list(runs))]


def open_gates(ledger: PipelineLedger) -> list[GateRow]:
    """Every gate that waits for a person, the oldest first."""
    return ledger.look(lambda transaction: [gate_of(row) for row in transaction.all("open_gates")])


def count_open_gates(ledger: PipelineLedger) -> int:
    """How many gates wait for a person."""
    return int(ledger.look(lambda transaction: transaction.all("count_open_gates"))[0]["many"])


def time_out_gates(ledger: PipelineLedger, *, count: int = 100) -> list[GateRow]:
    """Do at gates whose time is over what their rule says; those gates."""
    due = ledger.look(
        lambda transaction: [
            gate_of(r) for r in transaction.all("due_gates", now=transaction.now, count=count)
        ]
    )
    return [gate for gate in due if _time_out(ledger, gate)]


def _time_out(ledger: PipelineLedger, gate: GateRow) -> bool:
    def step(board: Board, transaction: Transaction) -> bool:
        row = transaction.one("gate", run=gate.run, task=gate.task)
        if (
            row is None
            or row["number"] != gate.number
            or row["decision"] is not None
            or board.run.hold is Hold.CANCELED
        ):
            return False
        rule = board.tasks[gate.task].gate
        assert rule is not None
        transaction.run("remind", {"number": gate.number, "now": transaction.now})
        if rule.on_timeout == "remind":
            board.tell(EventKind.GATE_REMINDED, gate.task)
        else:
            decision = "approved" if rule.on_timeout == "approve" else "rejected"
            _close(transaction, board, gate, decision, TIMEOUT, "nobody decided in time")
        return True

    return ledger.change_run(gate.run, step)
