"""The takes of a done job: how the result record names them, and their published files.

Written by the watcher, read by every command that shows where audio is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.storage.port import Storage, StoredArtifact


@dataclass(frozen=True, slots=True)
class Take:
    """One stored take. Number 1 is the chosen one."""

    number: int
    output: str  # the published name, "topic/beat-001.wav"
    artifact: StoredArtifact

    def to_json(self) -> dict[str, Any]:
        """Its place in a result record (docs/reference/result-record.md)."""
        return {
            "take": self.number,
            "output": self.output,
            "key": self.artifact.key,
            "sha256": self.artifact.sha256,
            "bytes": self.artifact.size,
        }


def published_name(output_name: str, suffix: str, number: int) -> str:
    """`topic/beat-001.wav` for the chosen take, `topic/beat-001.take-02.wav` for the second and so on."""
    return f"{output_name}.{suffix}" if number == 1 else f"{output_name}.take-{number:02d}.{suffix}"


def takes_of(result: Mapping[str, Any] | None) -> list[Take]:
    """The takes of a result record, the chosen first; none for a job that is not done."""
    return [
        Take(take["take"], take["output"], StoredArtifact(take["key"], take["sha256"], take["bytes"]))
        for take in (result or {}).get("takes", [])
    ]


def publish_takes(storage: Storage, takes: Sequence[Take]) -> list[str]:
    """Make each take readable by its name; returns the locations, the chosen first. Repeatable."""
    return [storage.publish(take.artifact, take.output) for take in takes]


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
            found.append(storage.publish(take.artifact, take.output))
        else:
            found.append(storage.location(take.output) if stands else storage.blob(take.artifact))
    return found
