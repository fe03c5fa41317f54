"""Pictures: rows that ask for one, as any application writes them, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from job_console.api.kinds import WHOLE, Limit, Parts, RequestBody
from job_console.error_answers import ConsoleJson, NobodyNamed, NotFound
from job_console.openapi import changing, json_answer, reading
from job_console.route_services import ConsoleParts
from lib.errors import BadConfiguration
from lib.jobs.submit import Conflict
from lib.jobspec.pictures import (
    LEAST_PIXELS,
    MAX_PROMPT,
    MOST_PIXELS,
    PIXEL_STEP,
    USUAL_BACKEND,
    USUAL_HEIGHT,
    USUAL_WIDTH,
)
from lib.picture_tables.model import ShownImageJob, WantedPicture
from lib.picture_tables.orders import ask_for, image_job_json, list_jobs, show_job

router = APIRouter(prefix="/images/jobs", tags=["pictures"])

_UUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
Uuid = Annotated[str, Field(pattern=_UUID)]
OwnerQuery = Annotated[str | None, Query(pattern=_UUID, description="Only of this owner.")]


Seed = Annotated[int, Field(ge=0, le=2**32 - 1), WHOLE]
Pixels = Annotated[int, Field(ge=LEAST_PIXELS, le=MOST_PIXELS, multiple_of=PIXEL_STEP), WHOLE]

_ID: dict[str, Any] = {"type": "string", "format": "uuid"}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_IMAGE: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "null until it is drawn",
    "required": ["id", "bucket", "path", "sha256", "seed"],
    "properties": {
        "id": _ID,
        "bucket": _TEXT,
        "path": _TEXT,
        "sha256": _TEXT,
        "seed": {"type": ["integer", "null"]},
    },
    "additionalProperties": False,
}
_PROPERTIES: dict[str, Any] = {
    "id": _ID,
    "owner": {"type": ["string", "null"], "format": "uuid"},
    "prompt": {"type": "string"},
    "backend": {"type": "string"},
    "width": {"type": "integer"},
    "height": {"type": "integer"},
    "seed": {"type": ["integer", "null"]},
    "status": {"enum": ["pending", "running", "done", "failed"]},
    "error": _TEXT,
    "attempts": {"type": "integer", "minimum": 0},
    "created_at": {"type": "string", "format": "date-time"},
    "started_at": _TIME,
    "drawn_at": _TIME,
    "finished_at": _TIME,
    "image": _IMAGE,
}
_JOB: dict[str, Any] = {
    "type": "object",
    "required": list(_PROPERTIES),
    "properties": _PROPERTIES,
    "additionalProperties": False,
}
_LIST: dict[str, Any] = {
    "type": "object",
    "required": ["jobs", "after"],
    "properties": {
        "jobs": {"type": "array", "items": _JOB},
        "after": {
            "type": ["string", "null"],
            "description": "Give it as `after` for the next page; null: that was all.",
        },
    },
    "additionalProperties": False,
}


class PictureBody(RequestBody):
    """What is to be drawn, and whose it is."""

    prompt: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
    id: Annotated[Uuid | None, Field(description="Chosen by you, so that it can be sent again.")] = None
    owner: Annotated[Uuid | None, Field(description="Else IMAGEN_OWNER_USER_ID.")] = None
    backend: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = USUAL_BACKEND
    width: Pixels = USUAL_WIDTH
    height: Pixels = USUAL_HEIGHT
    seed: Annotated[Seed | None, Field(description="Else the worker's choice.")] = None


@router.post(
    "",
    response_model=None,
    status_code=201,
    responses={
        **changing(_JOB, "It was asked for before, with this id.", 409),
        201: json_answer(_JOB, "A worker draws it."),
    },
)
def ask(parts: Parts, asked: PictureBody) -> ConsoleJson:
    """Ask for a picture: a row is written, and whichever picture worker is free draws it."""
    wanted = WantedPicture(
        id=_plain(asked.id),
        owner=_owner(parts, asked.owner),
        prompt=asked.prompt,
        backend=asked.backend,
        width=asked.width,
        height=asked.height,
        seed=asked.seed,
    )
    job, made = ask_for(parts.open_images(), wanted)
    if not made and _content(job) != _content(wanted):
        raise Conflict(f"a picture of the id {job.id} was asked for, and it is another one; take another id")
    return ConsoleJson(image_job_json(job), 201 if made else 200)


@router.get("", response_model=None, responses=reading(_LIST, "The newest first."))
def listing(
    parts: Parts,
    owner: OwnerQuery = None,
    status: Annotated[
        Literal["pending", "running", "done", "failed"] | None, Query(description="Only of this status.")
    ] = None,
    limit: Limit = 20,
    after: Annotated[str | None, Query(pattern=_UUID, description="Those behind the job of this id.")] = None,
) -> ConsoleJson:
    """List pictures that were asked for; `owner` shows those of one owner alone."""
    found = list_jobs(
        parts.open_images(), owner=_plain(owner), status=status, after=_plain(after), count=limit + 1
    )
    more = len(found) > limit
    told = [image_job_json(job) for job in found[:limit]]
    return ConsoleJson({"jobs": told, "after": told[-1]["id"] if more else None})


@router.get("/{id}", response_model=None, responses=reading(_JOB, "As its row stands.", 404))
def shown(
    parts: Parts,
    id: Annotated[str, Path(pattern=_UUID, description="The id of the row.")],
    owner: OwnerQuery = None,
) -> ConsoleJson:
    """Show a picture that was asked for. With `owner` that of another one is not found."""
    job = show_job(parts.open_images(), str(UUID(id)), owner=_plain(owner))
    if job is None:
        raise NotFound(f"no picture of the id {id} was asked for")
    return ConsoleJson(image_job_json(job))


def _owner(parts: ConsoleParts, given: str | None) -> str:
    owner = given or parts.image_owner
    if owner is None:
        raise NobodyNamed("it must be known whose the picture is: give `owner`, or set IMAGEN_OWNER_USER_ID")
    try:
        return str(UUID(owner))
    except ValueError:
        raise BadConfiguration("IMAGEN_OWNER_USER_ID is no UUID; name the owner in each request") from None


def _plain(id: str | None) -> str | None:
    """A UUID as the database writes it."""
    return None if id is None else str(UUID(id))


def _content(job: WantedPicture | ShownImageJob) -> tuple[Any, ...]:
    return (job.owner, job.prompt, job.backend, job.width, job.height, job.seed)
