"""Makes events of what a dispatcher knows of a job: its lease and the host it is on."""

from __future__ import annotations

from typing import Any, TypeVar

from lib.events.model import OUTCOMES, JobDone, JobFailure, JobOutcome, JobTransition
from lib.jobqueue import Failure, FinishedJob, JobState, Lease
from lib.spool import lease_mark

Transition = TypeVar("Transition", bound=JobTransition)


def of_job(kind: type[Transition], lease: Lease, host: str, **more: Any) -> Transition:
    """The event of that kind about a leased job on `host`."""
    return _of(kind, lease, host=host, attempt=lease.attempt, **more)


def of_failure(state: JobState, lease: Lease, host: str, failure: Failure) -> JobOutcome:
    """The event of an attempt that failed: the state that it led to, and why."""
    told = {"reason": failure.message, "error_class": failure.error_class.value}
    return of_job(OUTCOMES[state.value], lease, host, machine=failure.host or "", **told)


def of_finished(finished: FinishedJob, lease: Lease) -> JobOutcome | None:
    """The event of an end that this lease recorded before its process went away; None for a cancellation."""
    told = {"machine": "", "host": lease.host, "attempt": finished.attempt}
    if finished.state is JobState.DONE:
        record = finished.done()
        audio = 0.0 if record is None else sum(take.audio_seconds for take in record.takes)
        return _of(JobDone, lease, **told, output_name=lease.spec.output_name, audio_seconds=round(audio, 3))
    failure = finished.failure()
    if finished.state is JobState.FAILED and failure is not None:
        return _of(JobFailure, lease, **told, reason=failure.message, error_class=failure.error_class)
    return None


def _of(kind: type[Transition], lease: Lease, **more: Any) -> Transition:
    about: dict[str, Any] = {"request_id": lease.request_id, "lease_no": lease.lease_no}
    return kind(**about, identity=lease_mark(lease.token), **more)
