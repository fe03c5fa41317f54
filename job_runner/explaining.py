"""Gathering what `explain` judges: one job, its place, its watcher, its audio."""

from __future__ import annotations

from lib.jobqueue import TERMINAL, JobQueue, JobState, UnknownJob
from lib.jobqueue.upkeep import upkeep_of
from lib.status.explain import Evidence
from lib.storage import Storage, takes_of


def evidence_of(queue: JobQueue, storage: Storage, request_id: str) -> Evidence:
    """All that is known about one job. Costs the same for one job and for a million.

    Raises:
        UnknownJob: no such job; with the nearest ids.
    """
    record = queue.job(request_id)
    if record is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    live = frozenset(watcher.name for watcher in queue.watchers() if watcher.live)
    finished = queue.result(request_id) if record.state in TERMINAL else None
    return Evidence(
        record=record,
        snapshot=queue.snapshot(),
        live=live,
        place=upkeep_of(queue).inspector.place(request_id) if record.state is JobState.WAITING else None,
        finished=finished,
        artifact_there=all(
            storage.has(take.artifact) for take in takes_of(finished.result if finished else None)
        ),
    )
