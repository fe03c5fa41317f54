"""The way in: the token, once, for a session of twelve hours."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from job_console.access.caller import is_of_this_site
from job_console.access.session import COOKIE, LIFE_S, sign_in
from job_console.access.token import is_token
from job_console.api.kinds import Parts, operator_of
from job_console.error_answers import NobodyNamed
from job_console.pages.forms import form_of
from job_console.pages.rendering import HtmlPage, page

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def form(request: Request, next: str = "/") -> HtmlPage:
    """Ask for the token and a name."""
    return page(request, "login.html", next=local_path(next), wrong="", name="")


@router.post("/login")
async def log_in(request: Request, parts: Parts) -> Response:
    """Let somebody in who has the token, and go where he wanted to."""
    asked = await form_of(request)
    where, name = local_path(asked.get("next", "/")), asked.get("operator", "").strip()
    if not is_of_this_site(request.headers, request.url.scheme):
        return _again(request, where, name, 403, "Another site's page asked for this. Log in here.")
    if not is_token(asked.get("token", "").strip().encode(), parts.token):
        answer: Response = request.scope["state"]["wrong_token"]()
        if answer.status_code == 429:
            return _again(request, where, name, 429, "Too many wrong tokens came from here. Wait a minute.")
        return _again(request, where, name, 401, "That is not this console's token.")
    try:
        who = operator_of(request, name)
    except NobodyNamed:
        return _again(request, where, name, 422, "Give a name that prints: your decisions are kept under it.")
    cookie, _ = sign_in(who, parts.token, parts.clock.now())
    response = RedirectResponse(where, 303)
    response.set_cookie(
        COOKIE, cookie, max_age=LIFE_S, path="/", secure=parts.secure, httponly=True, samesite="strict"
    )
    return response


def _again(request: Request, where: str, name: str, status: int, wrong: str) -> HtmlPage:
    return page(request, "login.html", next=where, wrong=wrong, name=name[:80], status=status)


def local_path(wanted: str) -> str:
    """A path of this console, or its first page: nobody is sent elsewhere by an address that he was given."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and len(wanted) <= 500
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"
