"""What a link to a gate is about, as it stands now: its files, what was decided, what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.pipeline.decision_links import DecisionLink
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.rows import artifact_of, gate_of
from lib.pipeline.states import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedGate:
    """The opening of a gate that a link names, and the stage's files and earlier decisions.

    `is_canceled`: its run is, so that nothing is decided any more. Its files are those that lie there now,
    which are what it is about only while it is open.
    """

    gate: GateRow
    dag: str
    slug: str | None
    intent: str | None
    is_canceled: bool
    artifacts: Sequence[Artifact]
    before: Sequence[GateRow]

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.gate.decision is None and not self.is_canceled


def find_linked(ledger: PipelineLedger, link: DecisionLink) -> LinkedGate | None:
    """What a link is about; None where this ledger never asked that."""

    def work(transaction: Transaction) -> LinkedGate | None:
        gates = [
            gate_of(row)
            for row in transaction.all("gates_of_runs", runs=[link.run])
            if row["task"] == link.stage
        ]
        gate = next((gate for gate in gates if gate.number == link.number), None)
        row = next(iter(transaction.all("runs_by_id", runs=[link.run])), None)
        if gate is None or row is None:
            return None
        files = [artifact_of(row) for row in transaction.all("artifacts_of", run=link.run)]
        return LinkedGate(
            gate=gate,
            dag=row["dag"],
            slug=row["slug"],
            intent=row["intent"],
            is_canceled=row["hold"] == Hold.CANCELED,
            artifacts=[file for file in files if file.task == link.stage],
            before=[each for each in gates if each.number < gate.number and each.decision is not None],
        )

    return ledger.look(work)
