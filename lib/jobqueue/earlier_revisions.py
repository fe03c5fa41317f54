"""What earlier revisions of a job left behind."""

from __future__ import annotations

from lib.jobqueue.port import JobQueue
from lib.records import Made


def former_takes(queue: JobQueue, request_id: str, revision: int) -> list[tuple[Made, ...]]:
    """The takes of the job's done revisions before that one, the oldest first.

    Raises:
        Unavailable: the queue does not answer.
    """
    if revision <= 1:
        return []
    earlier = [job for job in queue.revisions(request_id) if job.revision < revision]
    return [record.takes for record in (job.done() for job in earlier) if record is not None]
