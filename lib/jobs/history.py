"""The whole history, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lib.jobqueue import FinishedJob, JobQueue, JobState

_PAGE: Final = 500


def read_history(
    queue: JobQueue, *, status: JobState | None = None, since: float | None = None
) -> Iterator[FinishedJob]:
    """Every finished job, most recent first; those that finish while it is read are not among them."""
    page = queue.history(limit=_PAGE, status=status, since=since)
    while page:
        yield from page
        page = queue.history(limit=_PAGE, status=status, since=since, behind=page[-1])
