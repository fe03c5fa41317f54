"""Makes finished jobs readable by their names, and keeps at it where that fails.

A job is done when its record says so. Its published files follow; they can be made again from the store at
any time, so a name that cannot be written stops neither the job nor the watcher.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from job_watcher.journal import LeaseJournal, Publication
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.jobqueue import JobQueue, JobState, Lease
from lib.spool import SpoolUnusable
from lib.storage import Storage, Take, publish_takes, takes_of

log = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 1.0, 600.0


@dataclass(slots=True)
class _Owed:
    publication: Publication
    refusals: int = 0
    retry_at: float = 0.0  # monotonic seconds


class Publications:
    """What is done and not yet published, in memory and in the journal."""

    def __init__(self, queue: JobQueue, storage: Storage, journal: LeaseJournal, clock: Clock) -> None:
        self._queue, self._storage, self._journal, self._clock = queue, storage, journal, clock
        self._owed: dict[str, _Owed] = {}

    def __len__(self) -> int:
        return len(self._owed)

    def publish(self, entry: str, lease: Lease, takes: Sequence[Take]) -> None:
        """Publish a job that has just been recorded as done; what fails now is tried again. Never raises."""
        owed = _Owed(Publication(entry, lease.request_id, lease.lease_no, tuple(takes)))
        if self._attempt(owed):
            return
        self._owed[entry] = owed
        try:
            self._journal.owe(owed.publication)
        except SpoolUnusable as error:
            log.error("%s; a restart would forget that %s is to be published", error, lease.request_id)

    def resume(self) -> None:
        """Take over what a predecessor owed; `retry` does the rest."""
        for publication in self._journal.publications():
            self._owed.setdefault(publication.entry, _Owed(publication))

    def recover(self, entry: str, lease: Lease) -> None:
        """A crash between record and publication leaves a done job without its named file.

        Raises:
            Unavailable: the queue does not answer.
        """
        finished = self._queue.result(lease.request_id)
        if finished is None or finished.state is not JobState.DONE or finished.lease_no != lease.lease_no:
            return
        try:
            takes = takes_of(finished.result)
        except (KeyError, TypeError, ValueError):
            log.error("the record of %s names no takes, nothing is published of it", lease.request_id)
            return
        self.publish(entry, lease, takes)

    def retry(self) -> None:
        """Try those whose time has come.

        Raises:
            Unavailable: the queue does not answer.
            SpoolUnusable: the journal refuses.
        """
        now = self._clock.monotonic()
        for entry, owed in list(self._owed.items()):
            if now < owed.retry_at:
                continue
            if self._is_outdated(owed.publication) or self._attempt(owed):
                self._journal.published(entry)
                del self._owed[entry]

    def _is_outdated(self, publication: Publication) -> bool:
        """Whether the job was done anew since: then its name belongs to the newer takes."""
        finished = self._queue.result(publication.request_id)
        return finished is not None and finished.lease_no != publication.lease_no

    def _attempt(self, owed: _Owed) -> bool:
        publication = owed.publication
        try:
            publish_takes(self._storage, publication.takes)
        except (JobRunnerError, OSError, ValueError) as error:
            pause = min(_PAUSE * 2**owed.refusals, _LONGEST_PAUSE)
            owed.refusals += 1
            owed.retry_at = self._clock.monotonic() + pause
            log.error(
                "%s is done and stored but not published, next try in %.0f s: %s",
                publication.request_id,
                pause,
                error,
            )
            return False
        if owed.refusals:
            log.info("%s is published now", publication.request_id)
        return True
