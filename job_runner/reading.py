"""Many finished records in few round trips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState

#: The most records that one look into the history gives.
HISTORY_REACH: Final = 20_000
_FEW: Final = 50  # fewer than this are asked for one by one
_STRANGERS: Final = (
    2  # records of other jobs read for each wanted one, before the rest is asked for one by one
)


def read_finished(
    queue: JobQueue, request_ids: Sequence[str], records: Sequence[JobRecord | None] | None = None
) -> dict[str, FinishedJob]:
    """The records of those jobs that are finished, by request id. `records` saves a look if they are known.

    The history gives hundreds of records a round trip, so it is read as far back as the oldest wanted job
    ended. Jobs behind its reach, or crowded out by other jobs, are asked for one by one.
    """
    known = queue.jobs(request_ids) if records is None else records
    ended = {record.request_id: record.since for record in known if record and record.state in TERMINAL}
    found: dict[str, FinishedJob] = {}
    if len(ended) >= _FEW:
        reach = min(len(ended) * _STRANGERS, HISTORY_REACH)
        for job in queue.history(limit=reach, since=min(ended.values()) - 0.001):
            if job.request_id in ended:
                found[job.request_id] = job
    for request_id in ended.keys() - found.keys():
        one = queue.result(request_id)
        if one is not None:
            found[request_id] = one
    return found


def read_history(
    queue: JobQueue, *, status: JobState | None = None, since: float | None = None
) -> Iterator[FinishedJob]:
    """Finished jobs, most recent first, as far back as the history reaches (`HISTORY_REACH`)."""
    yield from queue.history(limit=HISTORY_REACH, status=status, since=since)
