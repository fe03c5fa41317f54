"""Puts finished audio at its exact place in a manifest's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lib.clock import Clock
from lib.jobqueue import Lease
from lib.manifest import Inputs, OutFolder, deliver, owners_of
from lib.records import DoneRecord, Made, done_record
from lib.spool import SpoolClient, SpoolFull, SpoolResult, is_passing
from lib.storage import Claim, StorageUnavailable


class FolderDelivery:
    """`Delivery` into the folder of a manifest, which the caller has locked. `work` is by request id."""

    def __init__(self, folder: OutFolder, work: Mapping[str, Inputs], clock: Clock) -> None:
        self._folder, self._work, self._clock = folder, work, clock
        self._owners = owners_of(inputs.order for inputs in work.values())

    def store(self, spool: SpoolClient, entry: str, lease: Lease, result: SpoolResult) -> DoneRecord:
        """Copy the files out of the spool, verify them, put them in place, then the record."""
        try:
            finished = deliver(self._folder, self._work[lease.request_id], spool, entry, result, self._owners)
        except OSError as error:
            kind = SpoolFull if is_passing(error) else StorageUnavailable
            reason = error.strerror or error
            raise kind(f"The folder {self._folder} cannot be written: {reason}.") from error
        told = (
            f"{self._folder.path(path)} is of its earlier audio; it was edited, so it stays"
            for path in finished.edited
        )
        return done_record(
            replace(finished.record, warnings=(*finished.record.warnings, *told)),
            started_at=result.started_at,
            finished_at=result.finished_at,
            enqueued_at=lease.enqueued_at,
            now=self._clock.now(),
            provider="local",
            callback_data=lease.spec.callback_data,
        )

    def publish(
        self, claim: Claim, takes: Sequence[Made], former: Sequence[Sequence[Made]] = ()
    ) -> Claim | None:
        """Do nothing: they lie under their names already, and nobody else writes into this folder."""
        return None

    def published(self, takes: Sequence[Made]) -> bool:
        """Always: what is recorded lies under its names."""
        return True
