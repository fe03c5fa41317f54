"""The read model of the in-memory queue. The caller holds the lock."""

from __future__ import annotations

from itertools import islice

from lib.jobqueue.admin.observed import COUNTED_AT_MOST, PlaceInLine
from lib.jobqueue.memory.store import Store
from lib.jobqueue.model import PRIORITIES, FinishedJob, JobState


def place(store: Store, request_id: str) -> PlaceInLine | None:
    """Where a waiting job stands; None when it does not wait."""
    job = store.jobs.get(request_id)
    if job is None or job.state is not JobState.WAITING:
        return None
    above = PRIORITIES[: PRIORITIES.index(job.item.priority)]
    open_states = (JobState.WAITING, JobState.RUNNING)
    higher = sum(other.item.priority in above and other.state in open_states for other in store.jobs.values())
    line = store.streams[job.item.priority]
    if request_id not in line:
        return PlaceInLine(0, False, True, True, higher)
    ahead = list(line).index(request_id)
    return PlaceInLine(min(ahead, COUNTED_AT_MOST), ahead > COUNTED_AT_MOST, False, True, higher)


def newest(
    store: Store, limit: int, status: JobState | None, since: float | None, behind: FinishedJob | None
) -> list[FinishedJob]:
    """Finished jobs, most recent first."""
    last = None if behind is None else (round(behind.finished_at * 1000), behind.request_id)
    places = sorted(((at, key) for key, at in store.history.items()), reverse=True)
    wanted = (
        store.finished(key)
        for at, key in places
        if store.known(key)
        and (last is None or (at, key) < last)
        and (since is None or at >= since * 1000)
        and status in (None, store.jobs[key].state)
    )
    return list(islice(wanted, limit))
