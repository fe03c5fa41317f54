"""The published files of a done job: made by whoever gets jobs done, read by every command."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from lib.records import FileRef, Take
from lib.storage.port import ArtifactMismatch, NotStored, Storage, StorageUnavailable, StoredArtifact


def publish_takes(storage: Storage, takes: Sequence[Take]) -> list[str]:
    """Make each take readable by its name, then its waveform; returns the takes' places, the chosen first.

    Repeatable. A waveform that cannot be published is left out: the audio is good without it.
    """
    places = [storage.publish(StoredArtifact.of(take.audio), take.audio.file) for take in takes]
    for take in takes:
        if take.peaks is not None:
            _publish_peaks(storage, take.peaks)
    return places


def _publish_peaks(storage: Storage, peaks: FileRef) -> None:
    artifact = StoredArtifact.of(peaks)
    if storage.has(artifact):
        with contextlib.suppress(StorageUnavailable, ArtifactMismatch, NotStored):
            storage.publish(artifact, peaks.file)


def files_of(storage: Storage, takes: Sequence[Take], *, restore: bool = False) -> list[str]:
    """Where each take can be played, the chosen first; "" for one that is gone.

    That is its published name, unless another job's take has been published there since: then it is the
    take's place in the store, for the other one must not be replaced behind anybody's back. With
    `restore`, a published file that somebody removed is put back.
    """
    found = []
    for take in takes:
        artifact, name = StoredArtifact.of(take.audio), take.audio.file
        stands = storage.stands(artifact, name)
        if stands is None and restore and storage.blob(artifact):
            found.append(_put_back(storage, take))
        else:
            found.append(storage.location(name) if stands else storage.blob(artifact))
    return found


def _put_back(storage: Storage, take: Take) -> str:
    try:
        place = storage.publish(StoredArtifact.of(take.audio), take.audio.file)
    except (ArtifactMismatch, NotStored):  # what is damaged is as good as gone
        return ""
    peaks = take.peaks
    if peaks is not None and storage.stands(StoredArtifact.of(peaks), peaks.file) is None:
        _publish_peaks(storage, peaks)
    return place
