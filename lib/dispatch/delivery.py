"""Copies finished audio and pictures into a store, verified, and publishes it under its name."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib.captions import rendered
from lib.clock import Clock
from lib.dispatch.machine_uploads import MachineUploads
from lib.jobqueue import Lease
from lib.jobspec import PEAKS_SUFFIX, JobSpec, take_name
from lib.records import (
    DoneRecord,
    DrawnRecord,
    FileRef,
    JobPicture,
    Made,
    MadeRecord,
    SpokenRecord,
    Take,
    done_record,
)
from lib.spool import MAX_KEPT_CAPTIONS_BYTES, InvalidSpoolData, SpoolClient, SpoolResult, SpoolUnusable
from lib.spool.pictures import asked_picture, check_picture
from lib.storage import Claim, Storage, StorageUnavailable, publish_takes


class StorageDelivery:
    """`Delivery` into a `Storage`. `scratch` is a folder of ours that may be emptied at any time.

    Threads: the loop's only.
    Raises: as `Delivery`; `store` also StillUploading; `publish` also ArtifactMismatch or NotStored, where
        the store has a take no more.
    """

    def __init__(self, storage: Storage, *, provider: str, scratch: Path, clock: Clock) -> None:
        self._storage, self._provider = storage, provider
        self._scratch, self._clock = scratch, clock
        self._uploads = MachineUploads(storage, clock)

    def store(self, spool: SpoolClient, entry: str, lease: Lease, result: SpoolResult) -> DoneRecord:
        """Have a remote machine upload its files; copy others here, compare, put them into the store."""
        record = _as_asked(lease.spec, result.record)
        if isinstance(record, SpokenRecord):  # a picture is looked at here, so it comes here in any case
            self._uploads.need(spool, entry, _files_of(record.takes))
        folder = self._scratch / entry
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept = self._kept(spool, entry, lease, record, folder)
        except (OSError, SpoolUnusable) as error:  # our own disk: the result waits in the spool
            raise StorageUnavailable(f"The scratch folder {folder} cannot be used: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._uploads.forget(entry)
        return done_record(
            kept,
            started_at=result.started_at,
            finished_at=result.finished_at,
            enqueued_at=lease.enqueued_at,
            now=self._clock.now(),
            provider=self._provider,
            callback_data=lease.spec.callback_data,
        )

    def publish(
        self, claim: Claim, takes: Sequence[Made], former: Sequence[Sequence[Made]] = ()
    ) -> Claim | None:
        """Copy each take to its name, unless a newer job has it."""
        return publish_takes(self._storage, claim, takes, former=former).superseded_by

    def published(self, takes: Sequence[Made]) -> bool:
        """Look for each take's name in the store."""
        return all(self._storage.published(take.main.file) for take in takes)

    def _kept(
        self, spool: SpoolClient, entry: str, lease: Lease, record: MadeRecord, folder: Path
    ) -> MadeRecord:
        """The record as the queue keeps it, once all its files are in the store."""
        if isinstance(record, DrawnRecord):
            return record.placed([self._stored_picture(spool, entry, lease, record.picture, folder)])
        takes = [self._stored(spool, entry, lease, take, folder) for take in record.takes]
        return record.placed(takes).with_captions(MAX_KEPT_CAPTIONS_BYTES)

    def _stored_picture(
        self, spool: SpoolClient, entry: str, lease: Lease, picture: JobPicture, folder: Path
    ) -> JobPicture:
        """The picture in the store, once its bytes were looked at here."""
        file, local = picture.picture, folder / "incoming"
        spool.fetch(entry, file, local)
        check_picture(local, picture)
        artifact = self._storage.put(local, sha256=file.sha256, bytes=file.bytes)
        name = take_name(lease.spec.output_name, 1, lease.spec.suffix)
        return replace(picture, picture=FileRef(name, artifact.bytes, artifact.sha256, artifact.key))

    def _stored(self, spool: SpoolClient, entry: str, lease: Lease, take: Take, folder: Path) -> Take:
        spec = lease.spec
        audio = self._put(
            spool, entry, take.audio, folder, take_name(spec.output_name, take.take, spec.format)
        )
        peaks = take.peaks
        if peaks is not None:
            name = take_name(spec.output_name, take.take, PEAKS_SUFFIX)
            peaks = self._put(spool, entry, peaks, folder, name)
        return take.placed(audio, peaks, self._captions(spec.output_name, take, folder))

    def _captions(self, output_name: str, take: Take, folder: Path) -> list[FileRef]:
        """The files of its captions, made here: nothing of them comes from the machine but the cues."""
        made = []
        for suffix, data in rendered(take.captions, take.audio_seconds).items():
            local = folder / "captions"
            local.write_bytes(data)
            artifact = self._storage.put(local, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
            name = take_name(output_name, take.take, suffix)
            made.append(FileRef(name, artifact.bytes, artifact.sha256, artifact.key))
        return made

    def _put(self, spool: SpoolClient, entry: str, file: FileRef, folder: Path, name: str) -> FileRef:
        artifact = self._uploads.confirmed(entry, file)
        if artifact is None:
            local = folder / "incoming"
            spool.fetch(entry, file, local)
            artifact = self._storage.put(local, sha256=file.sha256, bytes=file.bytes)
        return FileRef(name, artifact.bytes, artifact.sha256, artifact.key)


def _files_of(takes: Sequence[Take]) -> list[FileRef]:
    return [file for take in takes for file in take.files]


def _as_asked(spec: JobSpec, record: MadeRecord | None) -> MadeRecord:
    """What the worker says that it made, where it is what the job asks for. Raises InvalidSpoolData."""
    if spec.is_picture:
        return asked_picture(record, spec.size, spec.seed, spec.drawn_by)
    made = len(record.takes) if isinstance(record, SpokenRecord) else 0
    fewer = spec.select_best and 0 < made < spec.variants  # it stopped at a take that could be no better
    if not isinstance(record, SpokenRecord) or not (made == spec.variants or fewer):
        raise InvalidSpoolData(
            f"The worker's result has {made} takes where the job asks for {spec.variants}."
        )
    if record.pieces > max(len(spec.text), 1):  # it is counted who breaks how many
        raise InvalidSpoolData(
            f"The worker's result has {record.pieces} pieces of a text of {len(spec.text)} characters."
        )
    return record
