"""The door of the console: how often, by whom, and from which page, before any route is looked for."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from job_console.access.by_link import caller_by, is_by_link, link_of, may_decide, told_path
from job_console.access.caller import ConsoleCaller, caller_of, is_of_this_site
from job_console.access.rate_limit import RateLimit, holder_of
from job_console.error_answers import ConsoleJson, refusal
from job_console.route_services import ConsoleParts
from lib.errors import ExitStatus

log = logging.getLogger(__name__)

#: Where the token itself is given: by a program, and by the form of the page.
LOG_INS: Final = frozenset({("POST", "/api/v1/session"), ("POST", "/login")})
#: What anybody may ask: is it alive, and may I come in.
OPEN: Final = frozenset({("GET", "/api/v1/healthz"), ("GET", "/login"), *LOG_INS})
_OPEN_FOLDER: Final = "/static/"  # the same for everybody: what the login looks like
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


NOT_LOGGED_IN: Final = refusal(
    401,
    "NotLoggedIn",
    "this needs the console's token: send it as `Authorization: Bearer TOKEN`, or log in with "
    "POST /api/v1/session",
    headers={"WWW-Authenticate": "Bearer"},
)


class ConsoleDoor:
    """Lets a request through to `app`, or answers it: 429, 401, 403. Writes down each that may change things.

    Threads: one, that of the event loop.
    """

    def __init__(self, app: ASGIApp, parts: ConsoleParts) -> None:
        limits, clock = parts.limits, parts.clock
        self._app, self._parts = app, parts
        self._reads = RateLimit(limits.reads, 2 * limits.reads, clock)
        self._changes = RateLimit(limits.changes, 2 * limits.changes, clock)
        self._wrong = RateLimit(limits.wrong_tokens / 60, limits.wrong_tokens, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, address = Headers(scope=scope), (scope.get("client") or ("local",))[0]
        changes = scope["method"] not in _READING
        holder = holder_of(address)
        answer = self._hurried(holder, changes) or self._stranger(scope, headers, holder)
        if answer is not None:
            await answer(scope, receive, send)
        elif (scope["method"], scope["path"]) in LOG_INS:
            await self._logging_in(scope, receive, send, address)
        elif changes and scope["state"].get("may_decide", True):
            await self._written_down(scope, receive, send, address)
        else:
            await self._app(scope, receive, send)

    def _hurried(self, holder: str, changes: bool) -> ConsoleJson | None:
        wait = (self._changes if changes else self._reads).wait_s(holder)
        return _too_often("requests", wait) if wait else None

    def _stranger(self, scope: Scope, headers: Headers, holder: str) -> Response | None:
        """Why this caller may not; None: he may, and `scope` says who he is."""
        state = scope.setdefault("state", {})
        state["caller"] = ConsoleCaller("nobody")
        state["wrong_token"] = lambda: self.wrong_token(holder)
        if is_by_link(scope):
            link = link_of(scope, self._parts.token)
            state["link"], state["caller"] = link, caller_by(link)
            state["may_decide"] = may_decide(link, scope, self._parts.clock.now())
            return None
        if is_open(scope):
            return None
        caller = caller_of(headers, self._parts.token, self._parts.clock.now())
        if caller is None:
            return self.wrong_token(holder) if "authorization" in headers else _to_log_in(scope)
        if (
            caller.by == "session"
            and scope["method"] not in _READING
            and not is_of_this_site(headers, scope["scheme"])
        ):
            return refusal(403, "OtherSite", "another site's page asked for this; only the console's own may")
        state["caller"] = caller
        return None

    def wrong_token(self, holder: str) -> ConsoleJson:
        """What somebody hears who gave a wrong token. Who has the right one is let in, however many tried."""
        wait = self._wrong.wait_s(holder)
        return _too_often("wrong tokens", wait) if wait else NOT_LOGGED_IN

    async def _logging_in(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        """A token that was tried stands in the audit log; else whoever has none could fill the disk with it.

        Wrong ones are bounded by their rate, and nothing is changed by the right one.
        """
        about = _about(scope, address)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 401):
                self._answered(about, scope["state"], message["status"])
            await send(message)

        await self._app(scope, receive, answered)

    async def _written_down(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        state, about, noted = scope["state"], _about(scope, address), False
        caller: ConsoleCaller = state["caller"]

        async def answered(message: Message) -> None:
            nonlocal noted
            if message["type"] == "http.response.start":  # whoever has the answer finds the line
                noted = True
                self._answered(about, state, message["status"])
            await send(message)

        try:
            self._parts.audit.write("asked", {**about, "operator": caller.operator})
        except OSError as error:
            log.error("the audit log cannot be written, so nothing is changed: %s", error.strerror)
            sentence = "the audit log cannot be written, so nothing was changed; see the console's log"
            answer = refusal(503, "NoAudit", sentence, ExitStatus.BAD_CONFIGURATION, {"Retry-After": "30"})
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, receive, answered)
        finally:
            if not noted:
                self._answered(about, state, 500)

    def _answered(self, about: Mapping[str, Any], state: Mapping[str, Any], status: int) -> None:
        who = state.get("operator", state["caller"].operator)
        try:
            self._parts.audit.write("answered", {**about, "operator": who, "status": status})
        except OSError as error:  # what was asked stands there already
            log.error("the audit log lacks what came of %s: %s", about["id"], error.strerror)


def is_open(scope: Scope) -> bool:
    """Whether anybody may ask that."""
    method, path = scope["method"], scope["path"]
    return (method, path) in OPEN or (method == "GET" and path.startswith(_OPEN_FOLDER))


def _to_log_in(scope: Scope) -> Response:
    """A person who looks at a page is led to the login, and from there to where he wanted to."""
    if scope["method"] != "GET" or scope["path"].startswith("/api/"):
        return NOT_LOGGED_IN
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)


def _about(scope: Scope, address: str) -> dict[str, str]:
    link = scope["state"].get("link")
    return {
        "id": uuid.uuid4().hex,
        "address": address,
        "by": scope["state"]["caller"].by,
        "method": scope["method"],
        "path": told_path(scope) if link is None else f"/decide/{link.run}/{link.stage}/{link.number}",
    }


def _too_often(what: str, wait: float) -> ConsoleJson:
    return refusal(
        429,
        "TooOften",
        f"too many {what} from this address; come again in {math.ceil(wait)} s",
        ExitStatus.TRY_AGAIN,
        {"Retry-After": str(math.ceil(wait))},
    )
