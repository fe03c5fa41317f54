"""The takes of a done job: how the result record names them, and their published files.

Written by the watcher, read by every command that shows where audio is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lib.storage.port import ArtifactMismatch, NotStored, Storage, StorageUnavailable, StoredArtifact


@dataclass(frozen=True, slots=True)
class Take:
    """One stored take. Number 1 is the chosen one."""

    number: int
    output: str  # the published name, "topic/beat-001.wav"
    artifact: StoredArtifact
    peaks: Peaks | None = None

    def to_json(self) -> dict[str, Any]:
        """Its place in a result record (docs/reference/result-record.md)."""
        facts = {"take": self.number, **_json(self.output, self.artifact)}
        return facts if self.peaks is None else {**facts, "peaks": _json(*self.peaks)}


class Peaks(NamedTuple):
    """The waveform of a take."""

    output: str  # the published name, "topic/beat-001.peaks.json"
    artifact: StoredArtifact


def _json(output: str, artifact: StoredArtifact) -> dict[str, Any]:
    return {"output": output, "key": artifact.key, "sha256": artifact.sha256, "bytes": artifact.bytes}


def takes_of(result: Mapping[str, Any] | None) -> list[Take]:
    """The takes of a result record, the chosen first; none for a job that is not done."""
    return [_take(take) for take in (result or {}).get("takes", [])]


def _take(facts: Mapping[str, Any]) -> Take:
    peaks = facts.get("peaks")
    return Take(facts["take"], *_stored(facts), None if peaks is None else Peaks(*_stored(peaks)))


def _stored(facts: Mapping[str, Any]) -> tuple[str, StoredArtifact]:
    return facts["output"], StoredArtifact(facts["key"], facts["sha256"], facts["bytes"])


def publish_takes(storage: Storage, takes: Sequence[Take]) -> list[str]:
    """Make each take readable by its name, then its waveform; returns the takes' locations, the chosen
    first. Repeatable. A waveform that cannot be published is left out: the audio is good without it.
    """
    locations = [storage.publish(take.artifact, take.output) for take in takes]
    for take in takes:
        if take.peaks is not None:
            _publish_peaks(storage, take.peaks)
    return locations


def _publish_peaks(storage: Storage, peaks: Peaks) -> None:
    if storage.has(peaks.artifact):
        with contextlib.suppress(StorageUnavailable, ArtifactMismatch, NotStored):
            storage.publish(peaks.artifact, peaks.output)


def files_of(storage: Storage, takes: Sequence[Take], *, restore: bool = False) -> list[str]:
    """Where each take can be played, the chosen first; "" for one that is gone.

    That is its published name, unless another job's take has been published there since: then it is the
    take's place in the store, for the other one must not be replaced behind anybody's back. With
    `restore`, a published file that somebody removed is put back.
    """
    found = []
    for take in takes:
        stands = storage.stands(take.artifact, take.output)
        if stands is None and restore and storage.blob(take.artifact):
            found.append(_put_back(storage, take))
        else:
            found.append(storage.location(take.output) if stands else storage.blob(take.artifact))
    return found


def _put_back(storage: Storage, take: Take) -> str:
    try:
        location = storage.publish(take.artifact, take.output)
    except (ArtifactMismatch, NotStored):  # what is damaged is as good as gone
        return ""
    if take.peaks is not None and storage.stands(take.peaks.artifact, take.peaks.output) is None:
        _publish_peaks(storage, take.peaks)
    return location
