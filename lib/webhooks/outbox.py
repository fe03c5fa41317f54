"""The outbox: a file for each notification, on the disk before anything is sent, gone when it was taken.

All watchers of a data folder share one. Files never change: what a killed watcher left is sent by the next.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from lib.clock import Clock, rfc3339
from lib.events.model import BudgetReached, JobDone, JobFailure, JobTransition, LifecycleEvent, OrphanFound
from lib.files import NotPlain, read_plain, write_whole

log = logging.getLogger(__name__)

#: What a receiver is told of.
TOLD: Final = (JobDone, JobFailure, BudgetReached, OrphanFound)
_NAME: Final = re.compile(r"(\d{13})-([0-9a-f]{32})\.json")
_LARGEST: Final = 256 * 1024


class Notification(NamedTuple):
    """One that waits: its file, the delivery's id, and since when, in seconds since the epoch."""

    file: str
    id: str
    since: float


class Outbox:
    """A folder of notifications.

    Threads: any.
    Raises: OSError where the folder or the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, id: str, body: dict[str, Any], at: float) -> None:
        """Keep a notification until it is taken; on the disk on return. The same id again is the same one."""
        file = f"{round(at * 1000):013d}-{id}.json"
        write_whole(self.folder / file, json.dumps(body, ensure_ascii=False).encode(), sync=True)

    def waiting(self) -> list[Notification]:
        """All that wait, the oldest first."""
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(Notification(name[0], name[2], int(name[1]) / 1000) for name in found if name)

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


class WebhookSink:
    """Puts what a receiver is told of into the outbox; a sender takes it from there.

    Threads: any.
    Raises: nothing; what the disk refuses is told in the log, and missed by the receiver.
    """

    def __init__(
        self, outbox: Outbox, clock: Clock, *, deployment: str, watcher: str, wake: Callable[[], None]
    ) -> None:
        self._outbox, self._clock, self._wake = outbox, clock, wake
        self._about = {"deployment": deployment, "watcher": watcher}

    def emit(self, event: LifecycleEvent) -> None:
        """Keep it, if it is one of those."""
        if not isinstance(event, TOLD):
            return
        now = self._clock.now()
        id = self._id_of(event)
        try:
            self._outbox.add(id, {"id": id, "at": rfc3339(now), **self._about, **event.to_json()}, now)
        except OSError as error:
            log.error("a notification of %s is lost, the outbox refuses: %s", event.name, error.strerror)
        self._wake()

    def _id_of(self, event: LifecycleEvent) -> str:
        """The same for the same end of a job, though a restart tells of it again; of others a new one."""
        if not isinstance(event, JobTransition) or not event.identity:
            return secrets.token_hex(16)
        parts = (self._about["deployment"], event.name, event.request_id, str(event.lease_no), event.identity)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
