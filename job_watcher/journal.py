"""The leases a watcher holds, written down before the work is handed out.

A watcher that is killed leaves its journal behind. The next one renews the leases it finds there and goes on
with the work at hand, instead of letting them run out and have everything done again. The files hold fencing
tokens, so the folder is for this user alone and is never sent to a machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

from lib.jobqueue import Lease
from lib.jobspec import from_payload, to_payload

_FIELDS = {field.name for field in fields(Lease)}


class LeaseJournal:
    """One small file per lease, named after the spool entry, replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, entry: str, lease: Lease) -> None:
        """Record the lease; it is on the disk when this returns."""
        record = {**asdict(lease), "spec": to_payload(lease.spec)}
        draft = self._folder / f".{entry}.part"
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(record, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._folder / f"{entry}.json")

    def forget(self, entry: str) -> None:
        """The lease is settled. Forgetting one twice is fine."""
        (self._folder / f"{entry}.json").unlink(missing_ok=True)

    def leases(self) -> Iterator[tuple[str, Lease]]:
        """What a predecessor held. A file that cannot be read is dropped: its lease runs out by itself."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                lease = Lease(
                    **{**{key: record[key] for key in _FIELDS}, "spec": from_payload(record["spec"])}
                )
            except (ValueError, KeyError, TypeError):
                path.unlink()
                continue
            yield path.stem, lease
