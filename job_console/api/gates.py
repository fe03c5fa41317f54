"""Gates: what waits for a person, and what the person decides."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from job_console.api.kinds import (
    LONGEST_PATH,
    NO_NUL,
    RUN_PATTERN,
    WHOLE,
    Name,
    Parts,
    RequestBody,
    RunId,
    StageName,
    Words,
    operator_of,
)
from job_console.api.runs import tell
from job_console.contract import ref
from job_console.error_answers import ConsoleJson
from job_console.openapi import changing, exact, reading
from job_console.route_services import ConsoleParts
from lib.errors import JobRunnerError
from lib.pipeline.edited_texts import LONGEST_EDITED, edit_text
from lib.pipeline.gate_inspection import approve_inspected
from lib.pipeline.gates import count_open_gates
from lib.pipeline.overview import gates_inbox, of_pipelines
from lib.pipeline.rejected_texts import reject_and_keep
from lib.pipeline.runs import advance
from lib.pipeline.views import gate_json, get_job_status

router = APIRouter(tags=["gates"])

_COUNT = {
    "type": "object",
    "required": ["waiting"],
    "properties": {"waiting": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_EDITED = exact(
    {
        "run": {"type": "string"},
        "stage": {"type": "string"},
        "path": {"type": "string"},
        "sha256": _SHA256,
        "size": {"type": "integer", "minimum": 0},
        "seen": {**_SHA256, "description": "what a decision is about from now on"},
        "operator": {"type": "string"},
    }
)


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
    attempt: Annotated[
        int | None,
        Field(
            ge=1,
            le=10**9,
            description="The attempt that was looked at: a later one that looks the same is another.",
        ),
        WHOLE,
    ] = None


class EditBody(RequestBody):
    """What a file is to say, and what was looked at when that was written."""

    operator: Name | None = None
    text: Annotated[
        str,
        Field(max_length=LONGEST_EDITED, pattern=NO_NUL, description="The whole of it: at most 1 MiB."),
    ]
    seen: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="The gate's digest: what has changed since is not written over.",
        ),
    ]


class RejectionBody(DecisionBody):
    """As a decision; with `anew` the stage is run anew at once, and told the notes."""

    anew: bool = False


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


@router.get("/gates/count", response_model=None, responses=reading(_COUNT, "Of all runs."))
def count(parts: Parts) -> ConsoleJson:
    """Say how many gates wait for a decision."""
    return ConsoleJson({"waiting": count_open_gates(parts.ledger)})


@router.post(
    "/runs/{run}/gates/{stage}/approve",
    response_model=None,
    responses=changing(ref("job-pipeline-approve"), "It was decided so.", 404, 409),
)
def approve(request: Request, parts: Parts, run: RunId, stage: StageName, asked: ApprovalBody) -> ConsoleJson:
    """Let what follows a stage begin. The first decision wins; a later one is told who was first."""
    who = operator_of(request, asked.operator)
    folder = None if asked.elsewhere else parts.trail_files.folder_of(run)
    try:
        gate = approve_inspected(
            parts.ledger,
            run,
            stage,
            folder=folder,
            operator=who,
            notes=asked.notes,
            seen=asked.seen,
            number=_opening_of(parts, run, stage, asked.attempt),
        )
    finally:
        tell(parts)
    return ConsoleJson(gate_json(gate))


@router.post(
    "/runs/{run}/gates/{stage}/reject",
    response_model=None,
    responses=changing(ref("job-pipeline-reject"), "It was decided so.", 404, 409),
)
def reject(request: Request, parts: Parts, run: RunId, stage: StageName, asked: RejectionBody) -> ConsoleJson:
    """Refuse what a stage made: the run is paused until `advance` runs that stage anew."""
    who = operator_of(request, asked.operator)
    try:
        gate = reject_and_keep(
            parts.ledger,
            run,
            stage,
            folder=parts.trail_files.folder_of(run),
            operator=who,
            notes=asked.notes,
            seen=asked.seen,
            number=_opening_of(parts, run, stage, asked.attempt),
        )
        if asked.anew:
            _run_anew(parts, run, stage, who, asked.notes)
    finally:
        tell(parts)
    return ConsoleJson(gate_json(gate))


@router.post(
    "/runs/{run}/gates/{stage}/files/{path:path}",
    response_model=None,
    responses=changing(_EDITED, "It says so now, and a decision is about that.", 404, 409),
)
def edit(
    request: Request,
    parts: Parts,
    run: RunId,
    stage: StageName,
    path: Annotated[
        str, Path(max_length=LONGEST_PATH, description="A text of this stage, as `gates` has it.")
    ],
    asked: EditBody,
) -> ConsoleJson:
    """Mend a text of a stage that waits at its gate. A decision about what it said before is refused then."""
    who = operator_of(request, asked.operator)
    folder = parts.trail_files.folder_of(run)
    try:
        now = edit_text(parts.ledger, run, stage, path, asked.text, folder=folder, seen=asked.seen)
    finally:
        tell(parts)
    return ConsoleJson({"run": run, "stage": stage, **asdict(now), "operator": who})


def _opening_of(parts: ConsoleParts, run: str, stage: str, attempt: int | None) -> int | None:
    """The number of the gate that an attempt opened, 0: it opened none; None: no attempt is named."""
    if attempt is None:
        return None
    gates = get_job_status(parts.ledger, run).gates
    return max((gate.number for gate in gates if (gate.task, gate.attempt) == (stage, attempt)), default=0)


def _run_anew(parts: ConsoleParts, run: str, stage: str, who: str, notes: str | None) -> None:
    """Let a stage run anew that was just rejected. Where it cannot, it is said that the rejection stands."""
    try:
        advance(parts.ledger, run, operator=who, stage=stage, instruction=notes)
    except JobRunnerError as error:
        error.message = f"{stage} of {run} was rejected and stays so, but does not run anew: {error.message}"
        raise
