"""The whole history, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import BadInput
from lib.jobqueue import FinishedJob, JobQueue, JobState
from lib.jobs.error_groups import signature_of

_PAGE: Final = 500
_LOOKED_AT: Final = 200
_MOST_LOOKS: Final = 10
#: What a page's `after` looks like: the time in milliseconds and the request id of its last job.
CURSOR_PATTERN: Final = r"^[0-9]{1,15}:[A-Za-z0-9][A-Za-z0-9._:~-]{0,199}$"
_CURSOR: Final = re.compile(CURSOR_PATTERN)


class BadCursor(BadInput):
    """No page ended so."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some finished jobs, most recent first; `after` reads on behind them, None: there are no more."""

    jobs: Sequence[FinishedJob]
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """The jobs as `history --json` has them, and where to read on."""
        return {"jobs": [job.to_json() for job in self.jobs], "after": self.after}


def history_page(
    queue: JobQueue,
    *,
    limit: int,
    status: JobState | None = None,
    since: float | None = None,
    after: str | None = None,
    text: str = "",
    signature: str | None = None,
) -> HistoryPage:
    """One page of the history, the first one or that behind another. Jobs that finish meanwhile repeat none.

    Only jobs whose ids hold `text`, whatever its capitals, and whose failure has that signature. What fits
    neither is looked at too, up to a bound: then the page holds fewer, and there is more all the same.

    Raises:
        BadCursor: `after` is not what a page gave.
    """
    behind = None if after is None else _behind(after)
    wanted, found = text.casefold(), list[FinishedJob]()
    chosen = bool(text) or signature is not None
    size = max(limit, _LOOKED_AT) if chosen else limit
    for _ in range(_MOST_LOOKS if chosen else 1):
        jobs = queue.history(limit=size, status=status, since=since, behind=behind)
        for job in jobs:
            behind = job
            if wanted in job.request_id.casefold() and signature in (None, signature_of(job)):
                found.append(job)
                if len(found) == limit:
                    return HistoryPage(found, _cursor(job))
        if len(jobs) < size:
            return HistoryPage(found, None)
    return HistoryPage(found, _cursor(behind))


def _cursor(last: FinishedJob | None) -> str | None:
    return None if last is None else f"{round(last.finished_at * 1000)}:{last.request_id}"


def _behind(cursor: str) -> FinishedJob:
    """The last job of a page, as far as the order of the history asks for it."""
    found = _CURSOR.fullmatch(cursor)
    if found is None or cursor.endswith("\n"):
        raise BadCursor(f"{cursor!r} is where no page of the history ended; give the `after` of one")
    at, _, name = cursor.partition(":")
    return FinishedJob(
        request_id=name,
        state=JobState.DONE,
        finished_at=int(at) / 1000,
        enqueued_at=0.0,
        started_at=None,
        attempt=0,
        lost=0,
        lease_no=0,
        consumer=None,
        result=None,
        error=None,
    )


def read_history(
    queue: JobQueue, *, status: JobState | None = None, since: float | None = None
) -> Iterator[FinishedJob]:
    """Every finished job, most recent first; those that finish while it is read are not among them."""
    page = queue.history(limit=_PAGE, status=status, since=since)
    while page:
        yield from page
        page = queue.history(limit=_PAGE, status=status, since=since, behind=page[-1])
