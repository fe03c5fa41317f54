"""The life of a job as data: every transition there is. The scripts' headers are held against it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from lib.errors import JobRunnerError
from lib.jobqueue.model import JobState


class JobEvent(StrEnum):
    """What can happen to a job. The names are the `kind` of the event stream's entries."""

    CREATED = "created"  # accepted, may be worked on now
    DEFERRED = "deferred"  # accepted or requeued, for later
    DUE = "due"  # its time has come
    CLAIMED = "claimed"  # leased to a worker
    RECLAIMED = "reclaimed"  # the lease ran out; leased to another worker
    ADOPTED = "adopted"  # a new leader took over its running work; leased to that one
    BEGUN = "begun"  # work began: one attempt
    DONE = "done"
    RETRYING = "retrying"  # failed for now; backoff
    LOST = "lost"  # its machine went away; out again at once
    RELEASED = "released"  # handed back by a draining worker
    EXCUSED = "excused"  # a worker's death on some host is not held against it any more
    VANISHED = "vanished"  # its stream entry was gone (data loss); given a new one
    FAILED = "failed"
    CANCELED = "canceled"
    RETRIED = "retried"  # a person requeued it
    REPLACED = "replaced"  # other content was accepted under its id: the next revision, as if it were new
    FORGOTTEN = "forgotten"  # its record's time is over; not in the event stream


class IllegalJobTransition(JobRunnerError):
    """A job in that state cannot have that happen to it."""


_W, _D, _R = JobState.WAITING, JobState.DELAYED, JobState.RUNNING

# None stands for "no such job".
TRANSITIONS: Final[Mapping[tuple[JobState | None, JobEvent], JobState | None]] = {
    (None, JobEvent.CREATED): _W,
    (None, JobEvent.DEFERRED): _D,
    (_D, JobEvent.DUE): _W,
    (_W, JobEvent.CLAIMED): _R,
    (_R, JobEvent.RECLAIMED): _R,
    (_R, JobEvent.ADOPTED): _R,
    (_R, JobEvent.BEGUN): _R,
    (_R, JobEvent.DONE): JobState.DONE,
    (_R, JobEvent.RETRYING): _D,
    (_R, JobEvent.LOST): _W,
    (_R, JobEvent.RELEASED): _W,
    (_R, JobEvent.VANISHED): _W,
    (_W, JobEvent.VANISHED): _W,
    (_W, JobEvent.EXCUSED): _W,
    (_D, JobEvent.EXCUSED): _D,
    (_R, JobEvent.EXCUSED): _R,
    (_R, JobEvent.FAILED): JobState.FAILED,
    (_W, JobEvent.FAILED): JobState.FAILED,  # handed back once too often
    (_W, JobEvent.CANCELED): JobState.CANCELED,
    (_D, JobEvent.CANCELED): JobState.CANCELED,
    (_R, JobEvent.CANCELED): JobState.CANCELED,
    (JobState.FAILED, JobEvent.RETRIED): _W,
    (JobState.CANCELED, JobEvent.RETRIED): _W,
    **{(state, JobEvent.REPLACED): _W for state in JobState},
    (_W, JobEvent.DEFERRED): _D,  # replaced or updated, for later
    (JobState.FAILED, JobEvent.DEFERRED): _D,
    (JobState.CANCELED, JobEvent.DEFERRED): _D,
    (JobState.DONE, JobEvent.FORGOTTEN): None,
    (JobState.FAILED, JobEvent.FORGOTTEN): None,
    (JobState.CANCELED, JobEvent.FORGOTTEN): None,
}

# Each event leads to one state, whatever the state before, so that its name tells the state; but `excused`
# leaves every state as it is, and tells none.
STATE_AFTER: Final[Mapping[str, JobState]] = {
    event.value: after
    for (_, event), after in TRANSITIONS.items()
    if after is not None and event is not JobEvent.EXCUSED
}


def advance(state: JobState | None, event: JobEvent) -> JobState | None:
    """Return the next state.

    Raises:
        IllegalJobTransition: the pair is not in the table.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        subject = f"a {state.value} job" if state else "an unknown job"
        raise IllegalJobTransition(f"{subject} cannot be {event.value}") from None
