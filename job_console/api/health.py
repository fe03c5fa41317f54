"""Whether the console can do its work, and its numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from job_console.error_answers import ConsoleJson
from job_console.openapi import errors, json_answer
from lib.events.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])

_PART: dict[str, Any] = {"enum": ["up", "down"]}
_HEALTH: dict[str, Any] = {
    "type": "object",
    "required": ["ok", "queue", "database"],
    "properties": {"ok": {"type": "boolean"}, "queue": _PART, "database": _PART},
    "additionalProperties": False,
}


@router.get(
    "/healthz",
    response_model=None,
    responses={
        200: json_answer(_HEALTH, "Queue and database answer."),
        503: json_answer(_HEALTH, "One of them does not."),
        **errors(429),
    },
    openapi_extra={"security": []},
)
async def health(request: Request) -> ConsoleJson:
    """Say whether queue and database answer; needs no token, and asks them once a second at most."""
    told = await request.app.state.pulse.feel()
    return ConsoleJson(told, 200 if told["ok"] else 503)


@router.get(
    "/metrics",
    response_model=None,
    response_class=Response,
    responses={
        200: {
            "description": "In the text format of Prometheus.",
            "content": {"text/plain; version=0.0.4; charset=utf-8": {"schema": {"type": "string"}}},
        },
        **errors(401, 429, 503),
    },
)
async def metrics(request: Request) -> Response:
    """Count jobs, runs, stages and gates by state and outcome, with how long they took."""
    return Response(await request.app.state.numbers.text(), headers={"Content-Type": CONTENT_TYPE})
