"""The files of a store in a folder: seen, opened, compared and written whole, with refusals as sentences."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from lib.files import draft_beside, sweep_drafts
from lib.storage.hashed_writes import Disk, chunks_of, write_promised
from lib.storage.port import NotStored, StorageUnavailable, StoredArtifact

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "the folder may not be written by this user",
    errno.EPERM: "the folder may not be written by this user",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where a file is needed",
    errno.ENOLCK: "its file system has no locks, and only one at a time may publish",
}


class StoreFolder:
    """What every part of a store in a folder does with its files."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root, self.disk = root, disk
        self._swept: set[Path] = set()

    def sweep(self, folder: Path) -> None:
        """Once in the life of this store: remove what killed processes were writing there."""
        if folder not in self._swept:
            self._swept.add(folder)
            sweep_drafts(folder)

    def land(self, chunks: Iterable[bytes], target: Path, artifact: StoredArtifact, *, what: str) -> None:
        """Put the artifact at `target`, verified where it lies, or leave `target` as it was."""
        with self.draft(chunks, target, artifact, what=what) as draft, self.refusals():
            self.disk.name(draft, target)

    @contextlib.contextmanager
    def draft(
        self, chunks: Iterable[bytes], target: Path, artifact: StoredArtifact, *, what: str
    ) -> Iterator[Path]:
        """The artifact in a draft beside `target`, verified where it lies; gone afterwards unless renamed."""
        with contextlib.ExitStack() as stack:
            with self.refusals():
                draft = stack.enter_context(draft_beside(target, make_folder=True))
                write_promised(chunks, draft, artifact, disk=self.disk, what=what)
            if not self.holds(draft, artifact):
                raise StorageUnavailable(
                    f"The disk of {self.root} does not give back what was written to it, so {target.name} "
                    "was not written; look after the disk."
                )
            yield draft

    def holds(self, path: Path, artifact: StoredArtifact) -> bool:
        """Whether that file is the artifact, byte for byte."""
        return self.is_(path, self.stat(path), artifact)

    def is_(self, path: Path, found: os.stat_result | None, artifact: StoredArtifact) -> bool:
        """Whether the file at `path`, of which `found` was seen, is the artifact, byte for byte."""
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != artifact.bytes:
            return False
        return self.sha256(path) == artifact.sha256

    def sha256(self, path: Path) -> str | None:
        """Of a file's bytes; None where it is gone meanwhile."""
        with contextlib.suppress(NotStored), self.open(path, "gone meanwhile") as stream:
            digest = hashlib.sha256()
            for chunk in self.chunks(stream):
                digest.update(chunk)
            return digest.hexdigest()
        return None

    def stat(self, path: Path, *, follow: bool = True) -> os.stat_result | None:
        """What stands there; None for nothing. A store out of reach is not an empty one."""
        with self.refusals():
            try:
                return path.stat(follow_symlinks=follow)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def open(self, path: Path, missing: str) -> BinaryIO:
        """Open for reading. Raises NotStored with the sentence `missing` where nothing is."""
        with self.refusals():
            try:
                return self.disk.read(path)
            except (FileNotFoundError, NotADirectoryError):
                raise NotStored(missing) from None

    def chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """What is read from our own disk: its refusals are ours, not those of whoever writes it on."""
        with self.refusals():
            yield from chunks_of(stream)

    @contextlib.contextmanager
    def refusals(self) -> Iterator[None]:
        """Make an OSError of the block the store's trouble. Raises StorageUnavailable."""
        try:
            yield
        except OSError as error:
            reason = _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
            raise StorageUnavailable(f"The store {self.root} cannot be used now: {reason}.") from error
