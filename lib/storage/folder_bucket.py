"""A bucket in a folder of this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lib.files import draft_beside, sync_folder, write_in_place
from lib.storage.bucket import checked_key
from lib.storage.folder import StoreFolder
from lib.storage.hashed_writes import Disk


class FolderBucket:
    """As `lib.storage.bucket.Bucket`: files below `<root>/<name>`."""

    keeps_first = True

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self._root = root / name
        self._folder = StoreFolder(self._root, Disk())

    def put_new(self, key: str, data: bytes, sha256: str) -> bool:
        """Write a draft and link it to its name, which takes no name that is there."""
        target = self._path(key)
        with self._folder.refusals(), draft_beside(target, make_folder=True) as draft:
            write_in_place(draft, data, sync=True)
            try:
                os.link(draft, target)
            except FileExistsError:
                return self.sha256(key) == sha256
            sync_folder(target.parent)
        return True

    def sha256(self, key: str) -> str | None:
        """Read it whole."""
        path = self._path(key)
        with self._folder.refusals():
            try:
                return hashlib.sha256(path.read_bytes()).hexdigest()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def place(self, key: str) -> str:
        """The file's path."""
        return str(self._path(key))

    def close(self) -> None:
        """Nothing is kept open."""

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)
