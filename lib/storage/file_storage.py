"""Artifacts in a folder of this machine: the embedded default."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from lib.clock import Clock, SystemClock
from lib.files import try_write
from lib.storage.folder import StoreFolder
from lib.storage.hashed_writes import Disk, chunks_of, save
from lib.storage.locations import artifact_of
from lib.storage.names import PublishedNames
from lib.storage.outputs import Outputs
from lib.storage.port import (
    ArtifactMismatch,
    NotStored,
    SignedUpload,
    StorageExam,
    StoredArtifact,
)


class FileStorage(PublishedNames):
    """Blobs under `<root>/blobs/sha256/ab/<sha256>`, published copies under `<root>/outputs/<name>`.

    Published files are copies, not links: a user may edit them without touching the record's bytes. Whose
    they are stands under `<root>/published`. The folder `outputs` may be a link; within it none is followed,
    so that no name leads elsewhere.
    """

    def __init__(self, root: Path, disk: Disk | None = None, clock: Clock | None = None) -> None:
        self._root = root
        self._folder = StoreFolder(root, disk or Disk())
        self._outputs = Outputs(self._folder, clock or SystemClock())
        super().__init__(self._outputs)

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Copy, hash while copying, sync, read back, rename; an equal blob that is there already is kept."""
        artifact = artifact_of(sha256, bytes)
        self._folder.sweep((self._root / artifact.key).parent)
        if not self.verify(artifact):
            with source.open("rb") as stream:
                what = f"{source.name} was not stored"
                self._folder.land(chunks_of(stream), self._root / artifact.key, artifact, what=what)
        return artifact

    def has(self, artifact: StoredArtifact) -> bool:
        """Look at the file's size."""
        found = self._folder.stat(self._root / artifact.key)
        return found is not None and found.st_size == artifact.bytes

    def verify(self, artifact: StoredArtifact) -> bool:
        """Read the blob whole and compare."""
        return self._folder.holds(self._root / artifact.key, artifact)

    def open(self, artifact: StoredArtifact) -> BinaryIO:
        """Open the blob."""
        return self._folder.open(
            self._root / artifact.key, f"{artifact.key} is not in the store {self._root}."
        )

    def fetch(self, artifact: StoredArtifact, local: Path) -> None:
        """Copy the blob, hash while copying, sync, rename."""
        self._folder.sweep(local.parent)
        with self.open(artifact) as stream:
            save(self._folder.chunks(stream), local, artifact)

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        """None: no machine elsewhere reaches a folder of this one."""
        return None

    def incoming(self) -> None:
        """None, for the same reason."""
        return None

    def sign_download(self, artifact: StoredArtifact, name: str) -> str | None:
        """None: its places are paths."""
        return None

    def examine(self) -> StorageExam:
        """Make the folder, and write and read in it."""
        with self._folder.refusals():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            try_write(self._root)
        return StorageExam()

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Read the blob whole and compare."""
        artifact = artifact_of(sha256, bytes)
        if not self.blob(artifact):
            raise NotStored(f"{artifact.key} is not in the store {self._root}.")
        if not self.verify(artifact):
            raise ArtifactMismatch(f"{artifact.key} in the store {self._root} holds other bytes.")
        return artifact

    def restore(self, artifact: StoredArtifact, name: str) -> None:
        """Copy `outputs/<name>` to the blob's place unless the blob is whole."""
        self._folder.sweep((self._root / artifact.key).parent)
        if self.verify(artifact):
            return
        missing = f"Nothing is published as {name}."
        if not self.published(name):
            raise NotStored(missing)
        with self._folder.open(self._outputs.path(name), missing) as stream:
            what = f"The published file {name} was not copied back into the store"
            self._folder.land(self._folder.chunks(stream), self._root / artifact.key, artifact, what=what)

    def location(self, name: str) -> str:
        """The absolute path of `outputs/<name>`."""
        return str(self._outputs.path(name))

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Compare the file that stands there, whole; a link, on the way too, is something else."""
        found = self._outputs.stat(name)
        return None if found is None else self._folder.is_(self._outputs.path(name), found, artifact)

    def published(self, name: str) -> bool:
        """Look for a plain file of that name in plain folders."""
        found = self._outputs.stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def blob(self, artifact: StoredArtifact) -> str:
        """The blob's absolute path."""
        path = self._root / artifact.key
        return "" if self._folder.stat(path) is None else str(path)
