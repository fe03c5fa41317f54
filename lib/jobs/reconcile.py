"""The queue's keys held against each other, and its records against the store and the published files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lib.errors import ExitStatus
from lib.findings import Finding
from lib.jobqueue import FinishedJob, JobQueue, JobState
from lib.jobqueue.errors import DamagedRow
from lib.jobs.admin import required_admin
from lib.jobs.names import claim_of, published_anew, strange_file
from lib.jobs.reconcile_messages import FORGET, LEFT, closing, finding
from lib.records import DoneRecord, InvalidRecord, Made
from lib.storage import (
    ArtifactMismatch,
    NotStored,
    Storage,
    StorageUnavailable,
    StoredArtifact,
    output_name_of,
)

#: As long as a live watcher may take from a job's record to its last published file: hours of audio are
#: copied and synced meanwhile. It goes on trying after that, too, but then people should know.
_PUBLISHING_S: Final = 120.0

_File = tuple[str, StoredArtifact]  # the published name, and what is stored


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What did not fit; `applied`: it was mended where that was possible."""

    findings: tuple[Finding, ...]
    applied: bool
    all_gone: bool = False  # no done job, of two or more, has its audio in this store

    @property
    def left(self) -> int:
        """How many of the findings are not mended."""
        return sum(not item.mended for item in self.findings)

    @property
    def closing(self) -> str | None:
        """How to go on with what is left; None when nothing is."""
        return closing(self.findings, applied=self.applied, all_gone=self.all_gone)

    @property
    def exit_status(self) -> ExitStatus:
        """1 while something is left that matters, else 0."""
        matters = any(not item.mended and not item.harmless for item in self.findings)
        return ExitStatus.JOB_FAILED if matters else ExitStatus.OK

    def to_json(self) -> dict[str, Any]:
        """The value of `reconcile --json` (docs/reference/json/reconcile.json)."""
        return {
            "applied": self.applied,
            "findings": [item.to_json() for item in self.findings],
            "mended": len(self.findings) - self.left,
            "left": self.left,
        }


def reconcile(
    queue: JobQueue, storage: Storage, *, apply: bool, deep: bool = False, forget_gone: bool = False
) -> Reconciled:
    """Hold streams, leases, rows, results, history and files against each other; mend them with `apply`.

    The queue may be at work meanwhile: what a live watcher finished a moment ago and is publishing still is
    no finding. `deep` reads all audio instead of its size.

    Raises:
        BadConfiguration: the queue lies on no server.
    """
    audit = Audit(queue, storage, mend=apply, deep=deep, forget_gone=forget_gone)
    found = tuple(audit.findings())
    lost = len({item.subject for item in found if item.remedy == FORGET})
    return Reconciled(found, apply, all_gone=lost > 1 and lost >= queue.snapshot().done)


class Audit:
    """One look at everything. `mend` mends what it finds; `deep` reads all audio instead of its size."""

    def __init__(
        self,
        queue: JobQueue,
        storage: Storage,
        *,
        mend: bool,
        deep: bool = False,
        forget_gone: bool = False,
    ) -> None:
        self._queue, self._upkeep, self._storage = queue, required_admin(queue), storage
        self._mend, self._forget = mend, forget_gone
        self._began = queue.snapshot().server_time
        self._deep = deep
        self._whole: Callable[[StoredArtifact], bool] = storage.verify if deep else storage.has

    def findings(self) -> Iterator[Finding]:
        """What does not fit, as it is found: first between the keys, then between records and files."""
        for misfit in self._upkeep.misfits(mend=self._mend):
            yield finding(misfit.kind, misfit.subject, mended=self._mend)
        for request_id, result in self._upkeep.inspector.done_results():
            takes = _takes_of(result)
            if takes and not self._in_order(request_id, takes):
                yield from self._check_again(request_id)

    def _in_order(self, request_id: str, takes: Sequence[Made]) -> bool:
        owner = self._storage.owner(output_name_of(takes))
        if owner is not None and owner.request_id != request_id:
            return False
        files = [*_audio(takes), *_extras(takes)]
        strange = any(self._storage.stranger(item, path, deep=self._deep) for path, item in files)
        return not strange and not self._gone(files) and not self._unpublished(files)

    def _gone(self, files: Iterable[_File]) -> list[_File]:
        return [(output, artifact) for output, artifact in files if not self._whole(artifact)]

    def _unpublished(self, files: Iterable[_File]) -> list[_File]:
        """Those that are stored whole and not published. A published file may be edited by its user, so only
        its absence counts.
        """
        return [
            (output, artifact)
            for output, artifact in files
            if self._whole(artifact) and not self._storage.published(output)
        ]

    def _check_again(self, request_id: str) -> Iterator[Finding]:
        """The record may have been read long ago; a job that went meanwhile is no finding.

        Audio, waveforms and published files are each looked at: one run tells of all, and mends all.
        """
        try:
            job = self._queue.result(request_id)
        except DamagedRow:  # which is told as what it is, among the keys
            return
        if job is None or job.state is not JobState.DONE:
            return
        takes = _takes_of(job.result)
        if gone := self._gone(_audio(takes)):
            found = self._audio_gone(job, gone)
            yield found
            if found.mended and self._queue.result(request_id) is None:  # forgotten
                return
        if gone := self._gone(_extras(takes)):
            yield self._waveform_gone(request_id, gone)
        yield from self._check_names(job, takes)

    def _check_names(self, job: FinishedJob, takes: Sequence[Made]) -> Iterator[Finding]:
        """What lies under the job's names, of those that no newer job has."""
        if not takes or self._being_published(job):
            return
        files = dict([*_audio(takes), *_extras(takes)])
        rivals = self._storage.rivals(claim_of(job), output_name_of(takes), files)
        own = [(path, artifact) for path, artifact in files.items() if path not in rivals]
        if self._unpublished(own):
            yield self._publish("unpublished", job, takes, own)
        if strange_file(self._storage, job, takes, deep=self._deep):
            yield self._publish("another_ones", job, takes, own)

    def _being_published(self, job: FinishedJob) -> bool:
        """Whether the watcher that finished the job is at its next step still: names follow records."""
        if self._began - job.finished_at >= _PUBLISHING_S:  # most are old, and need no look at the queue
            return False
        seen = self._queue.snapshot()
        at_work = {watcher.name for watcher in seen.watchers if watcher.live}
        return job.consumer in at_work and seen.server_time - job.finished_at < _PUBLISHING_S

    def _audio_gone(self, job: FinishedJob, gone: list[_File]) -> Finding:
        word, name = "artifact_gone", job.request_id
        lost = self._lost_for_good(gone)
        if lost is None:
            return self._brought_back(word, name, gone)
        if not self._mend:
            return finding(
                word, name, remedy=FORGET, fix=f"{lost}; the job is forgotten, then enqueue it again"
            )
        if not self._forget:
            how = "job-runner reconcile --apply --forget-gone forgets the job, then enqueue it again"
            return finding(word, name, remedy=FORGET, fix=f"{lost}, so nothing was copied back; {how}")
        if self._upkeep.forget([(name, job.lease_no)]):
            return finding(word, name, mended=True, fix="forgotten: enqueue it again")
        return finding(
            word, name, remedy=LEFT, fix="the job moved meanwhile, so it was not forgotten; look again"
        )

    def _waveform_gone(self, request_id: str, gone: list[_File]) -> Finding:
        lost = self._lost_for_good(gone)
        if lost is None:
            return self._brought_back("waveform_gone", request_id, gone)
        fix = f"{lost}, so nothing brings it back; the audio does not need it"
        return replace(finding("waveform_gone", request_id, remedy=LEFT, fix=fix), harmless=True)

    def _lost_for_good(self, gone: Iterable[_File]) -> str | None:
        """Why the files cannot be copied back; None when each has a whole published copy."""
        for output, artifact in gone:
            try:
                stands = self._storage.stands(artifact, output)
            except StorageUnavailable as error:
                return f"its published file {output} cannot be read ({_words(error)})"
            if not stands:
                return f"its published file {output} is {'gone, too' if stands is None else 'another one'}"
        return None

    def _brought_back(self, word: str, request_id: str, gone: list[_File]) -> Finding:
        """Copy files into the store from their published copies, which are whole."""
        if not self._mend:
            return finding(word, request_id)
        try:
            for output, artifact in gone:
                self._storage.restore(artifact, output)
        except (ArtifactMismatch, NotStored, StorageUnavailable) as error:
            return finding(word, request_id, remedy=LEFT, fix=f"it was not copied back: {_words(error)}")
        return finding(word, request_id, mended=True, fix="copied back from the published file")

    def _publish(self, word: str, job: FinishedJob, takes: Sequence[Made], own: Sequence[_File]) -> Finding:
        if not self._mend:
            return finding(word, job.request_id)
        try:
            trouble = published_anew(self._queue, self._storage, job, takes).trouble
        except (NotStored, StorageUnavailable) as error:
            trouble = error.message
        if trouble or self._unpublished(own):
            why = trouble.rstrip(".") or "another file is in the way"
            fix = f"it was not published again: {why}"
            return finding(word, job.request_id, remedy=LEFT, fix=fix)
        return finding(word, job.request_id, mended=True, fix="published again from the store")


def _words(error: Exception) -> str:
    return str(error).rstrip(".")


def _takes_of(result: Mapping[str, Any] | None) -> tuple[Made, ...]:
    """The takes of a result record; none for one that is not there or cannot be read."""
    try:
        return DoneRecord.from_json(result).takes if result else ()
    except InvalidRecord:
        return ()


def _audio(takes: Iterable[Made]) -> Iterator[_File]:
    return ((take.main.file, StoredArtifact.of(take.main)) for take in takes)


def _extras(takes: Iterable[Made]) -> Iterator[_File]:
    return ((file.file, StoredArtifact.of(file)) for take in takes for file in take.extras)
