"""Writing files whole, hashed on the way: what adapters share."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from lib.storage.port import ArtifactMismatch, StoredArtifact

_CHUNK = 1 << 20  # bytes
_DRAFT: Final = re.compile(r"\.[0-9a-f]{16}\.part")


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _fill(path: Path) -> BinaryIO:
    return path.open("r+b")


@dataclass(frozen=True, slots=True)
class Disk:
    """How a store opens its files: a value, so that a disk that refuses or damages can stand in for it.

    `fill` opens an empty file that is there, for writing.
    """

    read: Callable[[Path], BinaryIO] = _open
    fill: Callable[[Path], BinaryIO] = _fill


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """What is left in the stream, by the MiB."""
    while chunk := stream.read(_CHUNK):
        yield chunk


def write_promised(
    chunks: Iterable[bytes], draft: Path, artifact: StoredArtifact, *, disk: Disk, what: str
) -> None:
    """Write and sync the empty file `draft`; its pages leave the cache, so that who reads it asks the disk.

    Raises:
        ArtifactMismatch: `chunks` are not the artifact; `what` begins the sentence.
    """
    digest, size = hashlib.sha256(), 0
    with disk.fill(draft) as writer:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
        _drop_from_cache(writer.fileno())
    if (found := digest.hexdigest(), size) != (artifact.sha256, artifact.bytes):
        raise ArtifactMismatch(
            f"{what}: it has {size} bytes with sha256 {found}, where {artifact.bytes} bytes "
            f"with {artifact.sha256} were promised."
        )


def save(chunks: Iterable[bytes], local: Path, artifact: StoredArtifact) -> None:
    """Copy an artifact out of a store to `local`, whole or not at all.

    Raises:
        ArtifactMismatch: `chunks` are not the artifact.
        OSError: `local` cannot be written.
    """
    sweep_drafts(local.parent)
    with draft_beside(local) as draft:
        what = f"{artifact.key} is damaged in the store and was not copied"
        write_promised(chunks, draft, artifact, disk=Disk(), what=what)
        replace_durably(draft, local)


@contextlib.contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """An empty file in the target's folder (made when missing), gone afterwards whatever happens.

    It is locked as long as its process lives, so that `sweep_drafts` knows what a killed one left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft, lock = _locked_draft(target.parent)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
        os.close(lock)


def sweep_drafts(folder: Path) -> None:
    """Remove the drafts in `folder` whose process is gone; one that somebody writes stays. Never raises."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if _DRAFT.fullmatch(name):
                _remove_if_left(folder / name)


def _locked_draft(folder: Path) -> tuple[Path, int]:
    """A new file and the descriptor that holds its lock."""
    while True:
        draft = folder / f".{secrets.token_hex(8)}.part"
        lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks: nothing is swept there either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return draft, lock
        os.close(lock)  # swept away between the two calls


def _remove_if_left(draft: Path) -> None:
    """Remove it while holding its lock, so that nobody can begin to write it meanwhile."""
    try:
        lock = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # gone meanwhile, no file, or not ours to remove
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.unlink(missing_ok=True)
    except OSError:  # held by whoever writes it
        return
    finally:
        os.close(lock)


def replace_durably(draft: Path, target: Path) -> None:
    """Rename and sync the folder: after a power cut the name exists with its bytes, or not at all."""
    os.replace(draft, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _drop_from_cache(fd: int) -> None:
    if hasattr(os, "posix_fadvise"):  # not on every system; there the page cache may answer for the disk
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
