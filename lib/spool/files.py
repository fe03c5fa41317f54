"""The port of the file system that a spool's client works on, here or on another machine."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from lib.files import NotPlain, open_plain, write_whole
from lib.spool.bell import Bell, ring
from lib.spool.errors import InvalidSpoolData, unusable

#: Errors of opening a folder on the way that is there and is no plain one.
_NO_PLAIN_FOLDER: Final = frozenset({errno.ELOOP, errno.ENOTDIR})


class Files(Protocol):
    """Files under one root. Paths are relative, with `/`, and were made by `lib.spool.layout`.

    On a machine far away each call is one round trip, so whoever needs several answers asks once.

    Raises, from every method but `ring` and `heard`:
        HostUnreachable: the far side does not answer. It ends no daemon: the same call may work later.
        SpoolUnusable: the root on this machine is refused; SpoolFull, one of them, when that may pass.
    """

    def list(self, folder: str) -> list[str]:
        """Names in `folder`, in no order; empty when it does not exist."""
        ...

    def scan(self, folders: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What `list` says of each folder, in one call.

        They are looked at in the order given, so that what moves from one to a later one is not missed.
        """
        ...

    def present(self, paths: Sequence[str]) -> Sequence[str]:
        """Those of `paths` at which anything stands, in one call, looked at in the order given."""
        ...

    def read(self, path: str, limit: int, offset: int | None = None) -> bytes:
        """The whole file; with `offset`, at most `limit` bytes from there on, none at its end or behind it.

        Raises:
            FileNotFoundError: nothing stands there.
            InvalidSpoolData: no plain file does, or the whole of it is over `limit` bytes.
        """
        ...

    def write(self, path: str, data: bytes, unless: Sequence[str] = ()) -> bool:
        """Put a file there whole or not at all, making its folder; an existing one is replaced.

        Nothing is put there, and False returned, where anything stands at one of `unless`.
        """
        ...

    def rename(self, source: str, target: str) -> None:
        """Move within the root, making the folder it goes to. Raises FileNotFoundError."""
        ...

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder with all in it; one that is gone is success."""
        ...

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy a plain file (not through a link) of at most `limit` bytes to `local`.

        Raises as `read` does, and SpoolUnusable for `local` too; what lies at `local` then is of no use.
        """
        ...

    def ring(self, bell: str) -> None:
        """Wake who waits at `bell`, where that is possible; doing nothing is allowed."""
        ...

    def wait(self, bell: str, timeout_s: float) -> None:
        """Return when `bell` rings, or after `timeout_s` seconds, or earlier."""
        ...

    def listen(self, bell: str) -> int | None:
        """A descriptor that is readable from a ring of `bell` until `heard`; None: it cannot be heard here.

        For a caller that waits for several hosts at once. What happened before the first call is not
        heard: listen first, then look. The descriptor stays the adapter's, and stays the same.
        """
        ...

    def heard(self, bell: str) -> None:
        """Take in the rings of a bell that is listened to; anything else is nothing."""
        ...


class LocalFiles:
    """A folder of this machine. Durable: what was written is on the disk when the call returns."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bells: dict[str, Bell] = {}

    def list(self, folder: str) -> list[str]:
        """Names in `folder`."""
        try:
            return os.listdir(self.root / folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unusable(self.root / folder, error) from None

    def scan(self, folders: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Names in each of `folders`."""
        return {folder: self.list(folder) for folder in folders}

    def present(self, paths: Sequence[str]) -> Sequence[str]:
        """Those of `paths` at which anything stands; a link is looked at, not followed."""
        return list(self._standing(paths))

    def _standing(self, paths: Sequence[str]) -> Iterable[str]:
        for path in paths:
            try:
                (self.root / path).lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise unusable(self.root / path, error) from None
            yield path

    def read(self, path: str, limit: int, offset: int | None = None) -> bytes:
        """The whole file, or a part of it."""
        fd = self._open_plain(path)
        try:
            with os.fdopen(fd, "rb") as file:
                if offset is not None:
                    file.seek(offset)
                    return file.read(limit)
                data = file.read(limit + 1)
        except OSError as error:
            raise unusable(self.root / path, error) from None
        if len(data) > limit:
            raise _too_large(path, limit)
        return data

    def write(self, path: str, data: bytes, unless: Sequence[str] = ()) -> bool:
        """Write to a temporary name beside it, sync, rename."""
        if self.present(unless):
            return False
        target = self.root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, data, sync=True)
        except OSError as error:
            raise unusable(target, error) from None
        return True

    def rename(self, source: str, target: str) -> None:
        """Move within the root, making the folder it goes to."""
        try:
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.root / source).rename(self.root / target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unusable(self.root / source, error) from None

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder; a link is removed, never followed."""
        target = self.root / path
        try:
            if target.is_dir() and not target.is_symlink():
                _remove_folder(target)
            else:
                target.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise unusable(target, error) from None

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy a plain file to `local` (not synced: the caller verifies it and decides where it stays)."""
        fd = self._open_plain(path)
        try:
            with os.fdopen(fd, "rb") as source, local.open("wb") as target:
                if os.fstat(source.fileno()).st_size > limit:
                    raise _too_large(path, limit)
                shutil.copyfileobj(source, target, 1024 * 1024)
        except OSError as error:
            raise unusable(local, error) from None

    def ring(self, bell: str) -> None:
        """Wake who waits at `bell`."""
        ring(self.root / bell)

    def wait(self, bell: str, timeout_s: float) -> None:
        """Wait at a FIFO, made when first waited at."""
        if bell not in self._bells:
            self._hang(bell)
            return  # what happened before the bell hung there was not heard: look first
        try:
            self._bells[bell].wait(timeout_s)
        except OSError as error:
            raise unusable(self.root / bell, error) from None

    def listen(self, bell: str) -> int | None:
        """The FIFO, made when first listened to."""
        return self._hang(bell).fileno()

    def heard(self, bell: str) -> None:
        """Empty the FIFO."""
        if bell in self._bells:
            self._bells[bell].hear()

    def _hang(self, bell: str) -> Bell:
        if bell not in self._bells:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                self._bells[bell] = Bell(self.root / bell)
            except OSError as error:
                raise unusable(self.root / bell, error) from None
        return self._bells[bell]

    def close(self) -> None:
        """Let go of the bells."""
        while self._bells:
            self._bells.popitem()[1].close()

    def _open_plain(self, path: str) -> int:
        """Open for reading, but no link, no FIFO, no device, and through no folder that is a link."""
        try:
            root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:  # whatever is wrong with our own folder, no job is to blame
            raise unusable(self.root, error) from None
        try:
            return _open_beneath(root, path)
        except FileNotFoundError:
            raise
        except OSError as error:
            if isinstance(error, NotPlain) or error.errno in _NO_PLAIN_FOLDER:
                raise InvalidSpoolData(f"{path} in the spool is no plain file.") from None
            raise unusable(self.root / path, error) from None


def _open_beneath(at: int, path: str) -> int:
    """Open `path` for reading, following no link on the way from the folder `at`, which is closed.

    Raises OSError.
    """
    *folders, name = PurePosixPath(path).parts
    plain = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        for folder in folders:
            below = os.open(folder, plain, dir_fd=at)
            os.close(at)
            at = below
        return open_plain(name, at=at)
    finally:
        os.close(at)


def _remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, also when its writer took away the right to. Raises OSError."""
    try:
        shutil.rmtree(folder)
    except PermissionError:
        folder.chmod(stat.S_IRWXU)
        for path, names, _ in os.walk(folder):
            for name in names:
                os.chmod(os.path.join(path, name), stat.S_IRWXU, follow_symlinks=False)
        shutil.rmtree(folder)


def _too_large(path: str, limit: int) -> InvalidSpoolData:
    return InvalidSpoolData(f"{path} in the spool is over {limit} bytes.")
