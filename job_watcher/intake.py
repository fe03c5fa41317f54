"""Claims jobs while there is room for them, in a thread of its own.

So the loop may be busy, or asleep, and a free slot still gets a new job at once, without asking the queue
over and over.
"""

from __future__ import annotations

import logging
import threading

from job_watcher.holdings import Holding
from job_watcher.parts import Limits, Parts
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.jobqueue import ErrorClass, Failure, Lease, LeaseLost
from lib.jobspec import fingerprint, to_payload
from lib.spool import InvalidSpoolData, SpoolFull, SpoolJob, lease_mark

log = logging.getLogger(__name__)

_BLOCK = 5.0  # seconds one claim waits; `stop` ends it earlier
_LOOK_EVERY = 1.0  # seconds between looks for a free slot, when nobody tells of one
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Intake:
    """Writes each lease down, puts it into the books and hands its job to the worker, in this order."""

    def __init__(self, parts: Parts, *, name: str, limits: Limits) -> None:
        self._parts, self._name, self._limits = parts, name, limits
        self._queue, self._spool = parts.queue, parts.spool
        self._ended = threading.Event()
        self._room = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def start(self) -> None:
        """Begin to claim."""
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Claim nothing more. Returns at once; callable from any thread."""
        self._ended.set()
        self._room.set()
        self._queue.wake()

    def stop(self) -> None:
        """As `end`, and wait until the last claim is over."""
        if not self._ended.is_set():
            self.end()
        if self._thread is not None:
            self._thread.join(timeout=15.0)

    def check(self) -> None:
        """Note that there may be room now, and raise what ended the thread, if anything did."""
        self._room.set()
        if self._failure is not None:
            raise self._failure

    def look(self, block_s: float = 0.0) -> int:
        """Claim once for all free slots; returns how many jobs came.

        Raises:
            Unavailable: the queue does not answer.
            SpoolUnusable: a job could not be written down; what was claimed is handed back.
        """
        free = self._limits.slots - len(self._parts.holdings)
        if free <= 0 or self._ended.is_set():
            return 0
        leases = self._queue.claim(self._name, count=free, block_s=block_s, lease_ms=self._limits.lease_ms)
        for done, lease in enumerate(leases):
            try:
                self._take_up(lease)
            except JobRunnerError:
                self._hand_back(leases[done:])
                raise
        return len(leases)

    def _take_up(self, lease: Lease) -> None:
        job = spool_job(lease)
        self._parts.journal.write(job.entry, lease)
        holding = Holding(job.entry, lease)
        self._parts.holdings.add(holding)
        log.info("claimed %s (lease %d)", lease.request_id, lease.lease_no)
        try:
            self._spool.submit(job)
        except InvalidSpoolData as error:
            holding.ending = Failure(ErrorClass.BAD_INPUT, error.message)

    def _hand_back(self, leases: list[Lease]) -> None:
        for lease in leases:
            entry = spool_job(lease).entry
            self._parts.holdings.drop(entry)
            try:
                self._queue.release(lease, "the watcher cannot write it down")
                self._parts.journal.forget(entry)
            except (LeaseLost, JobRunnerError) as error:
                log.warning("%s was not handed back, its lease runs out: %s", lease.request_id, error)

    def _run(self) -> None:
        """Claim until ended. A passing refusal is waited for; anything else is the loop's to raise."""
        pause = 0.0
        while not self._ended.is_set():
            if len(self._parts.holdings) >= self._limits.slots:
                self._room.wait(_LOOK_EVERY)
                self._room.clear()
                continue
            try:
                if pause:
                    self._parts.journal.probe()  # claiming just to hand back again would wear the jobs out
                if self.look(_BLOCK):
                    self._spool.wake()
                pause = 0.0
            except SpoolFull as error:
                pause = min(max(_PAUSE, pause * 2), _LONGEST_PAUSE)
                log.error("no new job is taken, next try in %.0f s: %s", pause, error)
                self._ended.wait(pause)
            except (Unavailable, TryAgain) as error:
                log.warning("the queue gives no jobs, trying again: %s", error)
                self._ended.wait(_PAUSE)
            except Exception as error:  # not swallowed: `check` raises it in the loop
                self._failure = error
                self._spool.wake()
                return


def spool_job(lease: Lease) -> SpoolJob:
    """What the worker gets to know of a lease."""
    return SpoolJob(
        request_id=lease.request_id,
        lease_no=lease.lease_no,
        mark=lease_mark(lease.token),
        fingerprint=fingerprint(lease.spec),
        attempt=lease.attempt,
        spec=to_payload(lease.spec),
    )
