"""Takes of what lies in a store, and jobs that want names."""

from __future__ import annotations

from lib.records import FileRef, Take
from lib.storage import Claim, Storage, StoredArtifact
from tests.doubles import records

CLAIM = Claim("a")  # of no order


def publish(storage: Storage, artifact: StoredArtifact, path: str, claim: Claim = CLAIM) -> str:
    """Publish one file of a job that is named by it, and return its place."""
    return storage.publish(claim, path.rpartition(".")[0], {path: artifact}).places[path]


def take_of(name: str, audio: StoredArtifact, peaks: StoredArtifact | None = None) -> Take:
    """The take that is published as `name`.wav, with its waveform or without."""
    drawn = None if peaks is None else _file(f"{name}.peaks.json", peaks)
    return records.take(audio=_file(f"{name}.wav", audio), peaks=drawn)


def _file(name: str, artifact: StoredArtifact) -> FileRef:
    return FileRef(name, artifact.bytes, artifact.sha256, artifact.key)
