"""Makes finished jobs readable by their names, and keeps at it where that fails.

A job is done when its record says so. Its published files follow; they can be made again from the store at
any time, so a name that cannot be written stops neither the job nor the watcher.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lib.backoff import backoff_s
from lib.dispatch.delivery_port import Publication
from lib.dispatch.job_events import of_finished
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.errors import JobRunnerError
from lib.jobqueue import FinishedJob, JobState, Lease
from lib.jobqueue.earlier_revisions import former_takes
from lib.records import Made
from lib.spool import SpoolUnusable
from lib.spool.layout import job_digest
from lib.storage import ArtifactMismatch, NotStored

log = logging.getLogger(__name__)

_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 600.0
_MAY_TAKE_S: Final = 600.0  # one publication, with a store that does not answer
#: How far a new leader looks back, and at how many jobs: a leader that died was replaced within its lock's
#: lease, and what it had recorded and not published was the last that it did.
_LOOK_BACK_S: Final = 180.0
_LOOK_BACK_AT: Final = 64


@dataclass(slots=True)
class _Owed:
    publication: Publication
    refusals: int = 0
    retry_at: float = 0.0  # monotonic seconds
    lost: bool = False  # the store has not, or has damaged, what it had taken


class PublishQueue:
    """Keeps what is done and not yet published, in memory and in the journal, until it is published.

    Threads: the loop's only.
    Raises: `resume` SpoolUnusable, where the journal cannot be read; `recover` and `retry` as they say.
    """

    def __init__(self, parts: DispatchParts) -> None:
        self._name = parts.name
        self._queue, self._delivery, self._events = parts.queue, parts.delivery, parts.events
        self._journal, self._clock, self._alive = parts.journal, parts.clock, parts.alive
        self._owed: dict[str, _Owed] = {}

    def __len__(self) -> int:
        return len(self._owed)

    def publish(
        self,
        entry: str,
        lease: Lease,
        takes: Sequence[Made],
        order: int,
        store_again: Callable[[], object] | None = None,
    ) -> None:
        """Publish a job that has just been recorded as done; what fails now is tried again. Never raises.

        `order` is its place in the order of asking at that moment. `store_again` puts the takes into the
        store once more, while the worker's files are at hand.
        """
        publication = Publication(
            entry, lease.request_id, lease.lease_no, tuple(takes), order, lease.revision
        )
        self._make(_Owed(publication), store_again)

    def _make(self, owed: _Owed, store_again: Callable[[], object] | None = None) -> None:
        if self._attempt(owed):
            return
        if owed.lost and store_again is not None:
            with contextlib.suppress(JobRunnerError):
                store_again()
                if self._attempt(owed):
                    return
        self._owe(owed)

    def _owe(self, owed: _Owed) -> None:
        publication = owed.publication
        self._owed[publication.entry] = owed
        try:
            self._journal.owe(publication)
        except SpoolUnusable as error:
            log.error("%s; a restart would forget that %s is to be published", error, publication.request_id)

    def resume(self) -> None:
        """Take over what a predecessor owed; `retry` does the rest."""
        for publication in self._journal.publications():
            self._owed.setdefault(publication.entry, _Owed(publication))

    def recover(self, entry: str, lease: Lease) -> None:
        """Publish a done job whose process crashed between the record and the publication.

        Whoever listens hears of its end, here for the second time where the crash came after the first.

        Raises:
            Unavailable: the queue does not answer.
        """
        finished = self._finished(lease)
        told = None if finished is None else of_finished(finished, lease)
        if told is not None:
            self._events.emit(told)
        if finished is None or finished.state is not JobState.DONE:
            return
        record = finished.done()
        if record is None:
            log.error("the record of %s cannot be read, nothing is published of it", lease.request_id)
            return
        self.publish(entry, lease, record.takes, finished.order)

    def look_back(self) -> None:
        """Owe what somebody else finished a moment ago and did not publish: its watcher may be gone.

        `retry` publishes it. A store that does not answer is asked once: others wait for us to lead.

        Raises:
            Unavailable: the queue does not answer.
        """
        answers = True
        since = self._queue.snapshot().server_time - _LOOK_BACK_S
        for job in self._queue.history(limit=_LOOK_BACK_AT, status=JobState.DONE, since=since):
            record = None if job.consumer == self._name else job.done()
            if record is None:
                continue
            self._alive(_MAY_TAKE_S)
            entry = f"{job_digest(job.request_id)}.{job.lease_no}-late"
            publication = Publication(
                entry, job.request_id, job.lease_no, record.takes, job.order, job.revision
            )
            try:
                if answers and self._delivery.published(publication.takes):
                    continue
            except (JobRunnerError, OSError):
                answers = False
            log.info("%s was done and perhaps not published by %s", job.request_id, job.consumer)
            self._owe(_Owed(publication))

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
            self._alive(_MAY_TAKE_S)
            if self._is_outdated(owed) or self._attempt(owed):
                self._journal.published(entry)
                del self._owed[entry]

    def _is_outdated(self, owed: _Owed) -> bool:
        """Whether the job was done anew since: then its name belongs to the newer takes.

        Else it is made under the order that the job has by now: it may have been asked for again.
        """
        publication = owed.publication
        finished = self._queue.result(publication.request_id)
        if finished is None:
            return False
        if _is_of(finished, publication):
            owed.publication = replace(publication, order=max(publication.order, finished.order))
            return False
        return finished.state is JobState.DONE

    def _finished(self, lease: Lease) -> FinishedJob | None:
        """The record that this lease wrote, also where a newer revision has replaced it."""
        now = self._queue.result(lease.request_id)
        found = [*([now] if now is not None else []), *self._queue.revisions(lease.request_id)]
        wrote = (lease.lease_no, lease.revision)
        return next((job for job in found if (job.lease_no, job.revision) == wrote), None)

    def _attempt(self, owed: _Owed) -> bool:
        publication = owed.publication
        try:
            claim = publication.claim
            former = former_takes(self._queue, claim.request_id, claim.revision)
            newer = self._delivery.publish(claim, publication.takes, former)
        except (JobRunnerError, OSError, ValueError) as error:
            owed.refusals += 1
            pause = backoff_s(owed.refusals, 1.0, base_s=_PAUSE_S, cap_s=_LONGEST_PAUSE_S)
            owed.lost = isinstance(error, ArtifactMismatch | NotStored)
            owed.retry_at = self._clock.monotonic() + pause
            log.error(
                "%s is done and stored but not published, next try in %.0f s: %s",
                publication.request_id,
                pause,
                error,
            )
            return False
        if newer is not None:
            log.info(
                "%s is done and not published: %s was asked for later and has its name",
                publication.request_id,
                newer.request_id,
            )
        elif owed.refusals:
            log.info("%s is published now", publication.request_id)
        return True


def _is_of(finished: FinishedJob, publication: Publication) -> bool:
    """Whether the job ended with just these takes.

    Numbers alone do not tell: they begin anew for a job that was forgotten and enqueued again.
    """
    if (finished.lease_no, finished.revision) != (publication.lease_no, publication.revision):
        return False
    record = finished.done()
    return record is None or _audio(record.takes) == _audio(publication.takes)


def _audio(takes: Sequence[Made]) -> list[tuple[str, str]]:
    return [(take.main.file, take.main.sha256) for take in takes]
