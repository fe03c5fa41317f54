"""What every answer says to browsers, and what no request may take: memory, time, a second chance."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from job_console.access.admission import LOG_INS
from job_console.access.by_link import is_by_link, told_path
from job_console.error_answers import ConsoleJson, refusal
from job_console.route_services import ConsoleLimits
from lib.errors import ExitStatus

log = logging.getLogger(__name__)

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_UNLESS_SAID: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cache-control", b"no-store"),
)
#: Other sites are told nothing. We hear where a form comes from: without TLS nothing else says it.
_REFERRER: Final = (b"referrer-policy", b"same-origin")
_REFERRER_BY_LINK: Final = (b"referrer-policy", b"no-referrer")  # its address is the secret
_LONGEST_LOGIN: Final = 32 << 10
_LONGEST_NOTE: Final = 160 << 10  # the longest one, each letter of it as %F0%9F%8C%8A
_GO: Final = {"Connection": "close"}  # what is left of such a body is never read
_TLS: Final = (b"strict-transport-security", b"max-age=31536000")


class BodyRefused(HTTPException):
    """The body is longer than any may be, or did not come in time. FastAPI passes on this kind alone."""


class Walls:
    """Around the whole application. Whatever goes wrong inside is an answer with a sentence.

    Threads: one, that of the event loop.
    """

    def __init__(self, app: ASGIApp, limits: ConsoleLimits, *, secure: bool) -> None:
        self._app, self._limits = app, limits
        self._always = (*_ALWAYS, _TLS) if secure else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def walled(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": self._headers(message["headers"], scope)}
            async with asyncio.timeout(self._limits.write_s):
                await send(message)

        try:
            await self._app(scope, self._bounded(receive, self._longest(scope)), walled)
        except Exception as error:
            if started:  # half an answer cannot be taken back; the connection ends with it
                log.warning("%s %s broke off: %s", scope["method"], told_path(scope), type(error).__name__)
                raise
            await self._answer_of(error, scope)(scope, receive, walled)

    def _headers(self, said: list[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in said}
        referrer = _REFERRER_BY_LINK if is_by_link(scope) else _REFERRER
        return [*said, *self._always, referrer, *(each for each in _UNLESS_SAID if each[0] not in names)]

    def _longest(self, scope: Scope) -> int:
        """Who has not shown a token yet gets no memory for more than a token."""
        most = self._limits.body_bytes
        if is_by_link(scope):
            return min(_LONGEST_NOTE, most)
        return min(_LONGEST_LOGIN, most) if (scope["method"], scope["path"]) in LOG_INS else most

    def _bounded(self, receive: Receive, longest: int) -> Receive:
        left, deadline = longest, asyncio.get_running_loop().time() + self._limits.body_s
        complete = False

        async def bounded() -> Message:
            nonlocal left, complete
            if complete:  # from here on it is waited for the client to go, for as long as it stays
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                sentence = f"the request did not come within {self._limits.body_s:.0f} s; send it faster"
                raise BodyRefused(408, sentence, _GO) from None
            left -= len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if left < 0:
                sentence = f"the request says more than {longest} bytes; send less at once"
                raise BodyRefused(413, sentence, _GO)
            return message

        return bounded

    def _answer_of(self, error: Exception, scope: Scope) -> ConsoleJson:
        log.error("%s %s failed", scope["method"], told_path(scope), exc_info=error)
        return refusal(
            500,
            "InternalError",
            f"internal error: {type(error).__name__}; the console's log has what led to it",
            ExitStatus.JOB_FAILED,
        )
