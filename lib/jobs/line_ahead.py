"""What stands in line before the jobs that somebody waits for, and how long that takes at today's pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.jobqueue import JobQueue, JobState, PlaceInLine
from lib.jobs.follow import Batch
from lib.jobspec import JobSpec
from lib.units import seconds_text

_WORTH_A_WORD: Final = 10  # jobs ahead; fewer are done before anybody has read a line
_LOOKED_BACK_ON: Final = 50  # finished jobs that give the pace
_LEAST_FOR_A_PACE: Final = 5
_PRIORITIES: Final = ("high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Jobs of others that come first. `exact` is False where the queue counts no further than some.

    `wait_s` is how many seconds they take at the pace of the `measured` jobs that were done last; None when
    too few were done to tell.
    """

    jobs: int
    exact: bool
    wait_s: float | None = None
    measured: int = 0

    @property
    def sentence(self) -> str:
        """For people, with what would change it."""
        count = f"{self.jobs:,}" if self.exact else f"about {self.jobs:,}"
        head = f"{count} other jobs come before those of this file"
        if self.wait_s is None:
            return f"{head}; how long they take shows once some more are done"
        pace = f"at the pace of the {self.measured} jobs done last"
        return f"{head}: about {seconds_text(self.wait_s)} {pace}; priority: high goes before them"


def ahead_of(queue: JobQueue, batch: Batch) -> Ahead | None:
    """What stands before the first waiting job of the batch; None when that is nothing to speak of.

    Raises:
        Unavailable: the server does not answer.
    """
    first = _first_waiting(batch)
    if first is None:
        return None
    place = queue.place(first.request_id)
    if place is None or place.handed_back or not place.reachable:
        return None
    jobs = _jobs_before(queue, batch, place)
    if jobs < _WORTH_A_WORD:
        return None
    per_job_s, measured = _pace(queue)
    return Ahead(jobs, not place.more, None if per_job_s is None else jobs * per_job_s, measured)


def _first_waiting(batch: Batch) -> JobSpec | None:
    """The waiting job of the file that is given out first; None while one of its jobs runs already."""
    if any(state is JobState.RUNNING for state in batch.states.values()):
        return None
    waiting = [spec for spec in batch.specs if batch.states.get(spec.request_id) is JobState.WAITING]
    return min(waiting, key=lambda spec: _PRIORITIES.index(spec.priority), default=None)


def _jobs_before(queue: JobQueue, batch: Batch, place: PlaceInLine) -> int:
    if not place.more:
        return place.ahead + place.higher
    shot = queue.snapshot()
    ours = sum(state in (JobState.WAITING, JobState.RUNNING) for state in batch.states.values())
    return max(place.ahead + place.higher, shot.waiting + shot.pending - ours)


def _pace(queue: JobQueue) -> tuple[float | None, int]:
    """Seconds from one done job to the next, over the last ones, and how many these are."""
    done: Sequence[float] = [
        job.finished_at for job in queue.history(limit=_LOOKED_BACK_ON, status=JobState.DONE)
    ]
    if len(done) < _LEAST_FOR_A_PACE:
        return None, len(done)
    span = done[0] - done[-1]
    return (span / (len(done) - 1) if span > 0 else None), len(done)
