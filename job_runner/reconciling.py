"""The queue's keys held against each other, and its records against the store and the published files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lib.jobqueue import FinishedJob, JobQueue, JobState
from lib.jobqueue.upkeep import Upkeep
from lib.status.findings import Finding
from lib.status.reconcile import finding
from lib.storage import ArtifactMismatch, Storage, StorageUnavailable, Take, publish_takes, takes_of


class Audit:
    """One look at everything. `mend` mends what it finds; `deep` reads all audio instead of its size."""

    def __init__(
        self,
        queue: JobQueue,
        upkeep: Upkeep,
        storage: Storage,
        *,
        mend: bool,
        deep: bool = False,
        forget_gone: bool = False,
    ) -> None:
        self._queue, self._upkeep, self._storage = queue, upkeep, storage
        self._mend, self._forget = mend, forget_gone
        self._whole: Callable[[Take], bool] = (
            (lambda take: storage.verify(take.artifact))
            if deep
            else (lambda take: storage.has(take.artifact))
        )

    def findings(self) -> Iterator[Finding]:
        """What does not fit, as it is found: first between the keys, then between records and files."""
        for misfit in self._upkeep.misfits(mend=self._mend):
            yield finding(misfit.kind, misfit.subject, mended=self._mend)
        for request_id, result in self._upkeep.inspector.done_results():
            takes = takes_of(result)
            if takes and not self._in_order(takes):
                yield from self._check_again(request_id)

    def _in_order(self, takes: list[Take]) -> bool:
        return all(self._whole(take) and self._published(take) for take in takes)

    def _published(self, take: Take) -> bool:
        """A published file may be edited by its user, so only its absence counts."""
        names = [take.output]
        if take.peaks is not None and self._storage.has(take.peaks.artifact):  # else there is none to publish
            names.append(take.peaks.output)
        return all(Path(self._storage.location(name)).is_file() for name in names)

    def _check_again(self, request_id: str) -> Iterator[Finding]:
        """The record may have been read long ago; a job that went meanwhile is no finding."""
        job = self._queue.result(request_id)
        if job is None or job.state is not JobState.DONE:
            return
        takes = takes_of(job.result)
        gone = [take for take in takes if not self._whole(take)]
        if gone:
            yield finding("artifact_gone", request_id, mended=self._mend and self._restore(job, gone))
        elif not self._in_order(takes):
            yield finding("unpublished", request_id, mended=self._mend and self._publish(takes))

    def _restore(self, job: FinishedJob, gone: list[Take]) -> bool:
        """Bring the audio back from its published copies; or have the job forgotten, if that is wanted."""
        try:
            for take in gone:
                copy = Path(self._storage.location(take.output))
                self._storage.put(copy, sha256=take.artifact.sha256, size=take.artifact.size)
        except (ArtifactMismatch, StorageUnavailable, OSError):
            wanted = [(job.request_id, job.lease_no)] if self._forget else []
            return bool(self._upkeep.forget(wanted))
        return self._publish(takes_of(job.result))

    def _publish(self, takes: list[Take]) -> bool:
        try:
            publish_takes(self._storage, takes)
        except (StorageUnavailable, OSError):
            return False
        return True
