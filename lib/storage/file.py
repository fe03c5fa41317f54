"""Artifacts in a folder of this machine: the embedded default."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lib.files import draft_beside, replace_durably, sweep_drafts
from lib.storage.locations import artifact_of, output_key
from lib.storage.port import ArtifactMismatch, NotStored, SignedUpload, StorageUnavailable, StoredArtifact
from lib.storage.writing import Disk, chunks_of, save, write_promised

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "the folder may not be written by this user",
    errno.EPERM: "the folder may not be written by this user",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EEXIST: "a file stands where a folder is needed",
}


class FileStorage:
    """Blobs under `<root>/blobs/sha256/ab/<sha256>`, published copies under `<root>/outputs/<name>`.

    Published files are copies, not links: a user may edit them without touching the record's bytes. The
    folder `outputs` may be a link; within it none is followed, so that no name leads elsewhere.
    """

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._root, self._disk = root, disk or Disk()
        self._swept: set[Path] = set()

    def put(self, source: Path, *, sha256: str, bytes: int) -> StoredArtifact:
        """Copy, hash while copying, sync, read back, rename; an equal blob that is there already is kept."""
        artifact = artifact_of(sha256, bytes)
        self._sweep((self._root / artifact.key).parent)
        if not self.verify(artifact):
            with source.open("rb") as stream:
                what = f"{source.name} was not stored"
                self._land(chunks_of(stream), self._root / artifact.key, artifact, what=what)
        return artifact

    def has(self, artifact: StoredArtifact) -> bool:
        """Look at the file's size."""
        found = self._stat(self._root / artifact.key)
        return found is not None and found.st_size == artifact.bytes

    def verify(self, artifact: StoredArtifact) -> bool:
        """Read the blob whole and compare."""
        return self._holds(self._root / artifact.key, artifact)

    def open(self, artifact: StoredArtifact) -> BinaryIO:
        """Open the blob."""
        return self._open(self._root / artifact.key, f"{artifact.key} is not in the store {self._root}.")

    def fetch(self, artifact: StoredArtifact, local: Path) -> None:
        """Copy the blob, hash while copying, sync, rename."""
        self._sweep(local.parent)
        with self.open(artifact) as stream:
            save(self._chunks(stream), local, artifact)

    def sign_upload(self, sha256: str, bytes: int) -> SignedUpload | None:
        """None: no machine elsewhere reaches a folder of this one."""
        return None

    def confirm(self, sha256: str, bytes: int) -> StoredArtifact:
        """Read the blob whole and compare."""
        artifact = artifact_of(sha256, bytes)
        if not self.blob(artifact):
            raise NotStored(f"{artifact.key} is not in the store {self._root}.")
        if not self.verify(artifact):
            raise ArtifactMismatch(f"{artifact.key} in the store {self._root} holds other bytes.")
        return artifact

    def publish(self, artifact: StoredArtifact, name: str) -> str:
        """Copy the blob to `outputs/<name>` unless the same bytes stand there; a link there is replaced."""
        target = self._output(name)
        self._need_no_link_above(name)
        self._sweep(target.parent)
        if not self._is(target, self._published(name), artifact):
            with self.open(artifact) as stream:
                what = f"{artifact.key} is damaged in the store and was not published as {name}"
                self._land(self._chunks(stream), target, artifact, what=what)
        return str(target)

    def restore(self, artifact: StoredArtifact, name: str) -> None:
        """Copy `outputs/<name>` to the blob's place unless the blob is whole."""
        self._sweep((self._root / artifact.key).parent)
        if self.verify(artifact):
            return
        missing = f"Nothing is published as {name}."
        if not self.published(name):
            raise NotStored(missing)
        with self._open(self._output(name), missing) as stream:
            what = f"The published file {name} was not copied back into the store"
            self._land(self._chunks(stream), self._root / artifact.key, artifact, what=what)

    def location(self, name: str) -> str:
        """The absolute path of `outputs/<name>`."""
        return str(self._output(name))

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Compare the file that stands there, whole; a link, on the way too, is something else."""
        found = self._published(name)
        return None if found is None else self._is(self._output(name), found, artifact)

    def published(self, name: str) -> bool:
        """Look for a plain file of that name in plain folders."""
        found = self._published(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def blob(self, artifact: StoredArtifact) -> str:
        """The blob's absolute path."""
        path = self._root / artifact.key
        return "" if self._stat(path) is None else str(path)

    def _output(self, name: str) -> Path:
        return self._root / output_key(name)

    def _way_to(self, name: str) -> Iterator[Path]:
        """The folders from `outputs`, without it, down to what is published as `name`, and that itself."""
        path, *names = PurePosixPath(output_key(name)).parts
        for part in names:
            path = f"{path}/{part}"
            yield self._root / path

    def _published(self, name: str) -> os.stat_result | None:
        """What stands at the name, or the link on the way to it; None for nothing."""
        found = None
        for path in self._way_to(name):
            found = self._stat(path, follow=False)
            if found is None or stat.S_ISLNK(found.st_mode):
                break
        return found

    def _need_no_link_above(self, name: str) -> None:
        """Raises StorageUnavailable: a write to that name would land elsewhere."""
        *folders, _ = self._way_to(name)
        for folder in folders:
            found = self._stat(folder, follow=False)
            if found is not None and stat.S_ISLNK(found.st_mode):
                raise StorageUnavailable(
                    f"{name} was not written: {folder} is a symbolic link, which could lead anywhere. "
                    f"Move it away; only {self._root / 'outputs'} itself may be one."
                )

    def _sweep(self, folder: Path) -> None:
        """Once in the life of this store: remove what killed processes were writing there."""
        if folder not in self._swept:
            self._swept.add(folder)
            sweep_drafts(folder)

    def _land(self, chunks: Iterable[bytes], target: Path, artifact: StoredArtifact, *, what: str) -> None:
        """Put the artifact at `target`, verified where it lies, or leave `target` as it was."""
        with self._refusals_as_sentences(), draft_beside(target, make_folder=True) as draft:
            write_promised(chunks, draft, artifact, disk=self._disk, what=what)
            if not self._holds(draft, artifact):
                raise StorageUnavailable(
                    f"The disk of {self._root} does not give back what was written to it, so {target.name} "
                    "was not written; look after the disk."
                )
            replace_durably(draft, target)

    def _holds(self, path: Path, artifact: StoredArtifact) -> bool:
        """Whether that file is the artifact, byte for byte."""
        return self._is(path, self._stat(path), artifact)

    def _is(self, path: Path, found: os.stat_result | None, artifact: StoredArtifact) -> bool:
        """Whether the file at `path`, of which `found` was seen, is the artifact, byte for byte."""
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != artifact.bytes:
            return False
        with contextlib.suppress(NotStored), self._open(path, "gone meanwhile") as stream:
            digest = hashlib.sha256()
            for chunk in self._chunks(stream):
                digest.update(chunk)
            return digest.hexdigest() == artifact.sha256
        return False

    def _stat(self, path: Path, *, follow: bool = True) -> os.stat_result | None:
        """What stands there; None for nothing. A store out of reach is not an empty one."""
        with self._refusals_as_sentences():
            try:
                return path.stat(follow_symlinks=follow)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def _open(self, path: Path, missing: str) -> BinaryIO:
        with self._refusals_as_sentences():
            try:
                return self._disk.read(path)
            except (FileNotFoundError, NotADirectoryError):
                raise NotStored(missing) from None

    def _chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """What is read from our own disk: its refusals are ours, not those of whoever writes it on."""
        with self._refusals_as_sentences():
            yield from chunks_of(stream)

    @contextlib.contextmanager
    def _refusals_as_sentences(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
            raise StorageUnavailable(f"The store {self._root} cannot be used now: {reason}.") from error
