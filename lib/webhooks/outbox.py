"""The outbox: a file for each notification, on the disk before anything is sent, gone when it was taken.

All watchers of a data folder share one. Files never change: what a killed watcher left is sent by the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.files import NotPlain, read_plain, sweep_drafts, write_whole

#: Of the version before, the time stands before the id.
_NAME: Final = re.compile(r"(?:\d{13}-)?([0-9a-f]{32})\.json")
_LARGEST: Final = 256 * 1024
_MOST_DRAFTS: Final = 1000


class Notification(NamedTuple):
    """One that waits: since when, in seconds since the epoch, its file, and the delivery's id."""

    since: float
    file: str
    id: str


class _Draft(NamedTuple):
    """One that is not on the disk yet."""

    id: str
    body: Mapping[str, Any]
    at: float


class Outbox:
    """A folder of notifications. Of two with the same id there is one: the first.

    Threads: any; `waiting` one at a time.
    Raises: OSError where the folder or the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Notification] = {}
        self._lock = threading.Lock()
        self._drafts: deque[_Draft] = deque(maxlen=_MOST_DRAFTS)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep_drafts(folder)

    def add(self, id: str, body: Mapping[str, Any], at: float) -> None:
        """Keep a notification until it is taken; on the disk on return. The same id again changes nothing.

        What the disk refuses is kept in memory, a thousand at most, and written when it takes it again.
        """
        with self._lock:
            self._drafts.append(_Draft(id, body, at))
            self._write_drafts()

    def _write_drafts(self) -> None:
        while self._drafts:
            self._write(self._drafts[0])
            self._drafts.popleft()

    def _write(self, draft: _Draft) -> None:
        path = self.folder / f"{draft.id}.json"
        if path.exists():
            return
        # What comes from a worker or a file name may hold halves of surrogate pairs, which are no UTF-8.
        text = json.dumps(draft.body, ensure_ascii=False).encode("utf-8", "replace")
        write_whole(path, text, sync=True)
        with contextlib.suppress(OSError):  # sent and gone already, or kept with the time of the disk
            os.utime(path, (draft.at, draft.at))

    def holds(self, id: str) -> bool:
        """Whether one of that id lies there and was not taken yet."""
        return (self.folder / f"{id}.json").exists()

    def waiting(self) -> list[Notification]:
        """All that wait, the oldest first. Files that were seen before are not looked at again."""
        with self._lock, contextlib.suppress(OSError):
            self._write_drafts()
        known = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                item = self._known.get(entry.name) or _notification(entry)
                if item is not None:
                    known[entry.name] = item
        self._known = known
        return sorted(known.values())

    def body(self, notification: Notification) -> bytes | None:
        """What is sent, always the same bytes; None when it is not there any more, or no file of ours.

        Raises:
            OSError: it cannot be read now, which may pass.
        """
        try:
            data = read_plain(self.folder / notification.file, _LARGEST)
        except (FileNotFoundError, NotPlain):
            return None
        return data if data and len(data) <= _LARGEST else None

    def remove(self, notification: Notification) -> None:
        """Forget it."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / notification.file).unlink()


def _notification(entry: os.DirEntry[str]) -> Notification | None:
    """What a file of the folder is; None: none of ours, or gone meanwhile."""
    name = _NAME.fullmatch(entry.name)
    if name is None:
        return None
    try:
        return Notification(entry.stat(follow_symlinks=False).st_mtime, entry.name, name[1])
    except FileNotFoundError:
        return None
