"""What a job asks for, to be changed and asked for again."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from job_console.api.kinds import Parts, RequestId
from job_console.error_answers import ConsoleJson
from job_console.openapi import reading
from lib.jobs.spec_again import spec_again

router = APIRouter(prefix="/queue/jobs/{request_id}", tags=["queue"])

_KNOWN: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["job", "exact", "unknown", "why", "revision"],
    "properties": {
        "job": {"type": "object", "description": "one of the `jobs` of a job file"},
        "exact": {"type": "boolean", "description": "it asks for the same output, to the letter"},
        "unknown": {
            "type": "array",
            "items": {"type": "string"},
            "description": "fields that may have been other: of a done job no specification is kept",
        },
        "why": {"type": "string"},
        "revision": {"type": "integer", "minimum": 1},
    },
    "additionalProperties": False,
}


@router.get(
    "/specification", response_model=None, responses=reading(_KNOWN, "As a file of jobs has it.", 404)
)
def specification(parts: Parts, request_id: RequestId) -> ConsoleJson:
    """Show what a job asks for; with a change, `POST /queue/jobs?changed=replace` speaks it anew."""
    return ConsoleJson(spec_again(parts.queue, request_id).to_json())
