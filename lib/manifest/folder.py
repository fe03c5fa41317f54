"""The folder of a manifest: locked while it changes, no link followed below it, files put whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lib.errors import BadInput, TryAgain
from lib.files import NotPlain, read_plain, sync_folder, take_folder_lock, write_in_place

#: Holds what passes between a run and its workers; made by a run, gone after a whole one.
WORKROOM: Final = ".job-runner"
#: What is being written; one name, for a locked folder has one writer, and a kill leaves no litter.
DRAFT: Final = ".draft"


class FolderBusy(TryAgain):
    """Another compile or run works in the folder."""


class InTheWay(BadInput):
    """Something that is not ours stands where a file or folder has to be."""


class OutFolder:
    """The folder `root`. Names are those of an `Order`: validated, relative, with `/`.

    Nothing outside of `root` can be reached by a name: each folder on the way must be a real one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real: set[str] = set()

    def __str__(self) -> str:
        return str(self.root)

    def make(self) -> None:
        """Make the folder itself. Raises OSError, or InTheWay where a file stands."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InTheWay(f"{self.root} cannot be the output folder: a file is in the way.") from None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process until the block ends; the kernel frees it if we are killed.

        Raises:
            FolderBusy: another process holds it.
        """
        try:
            fd = take_folder_lock(self.root)
        except (FileNotFoundError, NotADirectoryError):
            raise BadInput(f"There is no folder {self.root}.") from None
        if fd is None:
            raise FolderBusy(
                f"Another compile or run works in {self.root}; wait for it to end, then try again."
            )
        try:
            yield
        finally:
            os.close(fd)

    def path(self, name: str) -> Path:
        """The file or folder of that name; its parents were not looked at."""
        return self.root / name

    def need_parents(self, name: str, *, make: bool = True) -> bool:
        """See that each folder above `name` is a real one, making what is missing.

        Returns False when one is missing and `make` is false.

        Raises:
            InTheWay: a file or a link stands there.
        """
        parent = name.rpartition("/")[0]
        if not parent or parent in self._real:
            return True
        if not self.need_parents(parent, make=make):
            return False
        path = self.root / parent
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            if not make:
                return False
            os.mkdir(path)
        else:
            if not stat.S_ISDIR(status.st_mode):
                raise self._in_the_way(parent, status)
        self._real.add(parent)
        return True

    def read(self, name: str, limit: int) -> bytes | None:
        """The plain file `name`, at most `limit` + 1 bytes of it; None when it does not exist.

        Raises:
            InTheWay: it is a link, a folder, or no plain file.
        """
        if not self.need_parents(name, make=False):
            return None
        path = self.root / name
        try:
            return read_plain(path, limit)
        except FileNotFoundError:
            return None
        except NotPlain:
            raise self._in_the_way(name, os.lstat(path)) from None

    def write_new(self, name: str, data: bytes) -> None:
        """Write a file that nobody relies on yet; a crash may leave it half written."""
        self.need_parents(name)
        write_in_place(self.root / name, data)

    def write_draft(self, name: str, data: bytes, *, sync: bool = False) -> None:
        """Write a file of ours that is renamed later. `sync`: it is on the disk on return."""
        write_in_place(self.root / name, data, sync=sync)

    def put(self, draft: str, name: str) -> None:
        """Rename a draft to its name. Raises InTheWay when a folder stands there."""
        self.need_parents(name)
        try:
            os.replace(self.root / draft, self.root / name)
        except (IsADirectoryError, NotADirectoryError):
            raise InTheWay(f"{self.root / name} cannot be written: a folder is in the way.") from None

    def write(self, name: str, data: bytes, *, sync: bool = True) -> None:
        """Replace a file whole or not at all; `sync`: a power cut leaves the old or the new one."""
        self.write_draft(DRAFT, data, sync=sync)
        self.put(DRAFT, name)

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is fine."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self.root / name)

    def remove_tree(self, name: str) -> None:
        """Remove a folder of ours with all in it; a link is removed, not followed."""
        path = self.root / name
        self._real = {folder for folder in self._real if folder != name and not folder.startswith(f"{name}/")}
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)

    def prune(self, name: str) -> None:
        """Remove the folders above `name` that are empty now."""
        parent = name.rpartition("/")[0]
        while parent:
            try:
                os.rmdir(self.root / parent)
            except OSError:
                return
            self._real.discard(parent)
            parent = parent.rpartition("/")[0]

    def sync(self) -> None:
        """Make the names in the folder itself durable."""
        sync_folder(self.root)

    def _in_the_way(self, name: str, status: os.stat_result) -> InTheWay:
        kinds = ((stat.S_ISLNK, "a symbolic link"), (stat.S_ISDIR, "a folder"), (stat.S_ISREG, "a file"))
        kind = next((word for test, word in kinds if test(status.st_mode)), "no plain file")
        return InTheWay(
            f"{self.root / name} cannot be used: it is {kind}, where nothing but real folders and plain "
            "files may stand; move it away."
        )
