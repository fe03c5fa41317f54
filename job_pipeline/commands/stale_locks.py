"""`job-pipeline stale-locks`: leases that ran out."""

from __future__ import annotations

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption
from lib.cli import output
from lib.cli.options import JsonOption
from lib.pipeline.overview import of_pipelines, stale_leases
from lib.units import seconds_text

EXAMPLES = ("job-pipeline stale-locks",)


def command(dag: OfDagOption = None, json_: JsonOption = False) -> None:
    """List stages whose worker let its lease run out and that nobody took back yet; `recovery` does."""
    with wiring.open_room() as room:
        found = of_pipelines(stale_leases(room.ledger), room.names(dag))
    if json_:
        output.emit_json({"leases": [lease.to_json() for lease in found]})
        return
    if not found:
        output.note("no lease has run out")
        return
    names = ("run", "stage", "attempt", "owner", "ran out")
    table = output.Table([output.Column(name) for name in names])
    for lease in found:
        table.row(lease.run, lease.stage, lease.attempt, lease.owner, f"{seconds_text(lease.age_s)} ago")
    table.show()
    output.note("job-pipeline recovery takes them back")
