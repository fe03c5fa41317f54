"""Writes files whole or not at all, locks them, and opens only plain ones.

Three things that go wrong quietly when they are written by hand: a rename before the bytes are on the disk, a
lock that a child process keeps, an open that waits for ever at a named pipe. So they stand here once. What is
raised is `OSError`; the sentence for people is the caller's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_DRAFT: Final = re.compile(r"\.[0-9a-f]{16}\.part")
_CHUNK: Final = 1 << 16  # bytes; below it a read gets its memory without asking the kernel


class NotPlain(OSError):
    """No regular file stands there: a folder, pipe, socket, device, or a link that is not followed."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(errno.EINVAL, "not a regular file", os.fspath(path))


def write_whole(target: Path, data: bytes, *, sync: bool) -> None:
    """Put `data` at `target` whole or not at all; what stood there stays until then. Its folder exists.

    `sync`: it is on the disk on return, under its name. Without it, a power cut may leave an empty file.

    Raises:
        OSError: the folder or the disk refuses; `target` is as it was.
    """
    with draft_beside(target) as draft:
        write_in_place(draft, data, sync=sync)
        if sync:
            replace_durably(draft, target)
        else:
            os.replace(draft, target)


def write_whole_alone(target: Path, data: bytes) -> None:
    """As `write_whole` without `sync`, for a file that one writer at a time writes, and often.

    Its draft has one name, so that there is one of it at most, and needs no lock nor sweep: those cost
    as much as writing it does.
    """
    draft = target.with_name(f".{target.name}.part")
    write_in_place(draft, data)
    os.replace(draft, target)


@contextlib.contextmanager
def draft_beside(target: Path, *, make_folder: bool = False) -> Iterator[Path]:
    """An empty file in the target's folder, to be filled and renamed; gone afterwards whatever happens.

    It is locked as long as its process lives, so that `sweep_drafts` knows what a killed one left. The
    target's own name is no part of it: with anything added, a long one would be too long.
    """
    if make_folder:
        target.parent.mkdir(parents=True, exist_ok=True)
    draft, lock = _locked_draft(target.parent)
    try:
        yield draft
    finally:
        with contextlib.suppress(OSError):  # what happened in the block is the news
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
        draft = folder / f".{os.urandom(8).hex()}.part"
        lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks: nothing is swept there either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return draft, lock
        os.close(lock)  # swept away between the two calls


def _remove_if_left(draft: Path) -> None:
    """Remove it while holding its lock, so that nobody can begin to write it meanwhile."""
    with contextlib.suppress(OSError):  # gone meanwhile, no file, or not ours to remove
        lock = _locked(os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        if lock is not None:  # else held by whoever writes it
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            os.close(lock)


def replace_durably(draft: Path, target: Path) -> None:
    """Rename and sync the folder: after a power cut the name exists with its bytes, or not at all.

    The draft's bytes are on the disk already. Raises OSError.
    """
    os.replace(draft, target)
    sync_folder(target.parent)


def replace_whole(draft: Path, target: Path) -> None:
    """Rename: who reads `target` finds the old file or the new; a power cut may lose it. Raises OSError."""
    os.replace(draft, target)


def write_in_place(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write a file that nobody relies on yet, through no link; a crash may leave it half written.

    `sync`: its bytes are on the disk on return, its name may not be. Raises OSError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def written_over(read: Iterable[Path], written: Iterable[Path]) -> Path | None:
    """The first of `written` that is one of `read`, whatever either is called; None where none is."""
    known = {key for path in read for key in _identities(path)}
    return next((path for path in written if not known.isdisjoint(_identities(path))), None)


def _identities(path: Path) -> Iterator[object]:
    yield os.path.realpath(path)
    with contextlib.suppress(OSError, ValueError):  # it is not there, or a name that no file can have
        found = path.stat()
        yield found.st_dev, found.st_ino


def sync_file(path: Path) -> None:
    """Have the bytes of a file on the disk that somebody else wrote. Raises OSError."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_write(folder: Path) -> None:
    """Write 4 KiB there and sync them, leaving nothing: on a full disk an empty file can still be made.

    Raises:
        OSError: nothing can be written there.
    """
    with draft_beside(folder / "any") as draft, draft.open("r+b") as file:
        draft.unlink()  # first: killed at any later moment, we leave nothing
        os.write(file.fileno(), b"\0" * 4096)
        os.fsync(file.fileno())


def take_lock(path: Path) -> int | None:
    """Lock the file `path`, made (0600) when missing; None: another holds it. The lock is only advice.

    The descriptor holds the lock until it is closed, by the end of the process too, SIGKILL included. A child
    gets it only by `pass_fds` of `subprocess`, and then the lock is held until both have closed it.

    Raises:
        OSError: the file cannot be made or opened.
    """
    return _locked(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def take_folder_lock(folder: Path) -> int | None:
    """Lock the folder itself, as `take_lock` does a file; it leaves no file behind.

    Raises:
        OSError: there is no such folder, or it cannot be opened.
    """
    return _locked(_opened(folder))


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock for a block, after waiting for whoever holds it. Raises OSError."""
    descriptor = _opened(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone_at(path: Path) -> Iterator[int]:
    """Open a plain file, made when missing, and hold its lock for a block, after waiting for whoever has it.

    The descriptor reads and writes. `path` is followed if it is a link to a file.

    Raises:
        NotPlain: something else stands there.
        OSError: it cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlain(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of `path`; not where there is no such file.

    Any number may look at once: they are not in each other's way.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    held = _locked(descriptor, fcntl.LOCK_SH)
    if held is None:
        return True
    os.close(held)
    return False


def _locked(descriptor: int, kind: int = fcntl.LOCK_EX) -> int | None:
    """The descriptor with its lock; closed where another holds that, or anything is wrong."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_plain(path: str | os.PathLike[str], *, follow: bool = False, at: int | None = None) -> int:
    """Open a regular file for reading, waiting for nothing. `at`: the open folder that `path` begins in.

    `follow` decides about a link at the path's end only; those on the way are followed.

    Raises:
        NotPlain: it is something else: a pipe would hold the program, a device feed it for ever.
        OSError: nothing stands there, or it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags, dir_fd=at)
    except OSError as error:
        if error.errno == errno.ENXIO or (error.errno == errno.ELOOP and not follow):
            raise NotPlain(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotPlain(path)
    return descriptor


def open_below(folder: Path, path: str) -> int:
    """Open a plain file below a folder, following no link on the way: whoever writes there may have laid any.

    `path` has '/' between its parts and leads nowhere else.

    Raises:
        OSError: there is no such file; NotPlain: it is something else, or `path` leads elsewhere.
    """
    with _opened_below(folder, path) as (at, name):
        return open_plain(name, at=at)


def write_below(folder: Path, path: str, data: bytes) -> None:
    """Put `data` below a folder whole or not at all, on the disk on return, following no link on the way.

    `path` is as in `open_below`. What stood there stays until then; a link that stands there is replaced.

    Raises:
        OSError: its folder is not there or refuses, or the disk does; NotPlain: `path` leads elsewhere.
    """
    with _opened_below(folder, path) as (at, name):
        draft = f".{os.urandom(8).hex()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(draft, flags, 0o666, dir_fd=at), "wb") as file:
            try:
                with contextlib.suppress(OSError):  # so that `sweep_drafts` leaves it
                    fcntl.flock(file, fcntl.LOCK_EX)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.replace(draft, name, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft, dir_fd=at)
                raise
        os.fsync(at)


@contextlib.contextmanager
def _opened_below(folder: Path, path: str) -> Iterator[tuple[int, str]]:
    """The open folder that a path ends in, and the last part of it."""
    *above, name = path.split("/")
    if {"", ".", ".."} & {*above, name}:
        raise NotPlain(path)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        yield at, name
    finally:
        os.close(at)


def read_plain(path: str | os.PathLike[str], most: int, *, follow: bool = False) -> bytes:
    """A regular file's bytes, `most` + 1 of them at most: more than `most` says that it is too long.

    Raises:
        NotPlain: it is something else.
        OSError: nothing stands there, or it cannot be read.
    """
    descriptor = open_plain(path, follow=follow)
    try:
        parts, left = list[bytes](), most + 1
        while left and (part := os.read(descriptor, min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
