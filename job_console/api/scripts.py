"""Scripts: files of jobs that are handed in, what they would cost, their lines and their episodes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from job_console.api.kinds import Limit, Parts, RequestBody, operator_of
from job_console.api.queue import FILE_BODY, sent_file
from job_console.contract import ref
from job_console.episodes import EpisodeMaker, EpisodeOrder, safe_stem
from job_console.error_answers import ConsoleJson, NotFound, error_of
from job_console.openapi import changing, errors, exact, reading
from job_console.ranged import TYPES, file_answer
from job_console.zipped import ZipEntry, zip_blocks
from lib.captions import rendered
from lib.errors import BadConfiguration, UsageError
from lib.files import open_plain
from lib.jobqueue import Changed
from lib.jobs.episode import EpisodeBeat
from lib.jobs.plan import parse_speakable
from lib.jobs.proposal import proposal_of
from lib.jobs.script_lines import beats_of_script, script_lines
from lib.jobs.scripts import SCRIPT_PATTERN
from lib.jobs.submit import exit_status, submit, without_known
from lib.jobspec.files.prose import script_of_prose
from lib.storage import Storage

router = APIRouter(prefix="/scripts", tags=["scripts"])

_TEXT = {"type": "string"}
_NAME: Final = "script.yaml"
_LONGEST_STEM: Final = 95
PROSE_BODY = {
    "required": True,
    "description": "Paragraphs with blank lines between.",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/yaml": {"schema": {"type": "string"}},
    },
}
_MAYBE = {"type": ["string", "null"]}
_TIME = {"type": "string", "format": "date-time"}
_SECONDS = {"type": ["number", "null"]}
_SCRIPT = exact(
    {
        "id": _TEXT,
        "name": _TEXT,
        "operator": {**_TEXT, "description": "who handed it in"},
        "at": _TIME,
        "lines": {"type": "integer"},
        "voice": _MAYBE,
        "speaker": _MAYBE,
        "newer": {**_MAYBE, "description": "the script that this one was edited to"},
    }
)
_LINE = exact(
    {
        "number": {"type": "integer"},
        "line": {"type": "integer", "description": "of the file, from 1"},
        "request_id": _TEXT,
        "kind": _TEXT,
        "text": _TEXT,
        "voice": _MAYBE,
        "state": {"enum": ["waiting", "running", "delayed", "done", "failed", "canceled", "unknown"]},
        "changed": {"type": "boolean", "description": "it was changed since the script was handed in"},
        "audio_seconds": _SECONDS,
        "sha256": {**_MAYBE, "description": "of the chosen take, take 1 of the job"},
        "error": _MAYBE,
    }
)
_STALE = exact(
    {
        "request_id": _TEXT,
        "line": {"type": ["integer", "null"]},
        "state": {**_MAYBE, "description": "of what the queue knows"},
        "what": {"type": "array", "items": _TEXT, "description": "fields that differ"},
        "text": {**_MAYBE, "description": "of the file; of the first 200"},
        "now": {**_MAYBE, "description": "the text that the queue knows; null: it is kept no more"},
    }
)
_PROPOSAL = exact(
    {
        "plan": ref("plan"),
        "would": {"anyOf": [ref("enqueue"), {"type": "null"}], "description": "null: it has problems"},
        "stale": {"type": "array", "items": _STALE},
        "prose": {"type": "boolean", "description": "plain text: `POST /scripts/draft` makes a script of it"},
        "to_speak": exact(
            {
                "jobs": {"type": "integer"},
                "characters": {"type": "integer"},
                "audio_seconds": {"type": "number"},
                "cost_usd": _MAYBE,
            }
        ),
    }
)
_DRAFT = exact({"name": _TEXT, "text": {**_TEXT, "description": "a job file, in YAML"}})
_KEPT = exact({"script": _SCRIPT, "enqueued": ref("enqueue")})
_WHOLE = exact({"script": _SCRIPT, "lines": {"type": "array", "items": _LINE}})
_EPISODE = exact(
    {
        "state": {"enum": ["none", "making", "made", "failed"]},
        "sentence": {**_MAYBE, "description": "why it failed"},
        "current": {"type": "boolean", "description": "whether it has each line as that is by now"},
        "files": {"type": "array", "items": _TEXT},
        "audio_seconds": _SECONDS,
        "loudness_lufs": _SECONDS,
    }
)
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_EPISODE_TYPES = {kind: _BYTES for kind in sorted({*TYPES.values(), "application/octet-stream"})}
_EPISODE_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file.", "content": _EPISODE_TYPES},
    206: {"description": "The range that was asked for.", "content": _EPISODE_TYPES},
    304: {"description": "It is what `If-None-Match` names."},
    **errors(401, 404, 416, 422, 429, 503),
}
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive.", "content": {"application/zip": _BYTES}},
    **errors(401, 404, 409, 422, 429, 503),
}

ScriptId = Annotated[str, Path(pattern=SCRIPT_PATTERN, description="The id of a script.")]
Speaks = Annotated[str | None, Query(max_length=64, description="Speaks beats that name nobody.")]
FileName = Annotated[
    str, Query(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f/\\]+$", description="What it is called.")
]
Left = Annotated[
    list[str] | None,
    Query(max_length=200, description="Request ids of known jobs that stay as they are, whatever it says."),
]


class EpisodeBody(RequestBody):
    """How the episode is to be."""

    format: Literal["m4b", "m4a", "mp3", "opus", "flac", "wav"] = "m4b"
    title: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = ""
    loudness: Literal["-16", "-19", "-23", "off"] = "-19"


@router.get(
    "",
    response_model=None,
    responses=reading(exact({"scripts": {"type": "array", "items": _SCRIPT}}), "The latest first."),
)
def listing(parts: Parts, limit: Limit = 50) -> ConsoleJson:
    """List the scripts that were handed in, without those that were edited since."""
    return ConsoleJson({"scripts": [script.to_json() for script in parts.scripts.latest(limit)]})


@router.post(
    "/plan",
    response_model=None,
    responses=changing(_PROPOSAL, "What it would do.", 415),
    openapi_extra={"requestBody": FILE_BODY},
)
async def look_over(
    request: Request, parts: Parts, name: FileName = _NAME, voice: Speaks = None, speaker: Speaks = None
) -> ConsoleJson:
    """Say what is wrong with a file and at which lines, what it would enqueue, and what that costs.

    Nothing is done. `stale` are known jobs that it changes: handed in, they are spoken anew.
    """
    body = await sent_file(request)

    def work() -> ConsoleJson:
        _check_one(voice, speaker)
        found = proposal_of(
            parts.queue, body, parts.voices, parts.price, name=name, voice=voice, speaker=speaker
        )
        return ConsoleJson(found.to_json())

    return await run_in_threadpool(work)


@router.post(
    "/draft",
    response_model=None,
    responses=changing(_DRAFT, "A script, which is not kept.", 415),
    openapi_extra={"requestBody": PROSE_BODY},
)
async def draft(
    request: Request, name: FileName = _NAME, voice: Speaks = None, speaker: Speaks = None
) -> ConsoleJson:
    """Make a script of plain text: each paragraph becomes a line. Nothing is done with it."""
    body = await sent_file(request)
    _check_one(voice, speaker)
    if voice is None and speaker is None:
        raise UsageError("say who speaks it: give `voice` or `speaker`")
    topic = name.rpartition(".")[0] or name
    text = script_of_prose(body, topic=topic, voice=voice, speaker=speaker)
    return ConsoleJson({"name": f"{topic[:_LONGEST_STEM]}.yaml", "text": text})


@router.post(
    "",
    response_model=None,
    responses=changing(_KEPT, "It is kept, and its jobs are on the queue.", 409, 415),
    openapi_extra={"requestBody": FILE_BODY},
)
async def hand_in(
    request: Request,
    parts: Parts,
    name: FileName = _NAME,
    changed: Annotated[
        Changed, Query(description="What becomes of a job whose id is known with other content.")
    ] = Changed.REFUSE,
    voice: Speaks = None,
    speaker: Speaks = None,
    leave: Left = None,
    edited: Annotated[
        str | None, Query(pattern=SCRIPT_PATTERN, description="The script that this one was made of.")
    ] = None,
    operator: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Who hands it in; else who logged in.")
    ] = None,
) -> ConsoleJson:
    """Enqueue the jobs of a file, all or none, and keep it: its lines stay together, in their order.

    However often it is sent, it is one script, and each of its jobs is enqueued once.
    """
    body = await sent_file(request)
    who = operator_of(request, operator)

    def work() -> ConsoleJson:
        _check_one(voice, speaker)
        file = parse_speakable(body, parts.voices, name=name, voice=voice, speaker=speaker)
        submission = submit(parts.queue, without_known(parts.queue, file, leave or ()), changed=changed)
        if submission.refusal is not None and exit_status(submission, changed):
            return error_of(submission.refusal)
        try:
            script = parts.scripts.keep(
                body,
                file,
                name=name,
                operator=who,
                at=parts.clock.now(),
                voice=voice,
                speaker=speaker,
                edited=edited,
            )
        except OSError as error:
            raise _not_kept(len(file.specs), error) from None
        return ConsoleJson(
            {"script": script.to_json(), "enqueued": {**submission.to_json(), "dry_run": False}}
        )

    return await run_in_threadpool(work)


def _not_kept(count: int, error: OSError) -> BadConfiguration:
    jobs = "1 job is" if count == 1 else f"{count} jobs are"
    return BadConfiguration(
        f"the script is not kept here ({error.strerror or error}), but its {jobs} on the queue; once there "
        "is room in the data folder, hand it in again: nothing is spoken twice by that"
    )


def _check_one(voice: str | None, speaker: str | None) -> None:
    if voice is not None and speaker is not None:
        raise UsageError("give one of `voice` and `speaker`, not both")


@router.get("/{script}", response_model=None, responses=reading(_WHOLE, "In the order of the file.", 404))
def lines(parts: Parts, script: ScriptId) -> ConsoleJson:
    """Show the lines of a script, and how far each is."""
    found, file = parts.scripts.script(script), parts.scripts.file(script)
    told = [line.to_json() for line in script_lines(parts.queue, file.specs, file.lines)]
    return ConsoleJson({"script": found.to_json(), "lines": told})


@router.get("/{script}/episode", response_model=None, responses=reading(_EPISODE, "How far it is.", 404))
def episode(request: Request, parts: Parts, script: ScriptId) -> ConsoleJson:
    """Show whether the episode of a script is made, and whether it is of now."""
    return ConsoleJson(_maker(request).look(parts.scripts.script(script)).to_json())


@router.post(
    "/{script}/episode", response_model=None, responses=changing(_EPISODE, "It is being made.", 404, 409)
)
def make_episode(request: Request, parts: Parts, script: ScriptId, asked: EpisodeBody) -> ConsoleJson:
    """Join the lines of a script to one file with chapters and captions, each line as it is by now."""
    order = EpisodeOrder(asked.format, asked.title, asked.loudness)
    return ConsoleJson(_maker(request).begin(parts.scripts.script(script), order).to_json())


def _maker(request: Request) -> EpisodeMaker:
    maker: EpisodeMaker = request.app.state.episodes
    return maker


@router.get("/{script}/episode/{name}", response_model=None, response_class=Response, responses=_EPISODE_FILE)
def episode_file(
    request: Request,
    parts: Parts,
    script: ScriptId,
    name: Annotated[str, Path(max_length=120, description="One of its `files`.")],
) -> Response:
    """Read a file of the episode, or with `Range` a part of it."""
    place = _maker(request).place_of(parts.scripts.script(script), name)
    try:
        if place is None:
            raise FileNotFoundError
        descriptor = open_plain(place)
    except OSError:
        raise NotFound("the episode has no file of that name; make it, and see its `files`") from None
    found = os.fstat(descriptor)
    tag = f"{found.st_size:x}-{found.st_mtime_ns:x}"
    return file_answer(open(descriptor, "rb"), found.st_size, name, tag, request.headers)


@router.get("/{script}/audio.zip", response_model=None, response_class=Response, responses=_ZIP)
def archive(parts: Parts, script: ScriptId) -> Response:
    """Take all lines away: audio and captions of each, numbered in the order of the script."""
    file = parts.scripts.file(script)
    beats = beats_of_script(parts.queue, parts.storage, file.specs)
    name = safe_stem(parts.scripts.script(script).name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return StreamingResponse(
        zip_blocks(_entries(beats, parts.storage)), headers=headers, media_type="application/zip"
    )


def _entries(beats: Sequence[EpisodeBeat], storage: Storage) -> Iterator[ZipEntry]:
    for number, beat in enumerate(beats, 1):
        take = beat.record.chosen
        stem = f"{number:03}-{beat.spec.output_name.replace('/', '-')}"
        yield f"{stem}.{beat.spec.suffix}", partial(storage.open, beat.artifact)
        for suffix, content in rendered(beat.cues, take.audio_seconds).items():
            yield f"{stem}.{suffix}", partial(BytesIO, content)
