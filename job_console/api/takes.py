"""What a job made, to hear and to see: its takes, their waveforms, words and files, of any revision."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from job_console.api.kinds import FILE_ANSWERS, Parts, RequestId
from job_console.contract import ref
from job_console.error_answers import ConsoleJson, NotFound
from job_console.openapi import reading
from job_console.ranged import file_answer
from job_console.route_services import ConsoleParts
from job_console.waveforms import PEAKS
from lib.jobqueue import FinishedJob
from lib.jobs.results import ending_or_record
from lib.jobspec import CAPTION_SUFFIXES, PEAKS_SUFFIX
from lib.records import FileRef, Take
from lib.records.made import Made
from lib.storage import NotStored, StoredArtifact

router = APIRouter(prefix="/queue/jobs/{request_id}/takes/{number}", tags=["artifacts"])

TakeNumber = Annotated[int, Path(ge=1, le=1000, description="Which take, 1 is the chosen one.")]
Revision = Annotated[int | None, Query(ge=1, le=10**9, description="Of an earlier content.")]
_SUFFIXES: Final = (*CAPTION_SUFFIXES, PEAKS_SUFFIX)
Suffix = Annotated[
    str,
    Path(pattern=f"^({'|'.join(_SUFFIXES)})$", description=f"One of {', '.join(_SUFFIXES)}."),
]
_OF_A_TAKE: Final = "/properties/takes/items/properties"
_WORDS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["request_id", "take", "audio_seconds", "words", "captions"],
    "properties": {
        "request_id": {"type": "string"},
        "take": {"type": "integer"},
        **{
            name: ref("voice-synth-speak", f"{_OF_A_TAKE}/{name}")
            for name in ("audio_seconds", "words", "captions")
        },
    },
    "additionalProperties": False,
}


@router.get("", response_model=None, response_class=Response, responses=FILE_ANSWERS)
def take(
    request: Request, parts: Parts, request_id: RequestId, number: TakeNumber, revision: Revision = None
) -> Response:
    """Hear a take of a finished job (or see its picture), or with `Range` a part of it."""
    found = take_of(parts, request_id, number, revision)
    return _stored(request, parts, request_id, found.main)


@router.get(
    "/peaks", response_model=None, responses=reading(PEAKS, "As it lies beside the audio, in JSON.", 404, 416)
)
def peaks(
    request: Request, parts: Parts, request_id: RequestId, number: TakeNumber, revision: Revision = None
) -> Response:
    """Read the waveform of a take, so that no page has to decode its audio."""
    return _stored(request, parts, request_id, _beside(parts, request_id, number, revision, PEAKS_SUFFIX))


@router.get("/captions", response_model=None, responses=reading(_WORDS, "By the clock of the take.", 404))
def captions(
    parts: Parts, request_id: RequestId, number: TakeNumber, revision: Revision = None
) -> ConsoleJson:
    """Read what is said in a take, and when: words as they are spoken, captions as they are written."""
    found = take_of(parts, request_id, number, revision)
    if not isinstance(found, Take):
        raise NotFound(f"{request_id} is a picture, and nothing is said in it")
    told = found.to_json()
    kept = {name: told[name] for name in ("audio_seconds", "words", "captions")}
    return ConsoleJson({"request_id": request_id, "take": number, **kept})


@router.get("/files/{suffix}", response_model=None, response_class=Response, responses=FILE_ANSWERS)
def beside(
    request: Request,
    parts: Parts,
    request_id: RequestId,
    number: TakeNumber,
    suffix: Suffix,
    revision: Revision = None,
) -> Response:
    """Download what lies beside the audio of a take: its captions, its waveform."""
    return _stored(request, parts, request_id, _beside(parts, request_id, number, revision, suffix))


def take_of(parts: ConsoleParts, request_id: str, number: int, revision: int | None = None) -> Made:
    """One take, or the picture, of a job that is done.

    Raises:
        UnknownJob, NoSuchRevision: as `ending_or_record` does.
        NotFound: it has no such take, or none yet.
    """
    found = ending_or_record(parts.queue, request_id, revision)
    done = found.done() if isinstance(found, FinishedJob) else None
    takes = () if done is None else done.takes
    if number > len(takes):
        raise NotFound(f"{request_id} has {len(takes)} takes that can be heard; there is no take {number}")
    return takes[number - 1]


def _beside(parts: ConsoleParts, request_id: str, number: int, revision: int | None, suffix: str) -> FileRef:
    found = take_of(parts, request_id, number, revision)
    file = next((each for each in found.extras if each.file.endswith(f".{suffix}")), None)
    if file is None:
        raise NotFound(f"take {number} of {request_id} has no file .{suffix}")
    return file


def _stored(request: Request, parts: ConsoleParts, request_id: str, file: FileRef) -> Response:
    try:
        stream = parts.storage.open(StoredArtifact.of(file))
    except NotStored:
        raise NotFound(
            f"the file of {request_id} is gone from the store; job-runner report says more"
        ) from None
    return file_answer(stream, file.bytes, file.file, file.sha256, request.headers)
