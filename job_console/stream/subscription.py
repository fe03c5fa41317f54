"""One stream: what it missed, then what is new, in their order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool

from job_console.stream.hub import Hub, News, NewsSources, StreamPlace

_MOST_WAITING: Final = 2000


@dataclass(frozen=True, slots=True)
class WantedNews:
    """What of the news a stream wants: of runs, of jobs, of one run alone."""

    runs: bool = True
    jobs: bool = True
    run: str | None = None

    def takes(self, news: News) -> bool:
        """Whether it wants this."""
        if news.kind == "job":
            return self.jobs and self.run is None
        return self.runs and self.run in (None, news.run)


class _Over(Exception):
    """The stream ends. A client that takes less than comes is hung up on: it comes again where it is."""


class _Inbox:
    """What came and was not sent yet, of bounded length."""

    def __init__(self) -> None:
        self._waiting: list[News] = []
        self._came = asyncio.Event()
        self._fallen = self._ended = False

    def put(self, news: list[News]) -> None:
        """Take what the hub passes on."""
        if len(self._waiting) + len(news) > _MOST_WAITING:
            self._fallen, self._waiting = True, []
        elif not self._fallen:
            self._waiting += news
        self._came.set()

    def end(self, _: object = None) -> None:
        """Take no more: the server is about to stop."""
        self._ended = True
        self._came.set()

    async def take(self) -> list[News]:
        """Wait for something. Raises _Over when it was too much, or nothing comes any more."""
        await self._came.wait()
        self._came.clear()
        if self._fallen or self._ended:
            raise _Over
        taken, self._waiting = self._waiting, []
        return taken


async def follow(
    hub: Hub, sources: NewsSources, after: StreamPlace | None, wanted: WantedNews, ending: anyio.Event
) -> AsyncGenerator[dict[str, str], None]:
    """Events for a stream behind a place; None: from now on. It ends with `ending`, or where a client lags.

    A place that the queue's events do not reach back to gets an event `gap` first, and so does one of a queue
    or a ledger that was here before: whoever shows what is in them reads it anew.

    Raises: Unavailable, before the first event.
    """
    inbox = _Inbox()
    told_to_end = asyncio.ensure_future(ending.wait())
    told_to_end.add_done_callback(inbox.end)
    live = hub.listen(inbox.put)
    try:
        place = live if after is None else await _of_these(sources, after, live)
        yield {"event": "begin", "id": str(place), "data": "{}"}
        if after is not None:
            if kept := await _gap(sources, after, place, live):
                yield {"event": "gap", "data": json.dumps({"kept_from": kept})}
            async for news in _missed(sources, place, live):
                place = news.behind(place)
                if wanted.takes(news):
                    yield _event(news, place)
            place = StreamPlace(max(place.trail, live.trail), max(place.queue, live.queue))
        while True:
            for news in await inbox.take():
                if news.behind(place) == place or _is_before(news, place):
                    continue
                place = news.behind(place)
                if wanted.takes(news):
                    yield _event(news, place)
    except _Over:
        return
    finally:
        told_to_end.remove_done_callback(inbox.end)
        told_to_end.cancel()
        hub.leave(inbox.put)


def _is_before(news: News, place: StreamPlace) -> bool:
    """Whether a stream at `place` has it: one that came from a place ahead of what the hub had passed on."""
    return news.trail <= place.trail if news.kind == "run" else news.queue <= place.queue


async def _of_these(sources: NewsSources, after: StreamPlace, live: StreamPlace) -> StreamPlace:
    """The place, where queue and ledger have come that far; else from now on: they are others than it was of.

    Behind a place that they have not reached a stream would be silent until they have.
    """
    if after.trail <= live.trail and after.queue <= live.queue:
        return after
    reached = await run_in_threadpool(
        sources.now
    )  # another console may have told more than this one has seen
    return StreamPlace(
        after.trail if after.trail <= reached.trail else live.trail,
        after.queue if after.queue <= reached.queue else live.queue,
    )


async def _gap(sources: NewsSources, after: StreamPlace, place: StreamPlace, live: StreamPlace) -> str:
    """From where on the queue's events are told, where some before it are not; else nothing."""
    if place != after:
        return place.queue_id
    oldest = await run_in_threadpool(sources.oldest)
    if oldest is not None and (0, 0) < after.queue < oldest and after.queue < live.queue:
        return f"{oldest[0]}-{oldest[1]}"
    return ""


async def _missed(sources: NewsSources, after: StreamPlace, until: StreamPlace) -> AsyncIterator[News]:
    """What lies behind one place and not behind another, of the trail and then of the queue."""
    at = after
    while at.trail < until.trail:
        page = await run_in_threadpool(sources.of_trail, at.trail)
        for news in page:
            if news.trail > until.trail:
                break
            yield news
        at = replace(at, trail=page[-1].trail if page else until.trail)
    while at.queue < until.queue:
        found = await run_in_threadpool(partial(sources.of_queue, at.queue))
        for news in found:
            if news.queue > until.queue:
                break
            yield news
        at = replace(at, queue=found[-1].queue if found else until.queue)


def _event(news: News, place: StreamPlace) -> dict[str, str]:
    return {"event": news.kind, "id": str(place), "data": json.dumps(news.told)}
