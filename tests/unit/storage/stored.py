"""Takes of what lies in a store."""

from __future__ import annotations

from lib.records import FileRef, Take
from lib.storage import StoredArtifact
from tests.doubles import records


def take_of(name: str, audio: StoredArtifact, peaks: StoredArtifact | None = None) -> Take:
    """The take that is published as `name`.wav, with its waveform or without."""
    drawn = None if peaks is None else _file(f"{name}.peaks.json", peaks)
    return records.take(audio=_file(f"{name}.wav", audio), peaks=drawn)


def _file(name: str, artifact: StoredArtifact) -> FileRef:
    return FileRef(name, artifact.bytes, artifact.sha256, artifact.key)
