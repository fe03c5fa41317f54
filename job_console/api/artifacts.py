"""Files: what the stages of a run made, and the waveforms of what sounds among them."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.datastructures import Headers
from starlette.responses import Response

from job_console.api.kinds import FILE_ANSWERS, LONGEST_PATH, Parts, RunId
from job_console.contract import ref
from job_console.error_answers import ConsoleJson, NotFound
from job_console.openapi import reading
from job_console.ranged import file_answer
from job_console.route_services import ConsoleParts
from job_console.waveforms import PEAKS, content_tag
from lib.files import open_below
from lib.pipeline.model import Artifact
from lib.pipeline.views import artifact_json, list_artifacts

router = APIRouter(tags=["artifacts"])


@router.get(
    "/runs/{run}/artifacts",
    response_model=None,
    responses=reading(ref("job-pipeline-artifacts"), "In the order of their stages.", 404),
)
def listing(parts: Parts, run: RunId) -> ConsoleJson:
    """List the files that the stages of a run made."""
    found = list_artifacts(parts.ledger, run)
    told = [artifact_json(artifact) for artifact in found]
    return ConsoleJson({"run": run, "folder": str(parts.trail_files.folder_of(run)), "artifacts": told})


@router.get(
    "/runs/{run}/artifacts/{path:path}",
    response_model=None,
    response_class=Response,
    responses=FILE_ANSWERS,
)
def content(
    request: Request,
    parts: Parts,
    run: RunId,
    path: Annotated[str, Path(max_length=LONGEST_PATH, description="As the list has it.")],
) -> Response:
    """Read a file of a run, or with `Range` a part of it: as it lies there now."""
    known = _known(parts, run, path)
    return artifact_answer(parts.trail_files.folder_of(run), run, known, request.headers)


@router.get(
    "/runs/{run}/peaks/{path:path}",
    response_model=None,
    responses=reading(PEAKS, "As `voice-synth peaks` writes it.", 404),
)
def peaks(
    parts: Parts,
    run: RunId,
    path: Annotated[str, Path(max_length=LONGEST_PATH, description="An audio file, as the list has it.")],
) -> Response:
    """Read the waveform of an audio file of a run. It is made when it is first asked for, and kept."""
    known = _known(parts, run, path)
    descriptor = _opened(parts.trail_files.folder_of(run), run, known)
    with open(descriptor, "rb"):
        tag = content_tag(known.sha256, os.fstat(descriptor))
        data = parts.waveforms.of_file(descriptor, known.path, tag)
    return Response(data, media_type="application/json")


def artifact_answer(folder: FilePath, run: str, known: Artifact, headers: Headers) -> Response:
    """A file of a run as an answer to a request with these headers.

    Raises:
        NotFound: it cannot be read here.
    """
    descriptor = _opened(folder, run, known)
    found = os.fstat(descriptor)
    tag = content_tag(known.sha256, found)
    return file_answer(open(descriptor, "rb"), found.st_size, known.path, tag, headers)


def _known(parts: ConsoleParts, run: str, path: str) -> Artifact:
    known = next((each for each in list_artifacts(parts.ledger, run) if each.path == path), None)
    if known is None:
        raise NotFound(f"{run} has no file of that name; its artifacts are listed above it")
    return known


def _opened(folder: FilePath, run: str, known: Artifact) -> int:
    """An artifact that is recorded, open. Raises NotFound."""
    try:
        return open_below(folder, known.path)
    except OSError:
        raise NotFound(
            f"{known.path} of {run} cannot be read where the console is; it may lie on another computer"
        ) from None
