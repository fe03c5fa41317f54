"""The queue's keys held against each other, and its records against the store and the published files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lib.jobqueue import FinishedJob, JobQueue, JobState
from lib.jobqueue.upkeep import Upkeep
from lib.status.findings import Finding
from lib.status.reconcile import finding
from lib.storage import (
    ArtifactMismatch,
    Storage,
    StorageUnavailable,
    StoredArtifact,
    Take,
    publish_takes,
    takes_of,
)

_File = tuple[str, StoredArtifact]  # the published name, and what is stored


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
        self._whole: Callable[[StoredArtifact], bool] = storage.verify if deep else storage.has

    def findings(self) -> Iterator[Finding]:
        """What does not fit, as it is found: first between the keys, then between records and files."""
        for misfit in self._upkeep.misfits(mend=self._mend):
            yield finding(misfit.kind, misfit.subject, mended=self._mend)
        for request_id, result in self._upkeep.inspector.done_results():
            takes = takes_of(result)
            if takes and not self._in_order(takes):
                yield from self._check_again(request_id)

    def _in_order(self, takes: list[Take]) -> bool:
        stored = all(self._whole(artifact) for _, artifact in (*_audio(takes), *_waveforms(takes)))
        return stored and all(self._published(take) for take in takes)

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
        if gone := self._gone(_audio(takes)):
            mended = self._mend and (self._bring_back(gone, takes) or self._forgotten(job))
            yield finding("artifact_gone", request_id, mended=mended)
        elif gone := self._gone(_waveforms(takes)):
            mended = self._mend and self._bring_back(gone, takes)
            yield finding("waveform_gone", request_id, mended=mended)
        elif not self._in_order(takes):
            yield finding("unpublished", request_id, mended=self._mend and self._publish(takes))

    def _gone(self, files: Iterable[_File]) -> list[_File]:
        return [(output, artifact) for output, artifact in files if not self._whole(artifact)]

    def _bring_back(self, gone: list[_File], takes: list[Take]) -> bool:
        """Copy files into the store from their published copies, where those are whole."""
        try:
            for output, artifact in gone:
                copy = Path(self._storage.location(output))
                self._storage.put(copy, sha256=artifact.sha256, size=artifact.size)
        except (ArtifactMismatch, StorageUnavailable, OSError):
            return False
        return self._publish(takes)

    def _forgotten(self, job: FinishedJob) -> bool:
        """Have the job forgotten, if that is wanted."""
        wanted = [(job.request_id, job.lease_no)] if self._forget else []
        return bool(self._upkeep.forget(wanted))

    def _publish(self, takes: list[Take]) -> bool:
        try:
            publish_takes(self._storage, takes)
        except (StorageUnavailable, OSError):
            return False
        return True


def _audio(takes: Iterable[Take]) -> Iterator[_File]:
    return ((take.output, take.artifact) for take in takes)


def _waveforms(takes: Iterable[Take]) -> Iterator[_File]:
    return ((take.peaks.output, take.peaks.artifact) for take in takes if take.peaks is not None)
