"""Makes finished jobs of workers' results: verifies, stores, records and publishes, in this order.

The record is written only after the audio was read back from where it stays. The names people use change only
after the queue's fence has let the record pass: a worker that lost its lease can neither finish a job nor
replace a published file. A result that cannot be used fails its job and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lib.backoff import backoff_s
from lib.dispatch.delivery_port import Settled
from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.dispatch.job_events import of_failure, of_job
from lib.dispatch.lease_closer import LeaseCloser
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.dispatch.machine_uploads import StillUploading
from lib.dispatch.publish_queue import PublishQueue
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.events.model import JobDone, JobOutcome, StorageRefused
from lib.jobqueue import TERMINAL, ErrorClass, Failure, JobState, Lease, LeaseLost
from lib.records import DoneRecord, FileRef
from lib.spool import InvalidSpoolData, Phase, SpoolClient, SpoolFull, SpoolResult
from lib.spool import ResultErrorClass as WorkerError
from lib.storage import ArtifactMismatch, StorageUnavailable

log = logging.getLogger(__name__)

_LONGEST_NAME: Final = 64  # of an engine, as a machine tells it

_CORRUPT = "corrupt_output"
_UPLOAD_LOOK_S = 0.2
#: What takes longer than storing a file: three calls that wait for an answer, and its bytes on a link that is
#: hardly worth waiting for, halved as they come here and go on to the store.
_CALLS_S, _BYTES_PER_S = 180.0, 32_768
_CLASS_OF: Mapping[WorkerError, ErrorClass] = {
    WorkerError.BAD_INPUT: ErrorClass.BAD_INPUT,
    WorkerError.ENGINE: ErrorClass.TRANSIENT,
    WorkerError.TIMEOUT: ErrorClass.TRANSIENT,
    WorkerError.CANCELED: ErrorClass.TRANSIENT,  # nobody of ours asked: the job itself is fine
    WorkerError.POISON: ErrorClass.POISON,
}


class ResultHandler:
    """Settles the results that lie in the hosts' outboxes.

    Threads: the loop's only.
    Raises: only `look`, as it says.
    """

    def __init__(
        self,
        parts: DispatchParts,
        roster: HostRoster,
        jobs: InFlightJobs,
        closer: LeaseCloser,
        publishing: PublishQueue,
    ) -> None:
        self._parts, self._roster, self._jobs = parts, roster, jobs
        self._closer, self._publishing = closer, publishing
        self._queue, self._intervals = parts.queue, parts.intervals
        self._refused: dict[str, str] = {}  # by entry: why its result could not be stored last time

    @property
    def trouble(self) -> str | None:
        """What keeps finished work from being stored, as a sentence; None when nothing does."""
        self._refused = {entry: why for entry, why in self._refused.items() if self._jobs.get(entry)}
        return next(reversed(self._refused.values()), None)

    def look(self, state: HostState, spool: SpoolClient, phases: Mapping[str, Phase]) -> None:
        """Settle what lies in the host's outbox and is due.

        Raises:
            Unavailable, TryAgain: the queue does not answer.
            HostUnreachable: the host does not.
            SpoolUnusable: its spool, or the journal, cannot be written.
        """
        now = self._parts.clock.monotonic()
        for job in self._jobs.on(state.name):
            finished = phases.get(job.entry) is Phase.OUTBOX
            if finished and job.ending is None and now >= job.retry_at:
                self._parts.alive()
                self._handle(state, spool, job, now)

    def _handle(self, state: HostState, spool: SpoolClient, job: InFlightJob, now: float) -> None:
        try:
            settled = self._settle(state, spool, job)
        except StillUploading:
            job.retry_at = now + _UPLOAD_LOOK_S
            return
        except (StorageUnavailable, SpoolFull) as error:
            self._wait_for_the_store(job, error, now)
            return
        except LeaseLost as error:
            log.warning("%s", error)
        except (Unavailable, TryAgain):
            raise
        except (JobRunnerError, ValueError, RecursionError) as error:
            self._give_up(state, job, error)
            return
        else:
            self._note(state, job, settled)
            if settled.record is not None:
                self._publish(spool, job, settled.record, settled.order)
        self._closer.forget(job)
        spool.acknowledge(job.entry)

    def _settle(self, state: HostState, spool: SpoolClient, job: InFlightJob) -> Settled:
        """Store and record one result; the spool keeps it until this has returned."""
        lease, worked = job.lease, 0.0
        try:
            result = spool.result(job.entry)
            if result is None:
                raise InvalidSpoolData("The worker's result vanished from the spool.")
            _need_same_job(lease, result)
            worked = max(0.0, result.finished_at - result.started_at)
            if result.error is not None:
                failure = self._failure_of(
                    result, state, self._kept_rejected(spool, job, result.error.rejected)
                )
                went = self._queue.fail(lease, failure)
                problem = result.error.error_class.value
                return Settled(went, work_seconds=worked, problem=problem, failure=failure)
            self._parts.alive(_may_take_s(result))
            record = self._parts.delivery.store(spool, job.entry, lease, result)
            self._parts.alive()
        except (InvalidSpoolData, ArtifactMismatch) as error:
            failure = Failure(ErrorClass.TRANSIENT, error.message, host=state.host.machine)
            went = self._queue.fail(lease, failure)
            return Settled(went, work_seconds=worked, problem=_CORRUPT, failure=failure)
        order = self._queue.complete(lease, record.to_json())
        audio = sum(take.audio_seconds for take in record.takes)
        return Settled(JobState.DONE, record, audio, worked, order=order)

    def _publish(self, spool: SpoolClient, job: InFlightJob, record: DoneRecord, order: int) -> None:
        def store_again() -> None:
            result = spool.result(job.entry)
            if result is not None:
                self._parts.delivery.store(spool, job.entry, job.lease, result)

        self._publishing.publish(job.entry, job.lease, record.takes, order, store_again)

    def _kept_rejected(self, spool: SpoolClient, job: InFlightJob, file: FileRef | None) -> Path | None:
        """Where the take lies now that was not good enough; None where none was kept."""
        keeper = self._parts.rejected
        return None if file is None or keeper is None else keeper.keep(spool, job.entry, job.lease, file)

    def _failure_of(self, result: SpoolResult, state: HostState, rejected: Path | None) -> Failure:
        error = result.error
        assert error is not None, "the caller looked"
        evidence: dict[str, Any] = {"worker_class": error.error_class.value, "log": list(error.log)}
        if rejected is not None:
            evidence["rejected"] = str(rejected)
        to_try = self._roster.machines_to_try(self._queue, self._parts.name)
        return Failure(
            _CLASS_OF[error.error_class], error.message, evidence, host=state.host.machine, hosts=to_try
        )

    def _note(self, state: HostState, job: InFlightJob, settled: Settled) -> None:
        self._closer.settled += 1
        if self._parts.pieces is not None and settled.state in TERMINAL:
            self._parts.pieces.forget(job.request_id)
        if settled.state is JobState.DONE:
            state.settled, state.failures, state.ends, state.accused = state.settled + 1, 0, 0, False
            if settled.spoken is not None:
                spoken, broken = settled.spoken.pieces_spoken, settled.spoken.pieces_broken
                state.takes = state.takes.plus(spoken, broken)
        elif settled.problem and settled.problem != WorkerError.BAD_INPUT:  # that is the job's own fault
            state.failures += 1
        self._parts.events.emit(_outcome(job, state, settled))
        self._parts.tell("settled", f"{job.request_id} is {settled.state.value}", state.name)
        self._parts.on_settled(state.name, job.lease, settled)

    def _wait_for_the_store(self, job: InFlightJob, error: JobRunnerError, now: float) -> None:
        intervals = self._intervals
        pause = backoff_s(
            job.store_refusals + 1, 1.0, base_s=intervals.pause_s, cap_s=intervals.longest_pause_s
        )
        if not job.store_refusals:
            self._parts.tell("storage", error.message, job.host)
        job.store_refusals += 1
        job.retry_at = now + pause
        self._refused[job.entry] = f"{job.request_id} is finished and cannot be stored: {error}"
        told = of_job(
            StorageRefused, job.lease, job.host, reason=error.message, pause_seconds=round(pause, 3)
        )
        self._parts.events.emit(told)

    def _give_up(self, state: HostState, job: InFlightJob, error: Exception) -> None:
        """Nobody foresaw this result. It costs its job an attempt, and never the process its life."""
        text = str(error).encode("utf-8", "replace").decode()[:500]
        log.error("the result of %s cannot be settled: %s", job.request_id, text)
        message = f"The worker's result cannot be used ({type(error).__name__}): {text}"
        self._closer.settled += 1
        state.failures += 1
        self._closer.fail(job, Failure(ErrorClass.TRANSIENT, message, host=state.host.machine))


def _outcome(job: InFlightJob, state: HostState, settled: Settled) -> JobOutcome:
    """The event of a result that was settled."""
    if settled.failure is not None:
        return of_failure(settled.state, job.lease, state.name, settled.failure)
    spoken = settled.spoken
    told: dict[str, Any] = {}
    if spoken is not None:
        told = {
            "engine": spoken.engine[:_LONGEST_NAME],
            "voice": job.lease.spec.voice or job.lease.spec.speaker or "",
            "pieces_spoken": spoken.pieces_spoken,
            "pieces_broken": spoken.pieces_broken,
        }
    return of_job(
        JobDone,
        job.lease,
        state.name,
        machine=state.host.machine,
        **told,
        output_name=job.lease.spec.output_name,
        audio_seconds=round(settled.audio_seconds, 3),
        work_seconds=round(settled.work_seconds, 3),
    )


def _may_take_s(result: SpoolResult) -> float:
    """How long it may take to store what a worker says that it made."""
    takes = result.record.takes if result.record is not None else ()
    sizes = [file.bytes for take in takes for file in take.files]
    return sum(_CALLS_S + size / _BYTES_PER_S for size in sizes)


def _need_same_job(lease: Lease, result: SpoolResult) -> None:
    """Refuse what another job's worker said: the entry alone is a name that any worker can give its result.

    Only a failure may name no job: that of a job file that the worker could not read.

    Raises:
        InvalidSpoolData: the result is of another job, or does not say of which.
    """
    if result.request_id == lease.request_id or (result.request_id is None and result.error is not None):
        return
    named = "no job" if result.request_id is None else f"the job {result.request_id[:80]!r}"
    raise InvalidSpoolData(f"The worker's result names {named} where {lease.request_id} was given to it.")
