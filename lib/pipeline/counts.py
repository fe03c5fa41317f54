"""Runs, stages and gates counted, for metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.pipeline.ledger import PipelineLedger, Transaction


@dataclass(frozen=True, slots=True)
class Counted:
    """How many, and the seconds that they took together; 0 where nothing of them has ended."""

    many: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PipelineCounts:
    """All runs by pipeline and state; stages by pipeline, name and state; gates by pipeline, stage, decision.

    The decision of a gate that waits is `open`.
    """

    runs: Mapping[tuple[str, str], int]
    stages: Mapping[tuple[str, str, str], Counted]
    gates: Mapping[tuple[str, str, str], Counted]


def count_pipelines(ledger: PipelineLedger) -> PipelineCounts:
    """Count everything. Time grows with the ledger. Raises Unavailable."""

    def work(transaction: Transaction) -> PipelineCounts:
        return PipelineCounts(
            runs={(row["dag"], row["state"]): int(row["many"]) for row in transaction.all("count_runs")},
            stages={
                (row["dag"], row["name"], row["state"]): Counted(int(row["many"]), float(row["seconds"]))
                for row in transaction.all("count_stages")
            },
            gates={
                (row["dag"], row["task"], row["decision"]): Counted(int(row["many"]), float(row["seconds"]))
                for row in transaction.all("count_gates")
            },
        )

    return ledger.look(work)
