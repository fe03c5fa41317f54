"""The application: the routes, their errors, and the walls around them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from job_console import openapi
from job_console.access.admission import ConsoleDoor
from job_console.access.by_link import told_path
from job_console.access.headers_and_limits import Walls
from job_console.api import (
    artifacts,
    events,
    gates,
    health,
    machines,
    many_jobs,
    notes,
    pictures,
    queue,
    runs,
    scripts,
    session,
    specification,
    takes,
    voices,
)
from job_console.episodes import EpisodeMaker
from job_console.error_answers import error_of, refusal
from job_console.health_and_metrics import ConsolePulse, Numbers
from job_console.pages import (
    decide,
    gate_inbox,
    jobs,
    login,
    machine_room,
    overview,
    run_list,
    run_page,
    voice_list,
    web_files,
)
from job_console.pages import history as history_pages
from job_console.pages import queue as queue_pages
from job_console.pages import scripts as script_pages
from job_console.pages.failures import failure_page
from job_console.route_services import ConsoleParts
from job_console.stream.hub import Hub, NewsSources
from job_console.stream.seats import Seats
from lib.errors import ExitStatus, JobRunnerError

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
_API = (
    *(queue, many_jobs, specification, takes, scripts, runs, gates, artifacts),
    *(notes, voices, pictures, machines, events, session, health),
)
_PAGES = (
    *(web_files, login, overview, queue_pages, history_pages, script_pages, jobs),
    *(run_list, run_page, gate_inbox, machine_room, voice_list, decide),
)
_KINDS = {
    404: "NotFound",
    405: "NotAllowed",
    408: "TooSlow",
    413: "TooLong",
    415: "OtherType",
}


class ConsoleApi(FastAPI):
    """Routes that are described exactly."""

    def build_middleware_stack(self) -> ASGIApp:
        """The routes without the framework's own answer to a fault: the walls around them have one."""
        outermost = super().build_middleware_stack()
        assert isinstance(outermost, ServerErrorMiddleware)
        return outermost.app

    def openapi(self) -> dict[str, Any]:
        """What REST offers."""
        return openapi.describe(self)


def build_api(lifespan: Any = None) -> FastAPI:
    """The routes with their description, without anything behind them."""
    api = ConsoleApi(
        title="job-console",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        redirect_slashes=False,  # a redirect to where a caller says is one too many
        lifespan=lifespan,
    )
    for room in _API:
        api.include_router(room.router, prefix=PREFIX)
    for shown in _PAGES:
        api.include_router(shown.router)
    api.add_exception_handler(JobRunnerError, _refused)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(HTTPException, _not_served)
    return api


def build_app(parts: ConsoleParts) -> ASGIApp:
    """The whole console over `parts`."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await app.state.hub.start()
        try:
            yield
        finally:
            await app.state.hub.stop()

    api = build_api(lifespan)
    seats = Seats(parts.limits.streams, parts.limits.streams_each)
    sources = NewsSources(parts.queue, parts.ledger)
    api.state.parts, api.state.sources, api.state.hub = parts, sources, Hub(sources)
    api.state.seats, api.state.pulse, api.state.numbers = seats, ConsolePulse(parts), Numbers(parts, seats)
    api.state.episodes = EpisodeMaker(parts.scripts, parts.queue, parts.storage)
    return Walls(ConsoleDoor(api, parts), parts.limits, secure=parts.secure)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, JobRunnerError)
    error.message = request.app.state.parts.redactor.hide(error.message)
    answer = error_of(error)
    if answer.status_code >= 500:
        log.warning("%s %s: %s", request.method, told_path(request.scope), error.message)
    if _looks(request):
        return failure_page(request, answer.status_code, error.message)
    return answer


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    words = _sentence(error.errors())
    return (
        failure_page(request, 422, words)
        if _looks(request)
        else refusal(422, "BadRequest", words, ExitStatus.BAD_INPUT)
    )


def _sentence(errors: Sequence[Any]) -> str:
    """What is wrong, by its place; never what was sent: that may be a secret in the wrong field."""
    told = []
    for each in errors[:5]:
        place = ".".join(str(part)[:60] for part in each["loc"])
        told.append(f"{place}: {each['msg']}")
    more = f"; and {len(errors) - 5} more" if len(errors) > 5 else ""
    return "; ".join(told) + more


def _looks(request: Request) -> bool:
    """Whether a person looks at a page; programs ask below the prefix."""
    return request.method == "GET" and not request.url.path.startswith("/api/")


async def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status, words = error.status_code, str(error.detail)
    if status == 404:
        words = f"there is no {told_path(request.scope)}; {PREFIX}/openapi.json says what there is"
        if _looks(request):
            return failure_page(request, 404, "there is no page at this address")
    elif status == 405:
        words = f"{request.method} is not for {told_path(request.scope)}"
    exit_status = ExitStatus.TRY_AGAIN if status == 408 else ExitStatus.BAD_INPUT
    return refusal(status, _KINDS.get(status, "BadRequest"), words, exit_status, error.headers)
