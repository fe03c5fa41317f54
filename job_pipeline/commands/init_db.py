"""`job-pipeline init-db`: the tables, and the pipelines as they are now."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import DagOption
from job_pipeline.commands.snapshot import snapshot_json
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.ledger import HEAD
from lib.pipeline.snapshots import active_snapshot, save_snapshot

EXAMPLES = ("job-pipeline init-db", "job-pipeline init-db --dag shop.stages:dag")


def command(dag: DagOption = None, json_: JsonOption = False) -> None:
    """Make the tables or bring them up to date, and store a snapshot of each pipeline.

    A pipeline without an active snapshot gets this one; one that has some keeps it. Doing it again changes
    nothing, and several may do it at once.
    """
    with wiring.open_room() as room:
        saved = [save_snapshot(room.ledger, each.graph()) for each in room.dags(dag or [])]
        place = room.place
        active = {each.graph.dag: active_snapshot(room.ledger, each.graph.dag) for each in saved}
    if json_:
        told = [snapshot_json(each) for each in saved]
        output.emit_json({"database": place, "schema_version": HEAD, "snapshots": told})
        return
    output.say(f"The tables in {place} are of version {HEAD}.")
    for each in saved:
        bound = active[each.graph.dag]
        word = (
            "active"
            if each.active
            else f"stored; new runs go by {'none' if bound is None else bound.id[:12]}"
        )
        output.say(f"{each.graph.dag}: snapshot {each.id[:12]}, {word}")
