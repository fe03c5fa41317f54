"""Counts a failure and decides where it sends the job: the rules of `fail.lua`, in memory."""

from __future__ import annotations

from lib.jobqueue.lifecycle import JobEvent
from lib.jobqueue.memory.store import Job
from lib.jobqueue.model import ErrorClass, Failure
from lib.jobqueue.options import QueueOptions


def count_failure(job: Job, failure: Failure) -> None:
    """Note the attempt, the lost machine or the killed worker."""
    kind, begun = failure.error_class, job.phase == "begun"
    if not begun and kind not in (ErrorClass.LOST_MACHINE, ErrorClass.CANCELED):
        job.attempt += 1
    if kind is ErrorClass.LOST_MACHINE and begun:
        job.lost, job.excused = job.lost + 1, job.excused + 1
    elif kind is ErrorClass.POISON:
        job.poisoned += 1
        if failure.host and failure.host not in job.killed:
            job.killed = (*job.killed, failure.host)
    job.phase, job.alone = "failed", False


def next_step(job: Job, failure: Failure, options: QueueOptions) -> JobEvent:
    """What happens to a job whose failure was counted."""
    kind = failure.error_class
    if kind is ErrorClass.CANCELED:
        return JobEvent.CANCELED
    if kind is ErrorClass.LOST_MACHINE:
        return JobEvent.FAILED if job.lost >= options.lost_limit else JobEvent.LOST
    spent = job.attempt - job.excused >= job.item.max_attempts
    poison = kind is ErrorClass.POISON and _is_poison(job, failure, options.poison_limit)
    return JobEvent.FAILED if spent or poison or kind is ErrorClass.BAD_INPUT else JobEvent.RETRYING


def _is_poison(job: Job, failure: Failure, limit: int) -> bool:
    """Enough workers, on two hosts where there are two; or twice as many, wherever."""
    seen_enough = failure.hosts < 2 or len(job.killed) >= 2
    return job.poisoned >= (limit if seen_enough else 2 * limit)


def excuse(job: Job, host: str) -> bool:
    """Take back a death on that host; False when none is held against the job."""
    if host not in job.killed:
        return False
    job.poisoned, job.excused = job.poisoned - 1, job.excused + 1
    job.killed = tuple(name for name in job.killed if name != host)
    return True
