"""What a store of artifacts must do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib.errors import BadConfiguration, JobRunnerError


class StorageUnavailable(BadConfiguration):
    """The store cannot take data: read-only, full, or not there. Jobs wait; none is lost."""


class ArtifactMismatch(JobRunnerError):
    """The bytes are not the ones that were promised: another length or another sha256."""


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """An artifact that is in the store and was read back."""

    key: str  # "blobs/sha256/ab/<64 hex>": the content names its place
    sha256: str
    size: int  # bytes


class Storage(Protocol):
    """A content-addressed store with a published view by name.

    Every call may be repeated: the second one finds the work done and changes nothing.

    Raises, from every method:
        StorageUnavailable: the store refuses; the caller may try again later.
    """

    def put(self, source: Path, *, sha256: str, size: int) -> StoredArtifact:
        """Store the file under the name of its content and verify what was stored.

        Raises:
            ArtifactMismatch: the file is not the one `sha256` and `size` describe.
        """
        ...

    def has(self, artifact: StoredArtifact) -> bool:
        """Say whether the artifact is there, with its size. Cheap: its bytes are not read."""
        ...

    def verify(self, artifact: StoredArtifact) -> bool:
        """Say whether the artifact is there, with its size and its sha256. Reads it whole."""
        ...

    def publish(self, artifact: StoredArtifact, name: str) -> str:
        """Make the artifact readable as `outputs/<name>` and return its location (a path or URL).

        `name` is an output name with its suffix, already validated by `lib.jobspec`.
        """
        ...

    def location(self, name: str) -> str:
        """Where `outputs/<name>` is or would be, for people."""
        ...

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Whether `outputs/<name>` holds this artifact; None when nothing stands there."""
        ...

    def published(self, name: str) -> bool:
        """Whether anything stands at `outputs/<name>`; its content is not looked at."""
        ...

    def blob(self, artifact: StoredArtifact) -> str:
        """Where the artifact itself is kept, whatever its name holds; "" when it is gone."""
        ...
