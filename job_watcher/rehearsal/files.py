"""A machine's spool in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lib.spool import InvalidSpoolData


class MemoryFiles:
    """`lib.spool.Files` in a dictionary. `before` is called at each access, to fail or to move time on."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.folders: dict[str, dict[str, bytes]] = {}
        self._before = before

    def list(self, folder: str) -> list[str]:
        """Names in `folder`."""
        self._before()
        direct = list(self.folders.get(folder, ()))
        inside = folder + "/"
        below = {name[len(inside) :].partition("/")[0] for name in self.folders if name.startswith(inside)}
        return direct + sorted(below) if below else direct

    def read(self, path: str, limit: int) -> bytes:
        """The whole file."""
        self._before()
        folder, _, name = path.rpartition("/")
        try:
            data = self.folders[folder][name]
        except KeyError:
            raise FileNotFoundError(path) from None
        if len(data) > limit:
            raise InvalidSpoolData(f"{path} is over {limit} bytes.")
        return data

    def write(self, path: str, data: bytes) -> None:
        """Put a file there."""
        self._before()
        folder, _, name = path.rpartition("/")
        self.folders.setdefault(folder, {})[name] = data

    def rename(self, source: str, target: str) -> None:
        """Move a file."""
        self._before()
        folder, _, name = source.rpartition("/")
        try:
            data = self.folders[folder].pop(name)
        except KeyError:
            raise FileNotFoundError(source) from None
        self.write(target, data)

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder."""
        self._before()
        folder, _, name = path.rpartition("/")
        self.folders.get(folder, {}).pop(name, None)
        for key in [key for key in self.folders if key == path or key.startswith(path + "/")]:
            del self.folders[key]

    def fetch(self, path: str, local: Path, limit: int) -> None:
        """Copy a file to this machine."""
        local.write_bytes(self.read(path, limit))

    def ring(self, bell: str) -> None:
        """Nobody sleeps here."""

    def wait(self, bell: str, timeout_s: float) -> None:
        """Nobody sleeps here."""
