"""What REST offers, exactly: every answer that a route can give, with its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from job_console.contract import components_for, ref

_WORDS: Final[Mapping[int, str]] = {
    400: "it is no request that this can be",
    401: "neither the token nor a session is right",
    403: "another site's page asked, or it is not known who decides",
    404: "there is none",
    408: "the request did not come in time",
    409: "it cannot be so as things stand; the sentence says why",
    413: "the request is too long",
    415: "the body is of another type",
    416: "no such range of bytes",
    422: "something in it is wrong; the sentence says what",
    429: "too often from this address",
    503: "the queue, the database or the store does not answer, or a setting is wrong",
}
_ALWAYS: Final = (401, 422, 429, 503)
_CHANGING: Final = (400, 403, 408, 413)

Answers = dict[int | str, dict[str, Any]]


def json_answer(schema: dict[str, Any], words: str) -> dict[str, Any]:
    """An answer in JSON."""
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def errors(*statuses: int) -> Answers:
    """Answers that are errors, in their one shape."""
    return {status: json_answer(ref("error"), _WORDS[status]) for status in statuses}


def reading(schema: dict[str, Any], words: str, *also: int) -> Answers:
    """The answers of a route that only looks."""
    return {200: json_answer(schema, words), **errors(*_ALWAYS, *also)}


def changing(schema: dict[str, Any], words: str, *also: int) -> Answers:
    """The answers of a route that changes something."""
    return {200: json_answer(schema, words), **errors(*_ALWAYS, *_CHANGING, *also)}


def exact(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these and nothing else."""
    return {
        "type": "object",
        "required": [*properties],
        "properties": properties,
        "additionalProperties": False,
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="job-console",
            version="1",
            summary="Everything that runs, costs and waits for a decision.",
            description="Each value is that of the command with `--json`; each error has one shape.",
            routes=app.routes,
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas.update(components_for(document))
        components["schemas"] = dict(sorted(schemas.items()))
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "the console's token"},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "job_console",
                "description": "of a page, made by POST /api/v1/session; what changes something also needs "
                "the browser's word that a page of this site asks (Origin, Sec-Fetch-Site)",
            },
        }
        document["security"] = [{"token": []}, {"session": []}]
        app.openapi_schema = document
    return app.openapi_schema
