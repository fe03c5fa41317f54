"""The read model of the in-memory queue. The caller holds the lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from lib.jobqueue.admin.observed import (
    COUNTED_AT_MOST,
    BatchInLine,
    EndedJobs,
    ListedJobs,
    PlaceInLine,
    StretchOfLine,
)
from lib.jobqueue.memory.store import HANDED_BACK, Store
from lib.jobqueue.memory.watchers import WatcherBook
from lib.jobqueue.model import PRIORITIES, TERMINAL, FinishedJob, JobState, Snapshot


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


def numbers(store: Store, registry: WatcherBook) -> Snapshot:
    """The queue in numbers."""
    now = store.now_ms()
    jobs = store.jobs.values()
    states = [job.state for job in jobs]  # counted by themselves: quicker than a Counter of enumerations
    waiting = [job.since for job in jobs if job.state is JobState.WAITING]
    watchers = registry.all()
    return Snapshot(
        waiting=len(waiting),
        pending=states.count(JobState.RUNNING),
        delayed=states.count(JobState.DELAYED),
        stale_pel=sum(HANDED_BACK < expiry <= now for expiry in store.leases.values()),
        oldest_waiting_s=(now - min(waiting)) / 1000 if waiting else None,
        done=states.count(JobState.DONE),
        failed=states.count(JobState.FAILED),
        canceled=states.count(JobState.CANCELED),
        paused=store.paused,
        lock_owner=next((item.name for item in watchers if item.live), None),
        watcher_last_seen=registry.last_seen(),
        server_time=now / 1000,
        watchers=tuple(watchers),
    )


def stretch(store: Store, behind: str, count: int) -> StretchOfLine:
    """The batches of a stretch of the line; `behind` is the number of jobs that were looked at before."""
    line: list[str] = []
    for name in PRIORITIES:
        line += [key for key in store.leases if store.jobs[key].item.priority == name]  # they came first
        line += store.streams[name]
    begin = int(behind or 0)
    counts: dict[str, Counter[JobState]] = {}
    for request_id in line[begin : begin + count]:
        job = store.jobs[request_id]
        counts.setdefault(job.item.batch, Counter())[job.state] += 1
    found = (
        BatchInLine(batch, by_state[JobState.WAITING], by_state[JobState.RUNNING])
        for batch, by_state in counts.items()
    )
    return StretchOfLine(tuple(found), str(begin + count) if begin + count < len(line) else "")


def listed(store: Store, state: JobState | None, behind: str, count: int) -> ListedJobs:
    """A page of the jobs in a state; `behind` is the place of the last one of the page before."""
    if state is None or state in TERMINAL:
        return _listed_ended(store, state, behind, count)
    number = {key: at for at, key in enumerate(store.jobs)}

    def place_of(key: str) -> str:
        job = store.jobs[key]
        if state is JobState.WAITING:
            return f"{PRIORITIES.index(job.item.priority)}:{number[key]:015d}"
        return f"{job.due or 0:015d}:{key}" if state is JobState.DELAYED else key

    there = sorted(place_of(key) for key, job in store.jobs.items() if job.state is state)
    keys = {place_of(key): key for key in store.jobs}
    left = [place for place in there if place > behind]
    page = left[:count]
    return ListedJobs(tuple(keys[place] for place in page), page[-1] if len(left) > count else "")


def _listed_ended(store: Store, state: JobState | None, behind: str, count: int) -> ListedJobs:
    """The latest first."""
    at, _, name = behind.partition(":")
    last = (int(at), name) if behind else None
    places = sorted(((at, key) for key, at in store.history.items() if store.known(key)), reverse=True)
    left = [place for place in places if last is None or place < last]
    page = left[:count]
    ids = tuple(key for _, key in page if state in (None, store.jobs[key].state))
    return ListedJobs(ids, f"{page[-1][0]}:{page[-1][1]}" if len(left) > count else "")


def ended(store: Store, moments: Sequence[float]) -> list[EndedJobs]:
    """How many had ended before each moment."""
    ends = [(at, store.jobs[key].state) for key, at in store.history.items()]
    before = [[state for at, state in ends if at < round(moment * 1000)] for moment in moments]
    return [EndedJobs(len(states), len(states) - states.count(JobState.DONE)) for states in before]


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
