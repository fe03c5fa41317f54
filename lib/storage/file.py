"""Artifacts in a folder of this machine: the embedded default."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lib.storage.port import ArtifactMismatch, StorageUnavailable, StoredArtifact

_CHUNK = 1 << 20
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

    Published files are copies, not links: a user may edit them without touching the record's bytes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, source: Path, *, sha256: str, size: int) -> StoredArtifact:
        """Copy, hash while copying, sync, rename; an equal blob that is there already is kept."""
        artifact = StoredArtifact(key=_blob_key(sha256), sha256=sha256, size=size)
        target = self._root / artifact.key
        if self.verify(artifact):
            return artifact
        with _refusals_as_sentences(self._root), _temporary_beside(target) as draft:
            found_sha, found_size = _copy_hashed(source, draft)
            if (found_sha, found_size) != (sha256, size):
                raise ArtifactMismatch(
                    f"{source.name} has {found_size} bytes with sha256 {found_sha}, "
                    f"but {size} bytes with {sha256} were promised; it was not stored."
                )
            _replace_durably(draft, target)
        return artifact

    def has(self, artifact: StoredArtifact) -> bool:
        """Look at the file's size."""
        try:
            return (self._root / artifact.key).stat().st_size == artifact.size
        except OSError:
            return False

    def verify(self, artifact: StoredArtifact) -> bool:
        """Read the blob whole and compare."""
        return _same_bytes(self._root / artifact.key, artifact)

    def publish(self, artifact: StoredArtifact, name: str) -> str:
        """Copy the blob to `outputs/<name>` unless the same bytes stand there."""
        target = self._output(name)
        if not _same_bytes(target, artifact):
            with _refusals_as_sentences(self._root), _temporary_beside(target) as draft:
                _copy_hashed(self._root / artifact.key, draft)
                _replace_durably(draft, target)
        return str(target)

    def location(self, name: str) -> str:
        """The absolute path of `outputs/<name>`."""
        return str(self._output(name))

    def stands(self, artifact: StoredArtifact, name: str) -> bool | None:
        """Compare the file that stands there, whole."""
        target = self._output(name)
        return _same_bytes(target, artifact) if target.exists() else None

    def published(self, name: str) -> bool:
        """Look for a file of that name."""
        return self._output(name).is_file()

    def blob(self, artifact: StoredArtifact) -> str:
        """The blob's absolute path."""
        path = self._root / artifact.key
        return str(path) if path.exists() else ""

    def _output(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts:
            raise ValueError(f"{name!r} is no validated output name")
        return self._root.joinpath("outputs", *parts)


def _blob_key(sha256: str) -> str:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ArtifactMismatch(f"{sha256[:80]!r} is no sha256; nothing was stored.")
    return f"blobs/sha256/{sha256[:2]}/{sha256}"


def _copy_hashed(source: Path, target: Path) -> tuple[str, int]:
    """Copy and sync; return sha256 and length of what was written."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), size


def _same_bytes(path: Path, artifact: StoredArtifact) -> bool:
    try:
        if path.stat().st_size != artifact.size:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == artifact.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False


def _replace_durably(draft: Path, target: Path) -> None:
    """Rename and sync the folder: after a power cut the name exists with its bytes, or not at all."""
    os.replace(draft, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """A free name in the target's folder (made when missing), gone afterwards whatever happens."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _refusals_as_sentences(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
        raise StorageUnavailable(f"Nothing can be stored under {root}: {reason}.") from error
