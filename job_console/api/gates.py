"""Gates: what waits for a person, and what the person decides."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from job_console.answers import ConsoleJson
from job_console.api.kinds import RUN_PATTERN, Name, Parts, RequestBody, RunId, StageName, Words, operator_of
from job_console.api.runs import tell
from job_console.contract import ref
from job_console.openapi import changing, reading
from lib.pipeline.gates import reject_gate
from lib.pipeline.inspection import approve_inspected
from lib.pipeline.overview import gates_inbox, of_pipelines
from lib.pipeline.views import gate_json

router = APIRouter(tags=["gates"])


class DecisionBody(RequestBody):
    """What a person decides, and about what."""

    operator: Name | None = None
    notes: Words | None = None
    seen: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="The digest that was looked at: what has changed since is not decided about.",
        ),
    ] = None


class ApprovalBody(DecisionBody):
    """As a decision; `elsewhere` says that the files lie on another computer and are not looked at."""

    elsewhere: bool = False


@router.get(
    "/gates",
    response_model=None,
    responses=reading(ref("job-pipeline-gates"), "The oldest first."),
)
def waiting(
    parts: Parts,
    run: Annotated[str | None, Query(pattern=RUN_PATTERN, description="Only of this run.")] = None,
    dag: Annotated[
        list[Annotated[str, Field(max_length=63)]] | None,
        Query(max_length=20, description="Only of this pipeline; may be repeated."),
    ] = None,
) -> ConsoleJson:
    """List every gate that waits for a decision, with its files and what was said before."""
    found = of_pipelines(gates_inbox(parts.ledger, run=run), dag)
    return ConsoleJson({"gates": [gate.to_json() for gate in found]})


@router.post(
    "/runs/{run}/gates/{stage}/approve",
    response_model=None,
    responses=changing(ref("job-pipeline-approve"), "It was decided so.", 404, 409),
)
def approve(request: Request, parts: Parts, run: RunId, stage: StageName, asked: ApprovalBody) -> ConsoleJson:
    """Let what follows a stage begin. The first decision wins; a later one is told who was first."""
    who = operator_of(request, asked.operator)
    folder = None if asked.elsewhere else parts.journal.folder_of(run)
    try:
        gate = approve_inspected(
            parts.ledger, run, stage, folder=folder, operator=who, notes=asked.notes, seen=asked.seen
        )
    finally:
        tell(parts)
    return ConsoleJson(gate_json(gate))


@router.post(
    "/runs/{run}/gates/{stage}/reject",
    response_model=None,
    responses=changing(ref("job-pipeline-reject"), "It was decided so.", 404, 409),
)
def reject(request: Request, parts: Parts, run: RunId, stage: StageName, asked: DecisionBody) -> ConsoleJson:
    """Refuse what a stage made: the run is paused until `advance` runs that stage anew."""
    who = operator_of(request, asked.operator)
    gate = reject_gate(parts.ledger, run, stage, operator=who, notes=asked.notes, seen=asked.seen)
    tell(parts)
    return ConsoleJson(gate_json(gate))
