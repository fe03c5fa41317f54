"""Writing files whole, hashed on the way: what adapters share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lib.files import draft_beside, replace_durably, sync_folder, write_whole
from lib.storage.port import ArtifactMismatch, StoredArtifact

_CHUNK = 1 << 20  # bytes


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _fill(path: Path) -> BinaryIO:
    return path.open("r+b")


def _note(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data, sync=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


@dataclass(frozen=True, slots=True)
class Disk:
    """How a store works with its files: a value, so that a disk that refuses or damages can stand in for it.

    `fill` opens an empty file that is there, for writing; `name` gives a written draft its name, `note`
    writes a small file whole, `remove` takes one away: each is on the disk when it returns.
    """

    read: Callable[[Path], BinaryIO] = _open
    fill: Callable[[Path], BinaryIO] = _fill
    name: Callable[[Path, Path], None] = replace_durably
    note: Callable[[Path, bytes], None] = _note
    remove: Callable[[Path], None] = _remove


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
    with draft_beside(local, make_folder=True) as draft:
        what = f"{artifact.key} is damaged in the store and was not copied"
        write_promised(chunks, draft, artifact, disk=Disk(), what=what)
        replace_durably(draft, local)


def _drop_from_cache(fd: int) -> None:
    if hasattr(os, "posix_fadvise"):  # not on every system; there the page cache may answer for the disk
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
