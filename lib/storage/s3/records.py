"""The records of names in a bucket: each is written only where it still is what was read."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from lib.clock import Clock
from lib.files import take_lock
from lib.storage.name_ownership import Entries, Entry, entry_key
from lib.storage.port import StorageUnavailable
from lib.storage.s3.objects import Objects, Only

log = logging.getLogger(__name__)

_HEADERS: Final[dict[str, Any]] = {"ContentType": "application/json", "CacheControl": "no-store"}
_LOOK_S, _PATIENCE_S = 0.01, 60.0
_IN_THIS_PROCESS = threading.Lock()


class RecordChanged(Exception):
    """Somebody published meanwhile: what was decided may not hold any more."""


class Records:
    """One reading of the records; a publication that begins anew takes another.

    Threads: one. Raises, from every method: StorageUnavailable.
    """

    def __init__(self, objects: Objects, *, conditions: bool) -> None:
        self._objects, self._conditions = objects, conditions
        self._etags: dict[str, str | None] = {}
        self.entries = Entries(self._read)

    def _read(self, name: str) -> Entry | None:
        data, etag = self._objects.read(entry_key(name)) or (None, None)
        self._etags[name] = etag
        entry = Entry.from_bytes(data)
        if entry is None and data is not None:
            log.warning("%s cannot be read; %s counts as published by nobody", entry_key(name), name)
        return entry

    def write(self, entry: Entry) -> None:
        """Write it where it is as it was read, or was written by this. Raises RecordChanged."""
        name, key, data = entry.name, entry_key(entry.name), entry.to_bytes()
        self.entries.of(name)
        etag = self._etags[name]
        only = Only(etag) if self._conditions else None
        if not self._conditions and self._etag_now(name) != etag:
            raise RecordChanged
        written = self._objects.put(key, data, _HEADERS, only=only)
        if written is None:  # or it was ours, and the answer to it was lost
            found = self._objects.read(key)
            if found is None or found[0] != data:
                raise RecordChanged
            written = found[1]
        self._etags[name] = written

    def stand(self) -> bool:
        """Whether every record is still what this read or wrote."""
        return all(self._etag_now(name) == etag for name, etag in self._etags.items())

    def _etag_now(self, name: str) -> str | None:
        seen = self._objects.look(entry_key(name))
        return None if seen is None else seen.etag


@contextlib.contextmanager
def alone_on_this_machine(url: str, clock: Clock) -> Iterator[None]:
    """Publish alone, as far as that can be had from a store without conditions. Raises StorageUnavailable."""
    mark = hashlib.sha256(url.encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"job-runner-{os.getuid()}-{mark}.lock"
    with _IN_THIS_PROCESS:
        give_up = clock.monotonic() + _PATIENCE_S
        try:
            while (held := take_lock(path)) is None and clock.monotonic() < give_up:
                clock.sleep(_LOOK_S)
        except OSError as error:
            raise StorageUnavailable(
                f"{path} cannot be locked, and only one at a time may publish."
            ) from error
        if held is None:
            raise StorageUnavailable(f"Another process has held {path} for {_PATIENCE_S:.0f} s; look for it.")
        try:
            yield
        finally:
            os.close(held)
