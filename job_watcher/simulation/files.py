"""A machine's spool in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lib.spool import InvalidSpoolData
from lib.spool.errors import unusable


class MemoryFiles:
    """`lib.spool.Files` in a dictionary. `before` is called at each access, to fail or to move time on."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.folders: dict[str, dict[str, bytes]] = {}
        self._before = before

    def list(self, folder: str) -> list[str]:
        """Names in `folder`."""
        self._before()
        return _names(self.folders, folder)

    def scan(self, folders: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Names in each of `folders`."""
        self._before()
        return {folder: _names(self.folders, folder) for folder in folders}

    def present(self, paths: Sequence[str]) -> Sequence[str]:
        """Those of `paths` at which anything stands."""
        self._before()
        return [path for path in paths if self._at(path) is not None or self._is_folder(path)]

    def read(self, path: str, limit: int, offset: int | None = None) -> bytes:
        """The whole file, or a part of it."""
        self._before()
        data = self._plain(path)
        if offset is not None:
            return data[offset : offset + limit]
        if len(data) > limit:
            raise InvalidSpoolData(f"{path} in the spool is over {limit} bytes.")
        return data

    def write(self, path: str, data: bytes, unless: Sequence[str] = ()) -> bool:
        """Put a file there. The look at `unless` can fail by itself, as over a network it does."""
        if unless and self.present(unless):
            return False
        self._before()
        self._put(path, data)
        return True

    def rename(self, source: str, target: str) -> None:
        """Move a file, or a folder with all in it."""
        self._before()
        if self._is_folder(source):
            for folder in [folder for folder in self.folders if _is_in(folder, source)]:
                self.folders[target + folder[len(source) :]] = self.folders.pop(folder)
            return
        data = self._plain(source)
        self._take(source)
        self._put(target, data)

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder."""
        self._before()
        self._take(path)
        for folder in [folder for folder in self.folders if _is_in(folder, path)]:
            del self.folders[folder]

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy a file to this machine."""
        data = self.read(path, limit)
        try:
            local.write_bytes(data)
        except OSError as error:
            raise unusable(local, error) from None

    def ring(self, bell: str) -> None:
        """Nobody sleeps here."""

    def wait(self, bell: str, timeout_s: float) -> None:
        """Nobody sleeps here."""

    def listen(self, bell: str) -> int | None:
        """None: nobody rings here."""
        return None

    def heard(self, bell: str) -> None:
        """Nobody rings here."""

    def _plain(self, path: str) -> bytes:
        data = self._at(path)
        if data is None and self._is_folder(path):
            raise InvalidSpoolData(f"{path} in the spool is no plain file.")
        if data is None:
            raise FileNotFoundError(path)
        return data

    def _is_folder(self, path: str) -> bool:
        return any(_is_in(folder, path) for folder in self.folders)

    def _at(self, path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        return self.folders.get(folder, {}).get(name)

    def _put(self, path: str, data: bytes) -> None:
        folder, _, name = path.rpartition("/")
        self.folders.setdefault(folder, {})[name] = data

    def _take(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.folders.get(folder, {}).pop(name, None)


def _names(folders: Mapping[str, Mapping[str, bytes]], folder: str) -> list[str]:
    direct = list(folders.get(folder, ()))
    inside = folder + "/"
    below = {name[len(inside) :].partition("/")[0] for name in folders if name.startswith(inside)}
    return direct + sorted(below) if below else direct


def _is_in(folder: str, path: str) -> bool:
    return folder == path or folder.startswith(path + "/")
