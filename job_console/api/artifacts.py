"""Files: what the stages of a run made, and the audio of jobs."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.datastructures import Headers
from starlette.responses import Response

from job_console.answers import ConsoleJson, NotFound
from job_console.api.kinds import Parts, RequestId, RunId
from job_console.contract import ref
from job_console.openapi import errors, reading
from job_console.ranged import TYPES, file_answer
from lib.files import NotPlain, open_plain
from lib.jobqueue import FinishedJob
from lib.jobs.results import ending_or_record
from lib.pipeline.model import Artifact
from lib.pipeline.views import artifact_json, list_artifacts
from lib.storage import NotStored, StoredArtifact

router = APIRouter(tags=["artifacts"])

_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_KINDS = {kind: _BYTES for kind in sorted({*TYPES.values(), "application/octet-stream"})}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The whole file; of a kind that a browser must not show, as a download.",
        "content": _KINDS,
    },
    206: {"description": "The range that was asked for.", "content": _KINDS},
    304: {"description": "It is what `If-None-Match` names."},
    **errors(401, 404, 416, 422, 429, 503),
}
_LONGEST = 404  # four names of a hundred letters


@router.get(
    "/runs/{run}/artifacts",
    response_model=None,
    responses=reading(ref("job-pipeline-artifacts"), "In the order of their stages.", 404),
)
def listing(parts: Parts, run: RunId) -> ConsoleJson:
    """List the files that the stages of a run made."""
    found = list_artifacts(parts.ledger, run)
    told = [artifact_json(artifact) for artifact in found]
    return ConsoleJson({"run": run, "folder": str(parts.journal.folder_of(run)), "artifacts": told})


@router.get(
    "/runs/{run}/artifacts/{path:path}",
    response_model=None,
    response_class=Response,
    responses=_FILE,
)
def content(
    request: Request,
    parts: Parts,
    run: RunId,
    path: Annotated[str, Path(max_length=_LONGEST, description="As the list has it.")],
) -> Response:
    """Read a file of a run, or with `Range` a part of it: as it lies there now."""
    known = next((each for each in list_artifacts(parts.ledger, run) if each.path == path), None)
    if known is None:
        raise NotFound(f"{run} has no file of that name; its artifacts are listed above it")
    return artifact_answer(parts.journal.folder_of(run), run, known, request.headers)


def artifact_answer(folder: FilePath, run: str, known: Artifact, headers: Headers) -> Response:
    """A file of a run as an answer to a request with these headers.

    Raises:
        NotFound: it cannot be read here.
    """
    try:
        descriptor = open_below(folder, known.path)
    except OSError:
        raise NotFound(
            f"{known.path} of {run} cannot be read where the console is; it may lie on another computer"
        ) from None
    found = os.fstat(descriptor)
    tag = f"{known.sha256[:16]}-{found.st_size:x}-{found.st_mtime_ns:x}"
    return file_answer(open(descriptor, "rb"), found.st_size, known.path, tag, headers)


def open_below(folder: FilePath, path: str) -> int:
    """Open a plain file below a folder, following no link: a stage may have laid any. Raises OSError."""
    *above, name = path.split("/")
    if {"", ".", ".."} & {*above, name}:
        raise NotPlain(path)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        return open_plain(name, at=at)
    finally:
        os.close(at)


@router.get(
    "/queue/jobs/{request_id}/takes/{number}",
    response_model=None,
    response_class=Response,
    responses=_FILE,
)
def take(
    request: Request,
    parts: Parts,
    request_id: RequestId,
    number: Annotated[int, Path(ge=1, le=1000, description="Which take, 1 is the chosen one.")],
) -> Response:
    """Hear a take of a finished job (or see its picture), or with `Range` a part of it."""
    found = ending_or_record(parts.queue, request_id)
    done = found.done() if isinstance(found, FinishedJob) else None
    takes = () if done is None else done.takes
    if number > len(takes):
        raise NotFound(f"{request_id} has {len(takes)} takes that can be heard; there is no take {number}")
    audio = takes[number - 1].main
    try:
        stream = parts.storage.open(StoredArtifact.of(audio))
    except NotStored:
        raise NotFound(
            f"the file of {request_id} is gone from the store; job-runner report says more"
        ) from None
    return file_answer(stream, audio.bytes, audio.file, audio.sha256, request.headers)
