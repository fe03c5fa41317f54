"""Sessions of pages: the token is given once, in a body, and a cookie stands for it from then on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from job_console.access.caller import ConsoleCaller
from job_console.access.session import COOKIE, LIFE_S, sign_in
from job_console.access.token import is_token
from job_console.api.kinds import Name, Parts, RequestBody, operator_of
from job_console.error_answers import ConsoleJson
from job_console.openapi import changing, errors, reading
from lib.clock import rfc3339

router = APIRouter(prefix="/session", tags=["session"])

_SESSION = {
    "type": "object",
    "required": ["operator", "expires_at"],
    "properties": {
        "operator": {"type": ["string", "null"], "description": "null: the caller has the token and no name"},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "additionalProperties": False,
}


class LogInBody(RequestBody):
    """What lets somebody in, and who it is."""

    token: Annotated[str, Field(min_length=1, max_length=4096)]
    operator: Name


@router.post(
    "",
    response_model=None,
    responses=changing(_SESSION, "Logged in; the answer sets the cookie."),
    openapi_extra={"security": []},
)
async def log_in(request: Request, parts: Parts, asked: LogInBody) -> Response:
    """Log in: the token for a cookie that JavaScript cannot read and other sites cannot use."""
    if not is_token(asked.token.encode(), parts.token):
        answer: Response = request.scope["state"]["wrong_token"]()
        return answer
    who = operator_of(request, asked.operator)
    cookie, session = sign_in(who, parts.token, parts.clock.now())
    response = ConsoleJson({"operator": who, "expires_at": rfc3339(session.expires_at)})
    response.set_cookie(
        COOKIE, cookie, max_age=LIFE_S, path="/", secure=parts.secure, httponly=True, samesite="strict"
    )
    return response


@router.get("", response_model=None, responses=reading(_SESSION, "Who asks."))
async def who(request: Request) -> ConsoleJson:
    """Say who is logged in."""
    caller: ConsoleCaller = request.scope["state"]["caller"]
    until = None if caller.expires_at is None else rfc3339(caller.expires_at)
    return ConsoleJson({"operator": caller.operator, "expires_at": until})


@router.delete(
    "",
    response_model=None,
    status_code=204,
    response_class=Response,
    responses={204: {"description": "The cookie is taken away."}, **errors(401, 403, 422, 429, 503)},
)
async def log_out(parts: Parts) -> Response:
    """Log out this browser. A new token logs out everybody."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", secure=parts.secure, httponly=True, samesite="strict")
    return response
