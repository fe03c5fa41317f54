"""Snapshots: the graphs that runs are bound to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.pipeline.graph import Graph
from lib.pipeline.ledger import PipelineLedger, Transaction


@dataclass(frozen=True, slots=True)
class GraphSnapshot:
    """A stored graph. `id` is its digest; of each pipeline at most one is active, for new runs."""

    id: str
    graph: Graph
    created_at: float
    active: bool


def save_snapshot(ledger: PipelineLedger, graph: Graph, *, activate: bool = False) -> GraphSnapshot:
    """Store a graph, once; with `activate`, or as the pipeline's first, new runs are bound to it."""

    def work(transaction: Transaction) -> GraphSnapshot:
        transaction.all("lock_snapshots")
        transaction.run(
            "save_snapshot",
            {"id": graph.digest, "dag": graph.dag, "graph": graph.to_json(), "created_at": transaction.now},
        )
        if activate or transaction.one("active_snapshot", dag=graph.dag) is None:
            transaction.run("deactivate", {"dag": graph.dag})
            transaction.run("activate", {"id": graph.digest})
        row = transaction.one("snapshot", id=graph.digest)
        assert row is not None
        return _snapshot_of(row)

    return ledger.change(work)


def active_snapshot(ledger: PipelineLedger, dag: str) -> GraphSnapshot | None:
    """The snapshot that new runs of a pipeline are bound to."""

    def work(transaction: Transaction) -> GraphSnapshot | None:
        row = transaction.one("active_snapshot", dag=dag)
        return None if row is None else _snapshot_of(row)

    return ledger.look(work)


def list_snapshots(ledger: PipelineLedger) -> list[GraphSnapshot]:
    """All snapshots, newest first."""
    return ledger.look(lambda transaction: [_snapshot_of(row) for row in transaction.all("snapshots")])


def _snapshot_of(row: Mapping[str, Any]) -> GraphSnapshot:
    return GraphSnapshot(row["id"], Graph.from_json(row["graph"]), row["created_at"], bool(row["active"]))
