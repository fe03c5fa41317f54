"""What the event stream still tells of one job, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lib.jobqueue import Event, JobQueue, JobRecord

_AT_ONCE: Final = 60
_PAGE: Final = 500
_MOST_PAGES: Final = 40  # of what is kept of all jobs
_BEFORE_MS: Final = 1


@dataclass(frozen=True, slots=True)
class JobLog:
    """Events of one job. `whole`: all that is kept of it stands there."""

    events: tuple[Event, ...]
    whole: bool


def log_of(
    queue: JobQueue, record: JobRecord, *, started_at: float | None = None, thorough: bool = False
) -> JobLog:
    """The events of a job. `started_at`: when its last attempt began, in seconds since the epoch, if it did.

    The stream is of all jobs and has no index. So a few events are looked at where the job was enqueued,
    where it began and where it became what it is: that costs the same for one job and for a million.
    `thorough` looks at all since it was enqueued.
    """
    found, whole = _stretch(queue, record.enqueued_at, _PAGE if thorough else _AT_ONCE, thorough=thorough)
    if not whole:
        for since in (started_at, record.since):
            if since is not None:
                found |= _stretch(queue, since, _AT_ONCE, thorough=False)[0]
    own = [event for event in found.values() if event.request_id == record.request_id]
    return JobLog(tuple(sorted(own, key=lambda event: _number(event.id))), whole)


def _stretch(queue: JobQueue, since: float, count: int, *, thorough: bool) -> tuple[dict[str, Event], bool]:
    """Events from a time on by their ids, and whether these are all up to now."""
    after = f"{max(0, round(since * 1000) - _BEFORE_MS)}-0"
    if _number(queue.last_event_id()) < _number(after):
        after = "0-0"  # a queue in memory counts its events, and tells no time by their ids
    seen: dict[str, Event] = {}
    for _ in range(_MOST_PAGES if thorough else 1):
        page = queue.follow_events(after, count=count)
        seen |= {event.id: event for event in page}
        if len(page) < count:
            return seen, True
        after = page[-1].id
    return seen, False


def _number(event_id: str) -> tuple[int, int]:
    at, _, order = event_id.partition("-")
    return int(at), int(order)
