"""Runs of pipelines: what `job-pipeline` starts, lists, shows and steers."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from job_console.api.kinds import RUN_PATTERN, Limit, Name, Parts, RequestBody, RunId, Words, operator_of
from job_console.contract import ref
from job_console.error_answers import ConsoleJson
from job_console.openapi import changing, json_answer, reading
from job_console.route_services import ConsoleParts
from lib.errors import UsageError
from lib.foreign import DEEPEST, is_deeper
from lib.pipeline.bulk_retries import retry_stages
from lib.pipeline.gate_inspection import note_of_rejection
from lib.pipeline.overview import retryable_stages
from lib.pipeline.ruled_runs import start_by_rules, stored_pipeline
from lib.pipeline.runs import NewRun, advance, cancel_job, resume, retry
from lib.pipeline.states import RunState
from lib.pipeline.trail import events_after
from lib.pipeline.views import event_json, get_job_status, list_runs

log = logging.getLogger(__name__)
_ANEW = "This stage runs anew: at once, or when the others in `rejected` were advanced, too."
router = APIRouter(prefix="/runs", tags=["runs"])

_LIST = {
    "type": "object",
    "required": ["runs", "after"],
    "properties": {
        "runs": ref("job-pipeline-list-jobs", "/properties/runs"),
        "after": {"type": ["string", "null"], "description": "where to read on; null: there are no more"},
    },
    "additionalProperties": False,
}


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    if is_deeper(value, DEEPEST):
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return value


FlatObject = Annotated[
    dict[str, Any], AfterValidator(_bounded), Field(description=f"At most {DEEPEST} levels deep.")
]


class StartBody(RequestBody):
    """A run to start."""

    dag: Annotated[
        str | None, Field(max_length=63, description="A stored pipeline; may be left out where one is.")
    ] = None
    id: Annotated[
        str | None,
        Field(
            pattern=RUN_PATTERN,
            description="Its id, yours to choose: sent again with the same inputs it starts nothing.",
        ),
    ] = None
    inputs: FlatObject = Field(default_factory=dict)
    metadata: FlatObject = Field(default_factory=dict)
    slug: Words | None = None
    intent: Words | None = None


class CancelBody(RequestBody):
    """Who stops a run, and why."""

    operator: Name | None = None
    notes: Words | None = None


class RetryBody(RequestBody):
    """Who gives which stage its attempts anew."""

    operator: Name | None = None
    stage: Annotated[str | None, Field(max_length=63, description="Else every dead stage of the run.")] = None


class ResumeBody(RequestBody):
    """Who lets a run go on."""

    operator: Name | None = None


#: What is to be done otherwise is said in words of one's own, or in those of the rejection.
_BOTH_NOTES: JsonDict = {
    "required": ["note", "with_note"],
    "properties": {"note": {"type": "string"}, "with_note": {"const": True}},
}


class AdvanceBody(RequestBody):
    """Who lets which stage run anew, and what it is told."""

    model_config = ConfigDict(json_schema_extra={"not": _BOTH_NOTES})

    operator: Name | None = None
    stage: Annotated[str | None, Field(max_length=63, description="Else the one that was rejected.")] = None
    note: Annotated[Words | None, Field(description="What it is to do otherwise.")] = None
    with_note: Annotated[bool, Field(description="Tell it the notes of its rejection.")] = False


def tell(parts: ConsoleParts) -> None:
    """Bring the files of the trail up to date after a change, which stands whatever comes of that."""
    try:
        parts.trail_files.catch_up()
    except OSError as error:
        log.warning("the trail could not be written (%s); the next change writes it", error.strerror)


@router.get("", response_model=None, responses=reading(_LIST, "The newest first.", 404))
def runs(
    parts: Parts,
    limit: Limit = 20,
    active: Annotated[bool, Query(description="Only those that have not ended.")] = False,
    dag: Annotated[
        list[Annotated[str, Field(max_length=63, pattern=r"^[^\x00]*$")]] | None,
        Query(max_length=20, description="Only of this pipeline; may be repeated."),
    ] = None,
    state: Annotated[
        list[RunState] | None, Query(max_length=20, description="Only in this state; may be repeated.")
    ] = None,
    after: Annotated[
        str | None, Query(pattern=RUN_PATTERN, description="Those behind the run of this id.")
    ] = None,
) -> ConsoleJson:
    """List runs, each with its stages."""
    lines = list_runs(parts.ledger, count=limit, active=active, dags=dag, states=state, behind=after)
    more = lines[-1].run.id if len(lines) == limit else None
    return ConsoleJson({"runs": [line.to_json() for line in lines], "after": more})


@router.post(
    "",
    response_model=None,
    responses={
        **changing(ref("job-pipeline-enqueue"), "It was started before, with the same inputs.", 404, 409),
        201: json_answer(ref("job-pipeline-enqueue"), "It was started."),
    },
)
def start(parts: Parts, asked: StartBody) -> ConsoleJson:
    """Start a run, bound to the pipeline's active snapshot for life; the same id and inputs start it once."""
    found = start_by_rules(
        parts.ledger,
        stored_pipeline(parts.ledger, asked.dag),
        NewRun(
            id=asked.id, inputs=asked.inputs, metadata=asked.metadata, slug=asked.slug, intent=asked.intent
        ),
        config=parts.config,
        timeout_s=parts.task_timeout_s,
        max_attempts=parts.max_attempts,
    )
    tell(parts)
    return ConsoleJson(found.to_json(), 201 if found.started.created else 200)


@router.get(
    "/{run}", response_model=None, responses=reading(ref("job-pipeline-show"), "All that is known.", 404)
)
def show(parts: Parts, run: RunId) -> ConsoleJson:
    """Show one run, and why nothing moves."""
    return ConsoleJson(get_job_status(parts.ledger, run).to_json())


@router.get(
    "/{run}/trail",
    response_model=None,
    responses=reading(ref("job-pipeline-events", "/oneOf/0"), "In the order of all events.", 404),
)
def trail(
    parts: Parts,
    run: RunId,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=10**15, description="Only what stands behind this position.")] = 0,
) -> ConsoleJson:
    """Show what happened to a run; read on behind the last position."""
    events = events_after(parts.ledger, after, run=run, count=limit)
    if not events:
        get_job_status(parts.ledger, run)  # says that there is none
    return ConsoleJson([event_json(event) for event in events])


@router.post(
    "/{run}/cancel",
    response_model=None,
    responses=changing(ref("job-pipeline-cancel"), "It is canceled now.", 404, 409),
)
def cancel(request: Request, parts: Parts, run: RunId, asked: CancelBody) -> ConsoleJson:
    """Stop a run; a second time changes nothing."""
    who = operator_of(request, asked.operator)
    changed = cancel_job(parts.ledger, run, operator=who, notes=asked.notes)
    tell(parts)
    return ConsoleJson({"run": run, "changed": changed, "operator": who})


@router.post(
    "/{run}/resume",
    response_model=None,
    responses=changing(ref("job-pipeline-resume"), "These stages run again.", 404, 409),
)
def go_on(request: Request, parts: Parts, run: RunId, asked: ResumeBody) -> ConsoleJson:
    """Let a failed or canceled run go on; what is finished stays."""
    who = operator_of(request, asked.operator)
    stages = resume(parts.ledger, run, operator=who)
    tell(parts)
    return ConsoleJson({"run": run, "stages": stages, "operator": who})


@router.post(
    "/{run}/retry",
    response_model=None,
    responses=changing(ref("job-pipeline-retry-dead"), "These stages are tried again.", 404, 409),
)
def try_again(request: Request, parts: Parts, run: RunId, asked: RetryBody) -> ConsoleJson:
    """Give the dead stages of a run their attempts anew, or the failed or dead one that is named."""
    who = operator_of(request, asked.operator)
    get_job_status(parts.ledger, run)  # says that there is none
    mine = [
        each
        for each in retryable_stages(parts.ledger)
        if each.run == run and (each.state == "dead" if asked.stage is None else each.stage == asked.stage)
    ]
    if asked.stage is not None and not mine:
        retry(parts.ledger, run, asked.stage, operator=who)  # says why it cannot be
    found = retry_stages(parts.ledger, mine, operator=who)
    tell(parts)
    return ConsoleJson(found.to_json())


@router.post(
    "/{run}/advance",
    response_model=None,
    responses=changing(ref("job-pipeline-advance"), _ANEW, 404, 409),
)
def run_anew(request: Request, parts: Parts, run: RunId, asked: AdvanceBody) -> ConsoleJson:
    """Run a stage anew and go on from there."""
    if asked.note is not None and asked.with_note:
        raise UsageError("`note` is an instruction of its own; leave it or `with_note` away")
    who = operator_of(request, asked.operator)
    told = note_of_rejection(parts.ledger, run, asked.stage) if asked.with_note else asked.note
    stage = advance(parts.ledger, run, operator=who, stage=asked.stage, instruction=told)
    others = [gate.task for gate in get_job_status(parts.ledger, run).rejected]
    tell(parts)
    return ConsoleJson({"run": run, "stage": stage, "instruction": told, "operator": who, "rejected": others})
