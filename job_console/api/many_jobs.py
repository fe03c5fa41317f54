"""Many jobs at once: lists of them, withdrawing and requeueing them, and holding the whole queue."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from job_console.api.kinds import REQUEST_PATTERN, WHOLE, Limit, Parts, RequestBody
from job_console.contract import ref
from job_console.error_answers import ConsoleJson
from job_console.openapi import changing, exact, reading
from lib.jobqueue import JobState
from lib.jobs.error_groups import SIGNATURE_PATTERN, error_groups
from lib.jobs.history import CURSOR_PATTERN
from lib.jobs.pause import hold
from lib.jobs.retry import RetriedPage, retry, retry_page
from lib.jobs.unfinished import PLACE_PATTERN, cancel_named, cancel_page, unfinished_page

router = APIRouter(prefix="/queue", tags=["queue"])

_AT_ONCE: Final = 500
_GROUPED: Final = 1000
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_MORE = {"type": ["string", "null"], "description": "where to go on; null: that was the last step"}


def _or_null(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


_JOB = exact(
    {
        "request_id": _TEXT,
        "state": {"enum": ["waiting", "running", "delayed"]},
        "since": _TIME,
        "enqueued_at": _TIME,
        "priority": {"enum": ["high", "normal", "low"]},
        "attempt": {"type": "integer"},
        "max_attempts": {"type": "integer"},
        "revision": {"type": "integer"},
        "due_at": {**_or_null("string"), "description": "when a delayed job becomes waiting"},
        "watcher": _or_null("string"),
        "host": _or_null("string"),
        "progress": _or_null("object"),
        "last_error": _or_null("object"),
        "voice": _or_null("string"),
        "text": {**_TEXT, "description": "how it begins"},
    }
)
_JOBS = exact({"jobs": {"type": "array", "items": _JOB}, "after": _MORE})
_CANCELED = exact(
    {
        "canceled": {"type": "integer", "description": "how many this call withdrew"},
        "jobs": {"type": "array", "items": ref("cancel", "/oneOf/0")},
        "after": _MORE,
    }
)
_RETRIED = exact(
    {
        "requeued": {"type": "integer"},
        "jobs": ref("retry", "/properties/jobs"),
        "after": _MORE,
    }
)
_FAILURES = exact(
    {
        "groups": {
            "type": "array",
            "items": exact(
                {
                    "signature": {**_TEXT, "description": "the same for failures that look alike"},
                    "class": _TEXT,
                    "message": {**_TEXT, "description": "of the latest one"},
                    "count": {"type": "integer"},
                    "first_at": _TIME,
                    "last_at": _TIME,
                    "jobs": {"type": "array", "items": _TEXT, "description": "the latest ones"},
                }
            ),
        },
        "looked_at": {"type": "integer", "description": f"the latest failures, at most {_GROUPED}"},
    }
)


Unfinished = Literal["waiting", "running", "delayed"]
Part = Annotated[str, Query(max_length=200, description="Only ids that hold this, whatever its capitals.")]
_Ids = Annotated[
    list[Annotated[str, Field(pattern=REQUEST_PATTERN)]], Field(min_length=1, max_length=_AT_ONCE)
]
_AtOnce = Annotated[
    int,
    Field(ge=1, le=_AT_ONCE, description="How many at most in this step."),
    WHOLE,  # behind the bounds, else the OpenAPI has none
]
_Part = Annotated[str, Field(max_length=200)]
_Since = Annotated[float, Field(ge=0, le=1e11)]


_ONE_WAY: Final[JsonDict] = {
    "oneOf": [
        {"required": ["jobs"], "properties": {"jobs": {"type": "array"}, "state": {"type": "null"}}},
        {"required": ["state"], "properties": {"jobs": {"type": "null"}, "state": {"type": "string"}}},
    ]
}


class _Chosen(RequestBody):
    """Jobs by their ids, or all that a page shows: one of the two."""

    model_config = ConfigDict(json_schema_extra=_ONE_WAY)

    jobs: _Ids | None = None
    text: _Part = ""
    limit: _AtOnce = _AT_ONCE

    @model_validator(mode="after")
    def _one_way(self) -> _Chosen:
        if (self.jobs is None) == (getattr(self, "state", None) is None):
            raise ValueError("give either `jobs` or `state`")
        return self


class CancelManyBody(_Chosen):
    """Which unfinished jobs to withdraw: named ones, or a page of those in a state; then go on at `after`."""

    state: Unfinished | None = None
    after: Annotated[str, Field(pattern=PLACE_PATTERN)] | None = None


class RetryManyBody(_Chosen):
    """Which jobs to requeue: named ones, or a page of those that ended so; then go on at `after`."""

    state: Literal["failed", "canceled"] | None = None
    since: _Since | None = None
    signature: Annotated[str, Field(pattern=SIGNATURE_PATTERN)] | None = None
    after: Annotated[str, Field(pattern=CURSOR_PATTERN)] | None = None


@router.get("/jobs", response_model=None, responses=reading(_JOBS, "In their order."))
def unfinished(
    parts: Parts,
    state: Annotated[Unfinished, Query(description="Which ones.")] = "waiting",
    limit: Limit = 50,
    text: Part = "",
    after: Annotated[
        str | None, Query(pattern=PLACE_PATTERN, description="Behind the page that said so as its `after`.")
    ] = None,
) -> ConsoleJson:
    """List the jobs that wait, run or are delayed. A page may hold few or none, and `after` go on."""
    page = unfinished_page(parts.queue, JobState(state), limit=limit, text=text, after=after)
    return ConsoleJson(page.to_json())


@router.get("/failures", response_model=None, responses=reading(_FAILURES, "The largest group first."))
def failures(parts: Parts) -> ConsoleJson:
    """Group the latest failures by what they share."""
    failed = parts.queue.history(limit=_GROUPED, status=JobState.FAILED)
    groups = [group.to_json() for group in error_groups(failed)]
    return ConsoleJson({"groups": groups, "looked_at": len(failed)})


@router.post("/cancel", response_model=None, responses=changing(_CANCELED, "What became of each."))
def withdraw_many(parts: Parts, asked: CancelManyBody) -> ConsoleJson:
    """Withdraw many unfinished jobs, at most 500 a step; those that are finished meanwhile stay so."""
    if asked.jobs is not None:
        return ConsoleJson(cancel_named(parts.queue, asked.jobs).to_json())
    assert asked.state is not None, "one of both is there"
    state = JobState(asked.state)
    done = cancel_page(parts.queue, state, limit=asked.limit, text=asked.text, after=asked.after)
    return ConsoleJson(done.to_json())


@router.post("/retry", response_model=None, responses=changing(_RETRIED, "What became of each."))
def requeue_many(parts: Parts, asked: RetryManyBody) -> ConsoleJson:
    """Put many failed or canceled jobs back on the queue, at most 500 a step; any other stays as it is."""
    if asked.jobs is not None:
        return ConsoleJson(RetriedPage(retry(parts.queue, asked.jobs), None).to_json())
    assert asked.state is not None, "one of both is there"
    done = retry_page(
        parts.queue,
        JobState(asked.state),
        limit=asked.limit,
        since=asked.since,
        text=asked.text,
        signature=asked.signature,
        after=asked.after,
    )
    return ConsoleJson(done.to_json())


@router.post("/pause", response_model=None, responses=changing(ref("pause"), "It is paused now."))
def pause(parts: Parts) -> ConsoleJson:
    """Stop giving out jobs. Those that run are finished, and enqueueing goes on."""
    return ConsoleJson(hold(parts.queue, paused=True).to_json())


@router.post("/resume", response_model=None, responses=changing(ref("resume"), "It goes on now."))
def resume(parts: Parts) -> ConsoleJson:
    """Give out jobs again."""
    return ConsoleJson(hold(parts.queue, paused=False).to_json())
