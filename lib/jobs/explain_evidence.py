"""Reads what `explain` judges: one job, its place in line, its watcher, its audio."""

from __future__ import annotations

from lib.jobqueue import TERMINAL, JobQueue, JobState, UnknownJob
from lib.jobqueue.errors import NotAccepted
from lib.jobs.admin import admin_of
from lib.jobs.explain import Evidence
from lib.jobs.names import strange_name
from lib.jobs.watchers import seen_watchers
from lib.storage import Storage, StoredArtifact

_UNSPOKEN = (JobState.WAITING, JobState.DELAYED)


def evidence_of(queue: JobQueue, storage: Storage, request_id: str) -> Evidence:
    """All that is known about one job. Costs the same for one job and for a million.

    Raises:
        UnknownJob: no such job; with the nearest ids, or that the file it stands in is not accepted.
        DamagedRow: its row cannot be read.
    """
    record, admin = queue.job(request_id), admin_of(queue)
    inspector = admin.inspector if admin else None  # a queue in memory is whole and stages nothing
    if record is None:
        if inspector and inspector.is_staged(request_id):
            raise NotAccepted(request_id)
        raise UnknownJob(request_id, queue.nearest(request_id))
    seen = seen_watchers(queue.snapshot())
    live = frozenset(watcher.name for watcher in seen.snapshot.watchers if watcher.live)
    finished = queue.result(request_id) if record.state in TERMINAL else None
    done = finished.done() if finished else None
    takes = done.takes if done else ()
    there = all(storage.has(StoredArtifact.of(take.main)) for take in takes)
    return Evidence(
        record=record,
        snapshot=seen.snapshot,
        live=live,
        ended=seen.ended,
        place=inspector.place(request_id) if inspector and record.state is JobState.WAITING else None,
        finished=finished,
        specified=(inspector is None or record.state not in _UNSPOKEN or inspector.has_spec(request_id)),
        artifact_there=there,
        strange=strange_name(storage, finished, takes) if finished and takes and there else None,
    )
