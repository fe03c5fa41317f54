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
_LOOKED_AT: Final = 1000
_MANY_LOOKS: Final = 20
_FEW_LOOKS: Final = 1
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
    if text or signature is not None:
        wanted = _Wanted(text.casefold(), status, since, signature)
        return _found(queue, wanted, limit, after or "")
    jobs = queue.history(limit=limit, status=status, since=since, behind=behind)
    return HistoryPage(jobs, _cursor(jobs[-1]) if len(jobs) == limit else None)


@dataclass(frozen=True, slots=True)
class _Wanted:
    text: str
    status: JobState | None
    since: float | None
    signature: str | None

    def takes(self, job: FinishedJob) -> bool:
        """Whether a record is one of these; its id was looked at before."""
        return (
            self.status in (None, job.state)
            and (self.since is None or job.finished_at >= self.since)
            and self.signature in (None, signature_of(job))
        )


def _found(queue: JobQueue, wanted: _Wanted, limit: int, after: str) -> HistoryPage:
    """By ids first: records are read of those alone that may be meant."""
    found: list[FinishedJob] = []
    looks = _MANY_LOOKS if wanted.text else _FEW_LOOKS  # without a text, each record has to be read
    for _ in range(looks):
        page = queue.listed(wanted.status, after, count=_LOOKED_AT)
        names = [name for name in page.ids if wanted.text in name.casefold()]
        for job in queue.results(names):
            if job is not None and wanted.takes(job):
                found.append(job)
                if len(found) == limit:
                    return HistoryPage(found, _cursor(job))
        after = page.behind
        if not after or (wanted.since is not None and _time_of(after) < wanted.since):
            return HistoryPage(found, None)
    return HistoryPage(found, after)


def _cursor(last: FinishedJob) -> str:
    return f"{round(last.finished_at * 1000)}:{last.request_id}"


def _time_of(cursor: str) -> float:
    return int(cursor.partition(":")[0]) / 1000


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
