"""Lets machines upload their audio themselves, where the store signs for that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.clock import Clock
from lib.errors import TryAgain
from lib.records import FileRef
from lib.spool import SpoolClient, UploadOrder
from lib.storage import ArtifactMismatch, NotStored, Storage, StoredArtifact
from lib.storage.locations import artifact_of

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 30.0  # for a worker that takes its time to look, and a slow store
_LEAST_BYTES_S: Final = 250_000.0  # slower than this, the watcher fetches it
_IN_VAIN_S: Final = 600.0  # a machine that does not get to the store is not asked again so soon


class StillUploading(TryAgain):
    """The machine is at it: the result is settled at one of the next looks. No refusal, and no failure."""


@dataclass(slots=True)
class _Asked:
    until: float  # by the monotonic clock
    ended: bool = False


class MachineUploads:
    """Which results their machines were asked to upload.

    Threads: the loop's only.
    Raises: StorageUnavailable; HostUnreachable and SpoolUnusable as `Files` does; `need` also StillUploading.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock
        self._asked: dict[str, _Asked] = {}
        self._in_vain: dict[str, float] = {}  # by machine: until then, by the monotonic clock

    def need(self, spool: SpoolClient, entry: str, files: Sequence[FileRef]) -> None:
        """Have a remote machine upload these files of its result, and return once that has ended.

        Its end is not its success: `confirmed` looks at each.

        Raises:
            StillUploading: it has been asked, and has not ended.
        """
        if not spool.remote:
            return
        asked = self._asked.get(entry)
        if asked is None:
            asked = self._ask(spool, entry, files)
        if asked is None or asked.ended:
            return
        if not spool.uploaded(entry):
            if self._clock.monotonic() < asked.until:
                raise StillUploading(f"The machine is uploading the audio of {entry}.")
            log.warning("%s was not uploaded by its machine in time; it is fetched", entry)
            self._in_vain[spool.machine] = self._clock.monotonic() + _IN_VAIN_S
        asked.ended = True
        spool.forget_uploads(entry)

    def confirmed(self, entry: str, file: FileRef) -> StoredArtifact | None:
        """The artifact where it lies in the store, verified; None: it has to be fetched."""
        if entry not in self._asked:
            return None
        try:
            return self._storage.confirm(file.sha256, file.bytes)
        except (ArtifactMismatch, NotStored) as error:
            log.info("%s of %s is fetched: %s", file.file, entry, error)
            return None

    def forget(self, entry: str) -> None:
        """The result is in the store."""
        self._asked.pop(entry, None)

    def _ask(self, spool: SpoolClient, entry: str, files: Sequence[FileRef]) -> _Asked | None:
        """Sign for what the store has not; None where it signs nothing, or the machine lately got nowhere."""
        now = self._clock.monotonic()
        if now < self._in_vain.get(spool.machine, now):
            return None
        self._asked = {
            name: asked for name, asked in self._asked.items() if now < asked.until + _PATIENCE_S * 20
        }
        orders = []
        for file in files:
            if self._storage.has(artifact_of(file.sha256, file.bytes)):
                continue
            signed = self._storage.sign_upload(file.sha256, file.bytes)
            if signed is None:
                return None
            orders.append(UploadOrder(file.file, file.bytes, signed.url, signed.headers))
        patience = _PATIENCE_S + sum(order.bytes for order in orders) / _LEAST_BYTES_S
        if orders:
            spool.order_uploads(entry, orders)
        else:
            spool.forget_uploads(entry)  # an earlier watcher's order may have brought all there
        asked = self._asked[entry] = _Asked(now + patience, ended=not orders)
        return asked
