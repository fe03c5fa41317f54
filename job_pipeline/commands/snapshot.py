"""`job-pipeline snapshot`: pipelines as their code is now, stored for the runs that are bound to them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import DagOption
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import rfc3339
from lib.errors import UsageError
from lib.pipeline.snapshots import GraphSnapshot, list_snapshots, save_snapshot

EXAMPLES = ("job-pipeline snapshot --dag shop.stages:dag --activate", "job-pipeline snapshot --list")

ActivateOption = Annotated[bool, typer.Option("--activate", help="Bind new runs to it from now on.")]
ListOption = Annotated[bool, typer.Option("--list", help="Show what is stored; store nothing.")]


def command(
    dag: DagOption = None,
    activate: ActivateOption = False,
    list_: ListOption = False,
    json_: JsonOption = False,
) -> None:
    """Store the graph and the code digest of pipelines. Runs that have begun are never changed by that.

    A pipeline's first snapshot is active at once: new runs are bound to it. A later one is when --activate
    says so.
    """
    if list_ and activate:
        raise UsageError("--list stores nothing, so there is nothing for --activate; leave one of them away")
    with wiring.open_room() as room:
        if list_:
            found = list_snapshots(room.ledger)
            if dag:
                names = {each.name for each in room.dags(dag)}
                found = [each for each in found if each.graph.dag in names]
        else:
            graphs = [each.graph() for each in room.dags(dag or [])]
            found = [save_snapshot(room.ledger, graph, activate=activate) for graph in graphs]
    if json_:
        output.emit_json({"snapshots": [snapshot_json(each) for each in found]})
    elif found:
        _show(found)
    else:
        output.say("No snapshot is stored yet; job-pipeline init-db stores the first.")


def snapshot_json(snapshot: GraphSnapshot) -> dict[str, Any]:
    """One snapshot."""
    return {
        "id": snapshot.id,
        "dag": snapshot.graph.dag,
        "stages": [stage.name for stage in snapshot.graph.stages],
        "code_digest": snapshot.graph.code_digest,
        "created_at": rfc3339(snapshot.created_at),
        "active": snapshot.active,
    }


def _show(found: list[GraphSnapshot]) -> None:
    columns = [output.Column(name) for name in ("dag", "snapshot", "since", "active")]
    table = output.Table([*columns, output.Column("stages", wrap=True)])
    for each in found:
        stages = ", ".join(stage.name for stage in each.graph.stages)
        since = f"{rfc3339(each.created_at)[:19]}Z"
        table.row(each.graph.dag, each.id[:12], since, "yes" if each.active else "no", stages)
    table.show()
