"""What goes on in the queue at this moment: how it stands, what runs, how fast, and what ended last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobqueue import FinishedJob, JobQueue, JobRecord, JobState
from lib.jobs.overview import Overview, overview_of

_RECENT_S: Final = 300.0  # what ended since then says how fast it goes now
_LEAST_S: Final = 5.0  # a rate of less is a guess
MOST_RUNNING: Final = 12  # that are looked at


@dataclass(frozen=True, slots=True)
class Pace:
    """How far the work of now is: what ended since the oldest unfinished job came, of that and what is left.

    `rate` is jobs a second, `left_s` the seconds until the last; None where nobody can tell yet.
    """

    since: float
    ended: int
    total: int
    rate: float | None
    left_s: float | None

    def to_json(self) -> dict[str, Any]:
        """The value of `pace` in `dashboard --json`."""
        return {
            "since": rfc3339(self.since),
            "ended": self.ended,
            "total": self.total,
            "jobs_per_s": None if self.rate is None else round(self.rate, 4),
            "left_s": None if self.left_s is None else round(self.left_s, 1),
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One look at the whole. `running` holds the jobs that run longest, `jobs` what ended last."""

    view: Overview
    running: Sequence[JobRecord]
    pace: Pace | None  # None: nothing is left to do
    jobs: Sequence[FinishedJob]

    @property
    def now(self) -> float:
        """The server's clock at the look."""
        return self.view.snapshot.server_time

    def to_json(self) -> dict[str, Any]:
        """The value of `dashboard --json` (docs/reference/json/dashboard.json)."""
        return {
            "status": self.view.to_json(),
            "running": [_running_json(job) for job in self.running],
            "pace": None if self.pace is None else self.pace.to_json(),
            "history": [job.to_json() for job in self.jobs],
        }


def dashboard_of(queue: JobQueue, limit: int) -> Dashboard:
    """Look at the queue, and at the `limit` jobs that ended last; its cost does not grow with the jobs.

    Raises:
        Unavailable: the server does not answer.
    """
    view = overview_of(queue)
    ids = queue.listed(JobState.RUNNING, count=MOST_RUNNING).ids
    found = [job for job in map(queue.job, ids) if job is not None and job.state is JobState.RUNNING]
    running = sorted(found, key=lambda job: (job.progress is None, job.since, job.request_id))
    pace = None
    if view.snapshot.outstanding:
        begun = _begun(view, running)
        now = view.snapshot.server_time
        recent = max(begun, now - _RECENT_S)
        # Of all that had ended at the look: what ends after it still counts as outstanding there.
        shot = view.snapshot
        all_ended = shot.done + shot.failed + shot.canceled
        ended, ended_recently = (max(0, all_ended - then.all) for then in queue.ended((begun, recent)))
        pace = pace_of(view, begun, ended, recent, ended_recently)
    return Dashboard(view, running, pace, queue.history(limit=limit))


def _begun(view: Overview, running: Sequence[JobRecord]) -> float:
    """When the oldest job that waits or runs was enqueued, as far as it is seen."""
    shot = view.snapshot
    waiting = [] if shot.oldest_waiting_s is None else [shot.server_time - shot.oldest_waiting_s]
    return min([shot.server_time, *waiting, *(job.enqueued_at for job in running)])


def pace_of(view: Overview, begun: float, ended: int, recent: float, ended_recently: int) -> Pace:
    """The pace, where `ended` jobs ended since `begun` and `ended_recently` since `recent`. Pure.

    A job that is delayed counts as left, and not for the time that is left: nobody works on it.
    """
    shot = view.snapshot
    span = shot.server_time - recent
    rate = ended_recently / span if ended_recently and span >= _LEAST_S else None
    goes_on = rate is not None and not shot.paused and shot.lock_owner is not None
    left_s = (shot.waiting + shot.pending) / rate if rate and goes_on else None
    return Pace(begun, ended, ended + shot.outstanding, rate, left_s)


def _running_json(job: JobRecord) -> dict[str, Any]:
    return {
        "request_id": job.request_id,
        "since": rfc3339(job.since),
        "watcher": job.consumer,
        "host": job.host or None,
        "progress": None if job.progress is None else dict(job.progress),
    }
