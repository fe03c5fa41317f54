"""What the event stream still tells of one job, in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lib.jobqueue import Event, JobQueue, JobRecord

_PAGE: Final = 500
_PAGES: Final = 4
_BEFORE_MS: Final = 1_000


def log_of(queue: JobQueue, record: JobRecord) -> tuple[list[Event], bool]:
    """The events of a job, and whether all that happened between was looked at.

    The stream is of all jobs and has no index: what happened after the job was enqueued is looked at, and
    what happened since it is as it is, a bounded number of events each.
    """
    found: dict[str, Event] = {}
    begun, whole = _stretch(queue, record.enqueued_at)
    found |= {event.id: event for event in begun if event.request_id == record.request_id}
    if not whole:
        recent, _ = _stretch(queue, record.since)
        found |= {event.id: event for event in recent if event.request_id == record.request_id}
    return list(found.values()), whole


def _stretch(queue: JobQueue, since: float) -> tuple[list[Event], bool]:
    """Events from a time on, and whether these are all up to now."""
    after = f"{max(0, round(since * 1000) - _BEFORE_MS)}-0"
    if _is_ahead(queue.last_event_id(), after):
        after = "0-0"  # a queue in memory counts its events, and tells no time by their ids
    seen: list[Event] = []
    for page in _pages(queue, after):
        seen += page
        if len(page) < _PAGE:
            return seen, True
    return seen, False


def _pages(queue: JobQueue, after: str) -> Iterator[list[Event]]:
    for _ in range(_PAGES):
        page = queue.follow_events(after, count=_PAGE)
        yield page
        after = page[-1].id if page else after


def _is_ahead(last: str, after: str) -> bool:
    return int(last.partition("-")[0]) < int(after.partition("-")[0])
