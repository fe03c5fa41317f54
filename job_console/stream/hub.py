"""Looks for news once, for all streams: in the queue's events and in the trail of runs.

What a stream gets has a place in both: `12.1700000000000-3` is behind the trail's 12th event and the queue's
event of that id. A stream that comes again with the place it has seen last gets what came since then from the
queue and the ledger themselves, and then what is new: nothing is lost and nothing comes twice, whatever was
started anew in between.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.errors import BadInput, JobRunnerError
from lib.jobqueue import Event, JobQueue
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import TrailEvent
from lib.pipeline.trail import events_after
from lib.pipeline.views import event_json

log = logging.getLogger(__name__)

_PLACE: Final = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})-([0-9]{1,10})")
_PAGE: Final = 500
_TRAIL_EVERY_S: Final = 0.1
_QUEUE_BLOCK_S: Final = 0.5
_PAUSE_S: Final = 1.0


class BadPlace(BadInput):
    """No event of ours has that id."""


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """Behind which event of each a stream is."""

    trail: int
    queue: tuple[int, int]

    def __str__(self) -> str:
        """As a stream tells it, and takes it back in `Last-Event-ID`."""
        return f"{self.trail}.{self.queue_id}"

    @property
    def queue_id(self) -> str:
        """The queue's own id."""
        return f"{self.queue[0]}-{self.queue[1]}"

    @classmethod
    def read(cls, text: str) -> StreamPlace:
        """The place that a stream told. Raises BadPlace."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise BadPlace(
                f"{text[:60]!r} is no id of an event; begin without one, or with 0.0-0 for all that is kept"
            )
        return cls(int(found[1]), (int(found[2]), int(found[3])))


@dataclass(frozen=True, slots=True)
class News:
    """One event: its kind `run` or `job`, what it tells, whose it is, and where it stands in its source."""

    kind: str
    told: dict[str, Any]
    run: str | None
    trail: int = 0
    queue: tuple[int, int] = (0, 0)

    def behind(self, place: StreamPlace) -> StreamPlace:
        """The place of a stream at `place` that has got this, too."""
        if self.kind == "run":
            return StreamPlace(self.trail, place.queue)
        return StreamPlace(place.trail, self.queue)


def _of_trail(event: TrailEvent) -> News:
    return News("run", event_json(event), event.run, trail=event.position)


def _of_queue(event: Event) -> News:
    told = {
        "id": event.id,
        "at": rfc3339(event.at),
        "kind": event.kind,
        "request_id": event.request_id,
        "state": None if event.state is None else event.state.value,
        "data": dict(event.data),
    }
    return News("job", told, None, queue=queue_number(event.id))


def queue_number(event_id: str) -> tuple[int, int]:
    """An event id of the queue as what orders it."""
    time, _, counter = event_id.partition("-")
    return int(time), int(counter)


class NewsSources:
    """The queue's events and the trail, read from any place. Threads: any. Raises Unavailable."""

    def __init__(self, queue: JobQueue, ledger: PipelineLedger) -> None:
        self._queue, self._ledger = queue, ledger

    def now(self) -> StreamPlace:
        """The place behind all that happened."""
        return StreamPlace(self._last_position(), queue_number(self._queue.last_event_id()))

    def oldest(self) -> tuple[int, int] | None:
        """The queue's oldest event that is kept; those before it are lost to a stream that comes too late."""
        kept = self._queue.follow_events("0-0", count=1)
        return queue_number(kept[0].id) if kept else None

    def of_trail(self, position: int) -> list[News]:
        """A page of the trail behind a position."""
        return [_of_trail(event) for event in events_after(self._ledger, position, count=_PAGE)]

    def of_queue(self, after: tuple[int, int], *, block_s: float = 0.0) -> list[News]:
        """A page of the queue's events behind one; waits up to `block_s` for the first."""
        name = f"{after[0]}-{after[1]}"
        return [_of_queue(event) for event in self._queue.follow_events(name, block_s=block_s, count=_PAGE)]

    def _last_position(self) -> int:
        events_after(self._ledger, 0, count=1)  # gives what has none its place
        rows = self._ledger.look(lambda transaction: transaction.all("last_position"))
        return int(rows[0]["position"])


class Hub:
    """Two threads that look for news, and whoever listens; it counts on one event loop.

    Threads: `start`, `stop`, `listen` and `leave` are of the loop; the looking is in threads of its own.
    Raises: from `start`, Unavailable.
    """

    def __init__(self, sources: NewsSources) -> None:
        self._sources = sources
        self._listeners: set[Callable[[list[News]], None]] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.place = StreamPlace(0, (0, 0))

    async def start(self) -> None:
        """Begin to look, from now on."""
        loop = asyncio.get_running_loop()
        self.place = await asyncio.to_thread(self._sources.now)
        for name, look in (("trail-news", self._next_of_trail), ("queue-news", self._next_of_queue)):
            thread = threading.Thread(target=self._look, args=(look, loop), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    async def stop(self) -> None:
        """Look no more; waits for the looks at hand."""
        self._stop.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 2 * _QUEUE_BLOCK_S + _PAUSE_S)

    def listen(self, listener: Callable[[list[News]], None]) -> StreamPlace:
        """Pass on all that comes behind the place that is returned."""
        self._listeners.add(listener)
        return self.place

    def leave(self, listener: Callable[[list[News]], None]) -> None:
        """Pass on no more."""
        self._listeners.discard(listener)

    def _pass_on(self, news: list[News]) -> None:
        for each in news:
            self.place = each.behind(self.place)
        for listener in list(self._listeners):
            listener(news)

    def _look(self, look: Callable[[], list[News]], loop: asyncio.AbstractEventLoop) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                news = look()
            except (
                Exception
            ) as error:  # whatever it is: a thread that ended would silence every stream for good
                words = error.message if isinstance(error, JobRunnerError) else repr(error)
                if words != told:  # once, while it lasts
                    log.warning("live events have to wait: %s", words)
                told = words
                self._stop.wait(_PAUSE_S)
                continue
            told = ""
            if news and not self._stop.is_set():
                passed = threading.Event()

                def hand_over(found: list[News] = news, done: threading.Event = passed) -> None:
                    self._pass_on(found)
                    done.set()

                loop.call_soon_threadsafe(hand_over)
                while not passed.wait(_PAUSE_S) and not self._stop.is_set():
                    pass  # the next look begins behind these, and `place` says so once they are passed on

    def _next_of_trail(self) -> list[News]:
        news = self._sources.of_trail(self.place.trail)
        if not news:
            self._stop.wait(_TRAIL_EVERY_S)
        return news

    def _next_of_queue(self) -> list[News]:
        return self._sources.of_queue(self.place.queue, block_s=_QUEUE_BLOCK_S)
