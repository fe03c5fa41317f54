"""Notes at a time of a take, or of an audio file of a run."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from job_console.api.kinds import (
    REQUEST_PATTERN,
    RUN_PATTERN,
    WHOLE,
    Limit,
    Name,
    Parts,
    RequestBody,
    operator_of,
)
from job_console.api.takes import take_of
from job_console.error_answers import ConsoleJson, NotFound
from job_console.notes import LONGEST_NOTE
from job_console.openapi import changing, json_answer, reading
from job_console.route_services import ConsoleParts
from lib.jobqueue import UnknownJob
from lib.pipeline.views import list_artifacts

router = APIRouter(prefix="/notes", tags=["notes"])

_SHA256: Final = r"^[0-9a-f]{64}$"
_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_NOTE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "at", "operator", "words", "seconds", "sha256", "part", "job", "run"],
    "properties": {
        "id": _TEXT,
        "at": {"type": "string", "format": "date-time"},
        "operator": _TEXT,
        "words": _TEXT,
        "seconds": {"type": "number", "description": "from the start of the audio"},
        "sha256": {**_TEXT, "description": "of the audio"},
        "part": {**_TEXT, "description": "of a job revision and take, as r2.1; of a run the path"},
        "job": _MAYBE,
        "run": _MAYBE,
        "settled_at": {**_MAYBE, "description": "null: something is left to do about it"},
        "settled_by": _MAYBE,
    },
    "additionalProperties": False,
}
_NOTES: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["notes"],
    "properties": {"notes": {"type": "array", "items": _NOTE}},
    "additionalProperties": False,
}
_KEPT: Final[dict[int | str, dict[str, Any]]] = {
    **{status: answer for status, answer in changing(_NOTE, "", 404).items() if status != 200},
    201: json_answer(_NOTE, "It is kept."),
}


class NoteBody(RequestBody):
    """What was heard, where: in a take of a `job` (with its `revision`, if not the present one), or in the
    file `path` of a `run`.
    """

    words: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE, pattern=r"^[^\x00]*\S[^\x00]*$")]
    seconds: Annotated[float, Field(ge=0, le=1e6, strict=False, description="from the start of the audio")]
    job: Annotated[str, Field(pattern=REQUEST_PATTERN)] | None = None
    take: Annotated[int, Field(ge=1, le=1000), WHOLE] = 1
    revision: Annotated[int, Field(ge=1, le=10**9), WHOLE] | None = None
    run: Annotated[str, Field(pattern=RUN_PATTERN)] | None = None
    path: Annotated[str, Field(min_length=1, max_length=404)] | None = None
    operator: Name | None = None


class SettleBody(RequestBody):
    """Who says that nothing is left to do."""

    operator: Name | None = None


@router.get("", response_model=None, responses=reading(_NOTES, "By part, and by their times in it."))
def notes(
    parts: Parts,
    job: Annotated[str | None, Query(pattern=REQUEST_PATTERN, description="Only of this job.")] = None,
    run: Annotated[str | None, Query(pattern=RUN_PATTERN, description="Only of this run.")] = None,
    sha256: Annotated[str | None, Query(pattern=_SHA256, description="Only of this audio.")] = None,
    limit: Limit = 500,
) -> ConsoleJson:
    """List what was noted: about a job, a run, an audio, or anything; of more than `limit` the newest."""
    found = parts.notes.of(job=job, run=run, sha256=sha256)
    if len(found) > limit:
        newest = {note.id for note in sorted(found, key=lambda note: note.at)[-limit:]}
        found = [note for note in found if note.id in newest]
    return ConsoleJson({"notes": [note.to_json() for note in found]})


@router.post(
    "",
    response_model=None,
    status_code=201,
    responses=_KEPT,
)
def add(request: Request, parts: Parts, asked: NoteBody) -> ConsoleJson:
    """Note something at a time of a take, or of an audio file of a run."""
    who = operator_of(request, asked.operator)
    if (asked.job is None) == (asked.run is None):
        raise NotFound("there is no such audio: a note is of a `job`, or of a `run`; give one of them")
    sha256, part = _of_job(parts, asked) if asked.job is not None else _of_run(parts, asked)
    made = parts.notes.add(
        operator=who,
        words=asked.words.strip(),
        seconds=asked.seconds,
        sha256=sha256,
        part=part,
        job=asked.job,
        run=asked.run,
    )
    return ConsoleJson(made.to_json(), 201)


@router.post("/{note}/settle", response_model=None, responses=changing(_NOTE, "It is settled.", 404))
def settle(
    request: Request,
    parts: Parts,
    note: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Its id.")],
    asked: SettleBody,
) -> ConsoleJson:
    """Say that nothing is left to do about a note; a second time changes nothing."""
    who = operator_of(request, asked.operator)
    return ConsoleJson(parts.notes.settle(note, operator=who).to_json())


def _of_job(parts: ConsoleParts, asked: NoteBody) -> tuple[str, str]:
    """The audio's hash, and which part of the job it is. Raises NotFound, UnknownJob."""
    assert asked.job is not None
    known = parts.queue.job(asked.job)
    if known is None:
        raise UnknownJob(asked.job, parts.queue.nearest(asked.job))
    found = take_of(parts, asked.job, asked.take, asked.revision)
    if asked.seconds > found.audio_seconds:
        raise NotFound(f"take {asked.take} of {asked.job} ends after {found.audio_seconds:g} s")
    return found.main.sha256, f"r{asked.revision or known.revision}.{asked.take}"


def _of_run(parts: ConsoleParts, asked: NoteBody) -> tuple[str, str]:
    assert asked.run is not None
    found = next((each for each in list_artifacts(parts.ledger, asked.run) if each.path == asked.path), None)
    if found is None:
        raise NotFound(f"{asked.run} has no file of that name")
    return found.sha256, found.path
