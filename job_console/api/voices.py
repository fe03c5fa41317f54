"""Voices: which there are, what a cloned one was made from, and a line said by each."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from job_console.api.kinds import FILE_ANSWERS, Parts, RequestBody
from job_console.contract import ref
from job_console.error_answers import ConsoleJson, NotFound
from job_console.openapi import changing, reading
from job_console.ranged import file_answer
from job_console.route_services import ConsoleParts
from job_console.voice_samples import LONGEST_LINE, SAMPLE_PATTERN
from job_console.waveforms import PEAKS, content_tag
from lib.files import open_plain
from lib.voices.catalogue import find, speaker_rows, voice_rows

router = APIRouter(tags=["voices"])

VoiceName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Of a voice or a speaker.")
]
SampleId = Annotated[str, Path(pattern=SAMPLE_PATTERN, description="Of a sample.")]
_SAMPLE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "name", "text", "engine", "audio_seconds", "loudness_lufs", "sha256"],
    "properties": {
        **{name: {"type": "string"} for name in ("id", "name", "text", "engine", "sha256")},
        "audio_seconds": {"type": "number"},
        "loudness_lufs": {"type": ["number", "null"]},
    },
    "additionalProperties": False,
}


class SampleBody(RequestBody):
    """What is to be said."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_LINE, pattern=r"^[^\x00]*\S[^\x00]*$")]


@router.get(
    "/voices", response_model=None, responses=reading(ref("voice-synth-voices-list"), "By their names.")
)
def voices(parts: Parts) -> ConsoleJson:
    """List the registry's voices and the engine's speakers."""
    told = {
        "engine": parts.engine,
        "voices": voice_rows(parts.registry()),
        "speakers": speaker_rows(parts.engine),
    }
    return ConsoleJson(told)


@router.post(
    "/voices/{name}/samples",
    response_model=None,
    responses=changing(_SAMPLE, "It was said; its audio is at /voice-samples/{id}.", 404),
)
def sample(parts: Parts, name: VoiceName, asked: SampleBody) -> ConsoleJson:
    """Have a line said by a voice, here, one at a time: 503 says that another is being said."""
    row = find(name, parts.registry(), parts.engine)
    return ConsoleJson(parts.samples.spoken(row, asked.text.strip()).to_json())


@router.get("/voice-samples/{sample}", response_model=None, response_class=Response, responses=FILE_ANSWERS)
def sample_audio(request: Request, parts: Parts, sample: SampleId) -> Response:
    """Hear a sample, while it is kept."""
    return _audio(request, _sample_file(parts, sample), sample)


@router.get(
    "/voice-samples/{sample}/peaks", response_model=None, responses=reading(PEAKS, "Of a sample.", 404)
)
def sample_peaks(parts: Parts, sample: SampleId) -> Response:
    """Read the waveform of a sample."""
    return _peaks(parts, _sample_file(parts, sample), sample)


@router.get("/voices/{name}/recording", response_model=None, response_class=Response, responses=FILE_ANSWERS)
def recording(request: Request, parts: Parts, name: VoiceName) -> Response:
    """Hear the recording that a voice was cloned from."""
    place, sha256 = _recording_of(parts, name)
    return _audio(request, place, sha256)


@router.get(
    "/voices/{name}/recording/peaks", response_model=None, responses=reading(PEAKS, "Of a recording.", 404)
)
def recording_peaks(parts: Parts, name: VoiceName) -> Response:
    """Read the waveform of the recording that a voice was cloned from."""
    return _peaks(parts, *_recording_of(parts, name))


def _sample_file(parts: ConsoleParts, sample: str) -> FilePath:
    if parts.samples.find(sample) is None:
        raise NotFound("there is no such sample any more; have it said again")
    return parts.samples.audio(sample)


def _recording_of(parts: ConsoleParts, name: str) -> tuple[FilePath, str]:
    """Where a voice's recording lies, and its hash. Raises NotFound, UnknownVoice, InvalidVoice."""
    found = parts.registry().get(name)
    if found.reference is None:
        raise NotFound(f"{name} was cloned from no recording")
    return found.reference.audio, found.reference.sha256


def _audio(request: Request, place: FilePath, tag: str) -> Response:
    try:
        descriptor = open_plain(place)
    except OSError:
        raise NotFound("its audio cannot be read any more") from None
    size = os.fstat(descriptor).st_size
    return file_answer(open(descriptor, "rb"), size, place.name, tag, request.headers)


def _peaks(parts: ConsoleParts, place: FilePath, tag: str) -> Response:
    try:
        descriptor = open_plain(place)
    except OSError:
        raise NotFound("its audio cannot be read any more") from None
    with open(descriptor, "rb"):
        named = content_tag(tag, os.fstat(descriptor))
        data = parts.waveforms.of_file(descriptor, place.name, named)
    return Response(data, media_type="application/json")
