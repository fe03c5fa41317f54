"""`job-pipeline gates`: what waits for a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from job_pipeline import wiring
from job_pipeline.commands.options import OfDagOption, RunOption
from job_pipeline.display.trail import artifact_text
from lib.cli import output
from lib.cli.options import JsonOption
from lib.clock import rfc3339
from lib.errors import BadConfiguration, UsageError
from lib.pipeline.operator_names import checked_operator
from lib.pipeline.overview import WaitingGate, gates_inbox, of_pipelines
from lib.units import seconds_text

if TYPE_CHECKING:
    from lib.pipeline.decision_links import LinkMaker

EXAMPLES = (
    "job-pipeline gates",
    "job-pipeline gates --watch",
    "job-pipeline gates --link --operator ann",
)

WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="Stay on the screen, and decide by keys.", show_default=False)
]

LinkOption = Annotated[
    bool, typer.Option("--link", help="Print links that decide, for whoever is to be sent one.")
]
ForOption = Annotated[
    list[str] | None,
    typer.Option(
        "--operator",
        metavar="NAME",
        help="Who decides; with --link it may be repeated. Else JOB_CONSOLE_REVIEWERS there, else you.",
        show_default=False,
    ),
]


def command(
    run: RunOption = None,
    dag: OfDagOption = None,
    watch: WatchOption = False,
    link: LinkOption = False,
    operator: ForOption = None,
    json_: JsonOption = False,
) -> None:
    """List every gate that waits for a decision, the oldest first: what it is about, what was said before.

    With --link each comes with a link to the console at JOB_CONSOLE_URL. Whoever opens it sees and hears what
    the gate is about and decides once, without a token, for as long as JOB_CONSOLE_LINK_SECONDS says.

    With --watch they stay on the screen: J and K go to the next one and back, 1 to 9 choose a file, the space
    bar plays it, A approves, R rejects with a note. A decision is sent after ten seconds, or when the program
    ends by Ctrl-C; until then U takes it back.
    """
    if watch:
        _watch(run, dag, link or json_, operator or ())
        return
    if operator and not link:
        raise UsageError("--operator says who decides; give --watch or --link with it")
    with wiring.open_room() as room:
        found = of_pipelines(gates_inbox(room.ledger, run=run), room.names(dag))
        links = _links(room, operator or ()) if link else None
    now = time.time()
    if json_:
        more = [{} if links is None else {"links": links.links_to(gate.gate, now)} for gate in found]
        told = [{**gate.to_json(), **each} for gate, each in zip(found, more, strict=True)]
        output.emit_json({"gates": told})
        return
    for gate in found:
        _show(gate)
        for each in links.links_to(gate.gate, now) if links else ():
            output.say(f"     link for {each['operator']}, until {each['expires_at'][:16]}Z: {each['url']}")
    if not found:
        output.note("nothing waits for a decision")


def _watch(run: str | None, dag: list[str] | None, otherwise: bool, names: Sequence[str]) -> None:
    if otherwise or run or dag:
        raise UsageError("--watch shows every gate on the screen; leave out --run, --dag, --link and --json")
    if len(names) > 1:
        raise UsageError("one person decides at a terminal; give --operator once")
    from lib.cli.gate_watch import LedgerRoom, watch_gates

    who = wiring.operator_of(names[0] if names else None)
    with wiring.open_room() as room:
        desk = LedgerRoom(room.ledger, room.trail_files, who, room.tell)
        watch_gates(desk, every_s=1.0, what="job-pipeline gates --watch")


def _links(room: wiring.PipelineRoom, names: Sequence[str]) -> LinkMaker:
    found = wiring.links_of(room.found, [checked_operator(name) for name in names])
    if found is None:
        raise BadConfiguration(
            "where links lead to is not known: set JOB_CONSOLE_URL to the address at which the console is "
            "reached, as in https://console.example.org"
        )
    return found


def _show(found: WaitingGate) -> None:
    gate = found.gate
    due = "" if gate.due_at is None else f", due {rfc3339(gate.due_at)[:19]}Z"
    output.say_state("GATE", f" {gate.run} {gate.task}, for {seconds_text(found.age_s)}{due} ({found.dag})")
    for artifact in found.artifacts:
        output.say(f"     {artifact_text(artifact)}")
    for before in found.before:
        said = f": {before.notes}" if before.notes else ""
        output.say(f"     {before.decision} in attempt {before.attempt} by {before.operator}{said}")
    output.say(f"     seen {gate.seen}")
