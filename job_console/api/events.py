"""Live events: what happens to runs and jobs, as it happens."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send

from job_console.access.rate_limit import holder_of
from job_console.api.kinds import RUN_PATTERN
from job_console.openapi import errors
from job_console.stream.hub import StreamPlace
from job_console.stream.seats import Seats
from job_console.stream.subscription import WantedNews, follow

router = APIRouter(tags=["events"])

_PING_S = 15
_FAREWELL_S = 2
_PLACE = r"^[0-9]{1,15}\.[0-9]{1,15}-[0-9]{1,10}$"
_STREAM: dict[str, Any] = {
    "description": "Server-sent events. `begin` is first and tells the place; `run` is a line of the trail "
    "as in `/runs/{run}/trail`, `job` a transition of a job (docs/reference/events.md); after `gap` read "
    "queue and runs anew, for some events are not kept any more. Each id is a place to go on from.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


class SeatedStream(EventSourceResponse):
    """A stream that gives its seat back however it ends, were it before its first byte; and ends by itself.

    `left_s`: how long the caller's session is still good; None: there is none, the token was given.
    """

    def __init__(self, stream: Any, *, seats: Seats, seat: str, left_s: float | None, **how: Any) -> None:
        super().__init__(stream, **how)
        self._seats, self._seat, self._left_s = seats, seat, left_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. A stream whose session is over breaks off: who comes again is asked to log in."""
        try:
            async with asyncio.timeout(self._left_s) as session:
                await super().__call__(scope, receive, send)
        except TimeoutError:
            if not session.expired():
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._seats.leave(self._seat)


@router.get(
    "/events",
    response_model=None,
    response_class=EventSourceResponse,
    responses={200: _STREAM, **errors(401, 422, 429, 503)},
)
async def events(
    request: Request,
    run: Annotated[str | None, Query(pattern=RUN_PATTERN, description="Only of this run.")] = None,
    runs: Annotated[bool, Query(description="What happens to runs.")] = True,
    jobs: Annotated[bool, Query(description="What happens to jobs.")] = True,
    after: Annotated[
        str | None,
        Query(pattern=_PLACE, description="Begin behind this place (0.0-0: all that is kept), else now."),
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(pattern=_PLACE, description="The same, as a browser sends it; goes before `after`."),
    ] = None,
) -> Any:
    """Follow what happens. Who comes again with the last id misses nothing and gets nothing twice."""
    seats, caller = request.app.state.seats, request.scope["state"]["caller"]
    given = last_event_id or after
    place = None if given is None else StreamPlace.read(given)
    address = (request.scope.get("client") or ("local",))[0]
    seat = seats.take(holder_of(address))
    if not isinstance(seat, str):
        return seat
    state = request.app.state
    left_s = None if caller.expires_at is None else caller.expires_at - state.parts.clock.now()
    ending = anyio.Event()
    return SeatedStream(
        follow(state.hub, state.sources, place, WantedNews(runs, jobs, run), ending),
        seats=seats,
        seat=seat,
        left_s=left_s,
        ping=_PING_S,
        send_timeout=state.parts.limits.write_s,
        sep="\n",
        shutdown_event=ending,
        shutdown_grace_period=_FAREWELL_S,
    )
