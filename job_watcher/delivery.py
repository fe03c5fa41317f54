"""From a worker's result to a finished job: verify, store, complete, in this order.

The record in Redis is written only after the audio was read back from the store. The name people use
(`outputs/…`) changes only after the queue's fence has let the record pass, for the takes to publish are what
`settle` returns: a worker that lost its lease can neither finish a job nor replace a published file. Every
step may be repeated after a crash.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.clock import Clock
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease
from lib.jobspec import PEAKS_SUFFIX, take_name
from lib.spool import ErrorClass as WorkerError
from lib.spool import InvalidSpoolData, ResultFile, SpoolClient, SpoolResult, SpoolUnusable
from lib.storage import ArtifactMismatch, Peaks, Storage, StorageUnavailable, StoredArtifact, Take

_CLASS_OF: Mapping[WorkerError, ErrorClass] = {
    WorkerError.BAD_INPUT: ErrorClass.BAD_INPUT,
    WorkerError.ENGINE: ErrorClass.TRANSIENT,
    WorkerError.TIMEOUT: ErrorClass.TRANSIENT,
    WorkerError.CANCELED: ErrorClass.TRANSIENT,  # nobody of ours asked: the job itself is fine
    WorkerError.POISON: ErrorClass.POISON,
}


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a job went, and the stored takes that are to be published when it is done."""

    state: JobState
    takes: tuple[Take, ...] = ()


class Delivery:
    """Settles results of one spool. `scratch` is a folder of ours that may be emptied at any time."""

    def __init__(
        self, queue: JobQueue, spool: SpoolClient, storage: Storage, *, scratch: Path, clock: Clock
    ) -> None:
        self._queue, self._spool, self._storage = queue, spool, storage
        self._scratch, self._clock = scratch, clock

    def settle(self, entry: str, lease: Lease, *, provider: str) -> Settled:
        """Bring the finished `entry` into the store and the queue.

        The spool keeps its result until this has returned.

        Raises:
            LeaseLost: the job is no longer ours; nothing was changed.
            StorageUnavailable: the store refuses; the same call may work later.
        """
        try:
            result = self._spool.result(entry)
            if result is None:
                raise InvalidSpoolData("The worker's result vanished from the spool.")
            if result.error is not None:
                return Settled(self._queue.fail(lease, _failure_of(result)))
            takes = self._store(entry, lease, result)
        except (InvalidSpoolData, ArtifactMismatch) as error:
            return Settled(self._queue.fail(lease, Failure(ErrorClass.TRANSIENT, error.message)))
        record = done_record(lease, result, takes, provider=provider, now=self._clock.now())
        self._queue.complete(lease, record)
        return Settled(JobState.DONE, tuple(takes))

    def _store(self, entry: str, lease: Lease, result: SpoolResult) -> list[Take]:
        folder, spec = self._scratch / entry, lease.spec
        if len(result.files) != spec.variants:  # numbered from 1 without a gap: the format says so
            raise InvalidSpoolData(
                f"The worker's result has {len(result.files)} takes where the job asks for {spec.variants}."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            takes = []
            for file in sorted(result.files, key=lambda file: file.take):
                artifact = self._put(entry, file, folder)
                peaks = None
                if file.peaks is not None:
                    name = take_name(spec.output_name, file.take, PEAKS_SUFFIX)
                    peaks = Peaks(name, self._put(entry, file.peaks, folder))
                name = take_name(spec.output_name, file.take, spec.format)
                takes.append(Take(file.take, name, artifact, peaks))
            return takes
        except (
            OSError,
            SpoolUnusable,
        ) as error:  # our own disk is full or gone: the result waits in the spool
            raise StorageUnavailable(f"The scratch folder {folder} cannot be used: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _put(self, entry: str, file: ResultFile, folder: Path) -> StoredArtifact:
        local = folder / "incoming"
        self._spool.fetch(entry, file, local)
        return self._storage.put(local, sha256=file.sha256, bytes=file.bytes)


def done_record(
    lease: Lease, result: SpoolResult, takes: Sequence[Take], *, provider: str, now: float
) -> dict[str, Any]:
    """What `pab:jobs:result` keeps of a finished job (docs/reference/result-record.md)."""
    return {
        "output": takes[0].output,
        "takes": [take.to_json() for take in takes],
        "record": result.record,
        "timings": {
            "waited_s": round(max(0.0, result.started_at - lease.enqueued_at), 3),
            "worked_s": round(max(0.0, result.finished_at - result.started_at), 3),
            "stored_s": round(max(0.0, now - result.finished_at), 3),
        },
        "provider": provider,
        "callback_data": dict(lease.spec.callback_data),
    }


def _failure_of(result: SpoolResult) -> Failure:
    error = result.error
    assert error is not None  # the caller looked
    evidence = {"worker_class": error.error_class.value, "log": list(error.log)}
    return Failure(_CLASS_OF[error.error_class], error.message, evidence)
