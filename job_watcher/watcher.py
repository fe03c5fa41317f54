"""The watcher's loop: observe the spool, the worker and the queue; settle, begin, claim; wait for a reason.

One pass never waits for work to finish. Whatever a crash leaves behind (leases in the journal, jobs and
results in the spool) is picked up by the first pass of the next process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from job_watcher.delivery import Delivery
from job_watcher.holdings import Holding, Holdings
from job_watcher.journal import LeaseJournal
from lib.clock import Clock
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, JobState, Lease, LeaseLost
from lib.jobspec import to_payload
from lib.providers import ResidentWorker, WorkerDeath
from lib.spool import InvalidSpoolData, Phase, SpoolClient, SpoolJob
from lib.storage import Storage, StorageUnavailable, publish_takes, takes_of

log = logging.getLogger(__name__)

_HEARTBEAT_EVERY = 5.0  # seconds between signs of life in the registry
_PROGRESS_EVERY = 1.0
_LOOK_EVERY = 0.05  # how soon a busy watcher with a free slot sees a new job
_STORE_PAUSE, _STORE_PAUSE_MAX = 1.0, 60.0
_TIMEOUT_GRACE = 10.0
_GIVE_UP_AFTER = 300.0  # seconds without Redis before the process ends, for its supervisor to see


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a watcher takes on."""

    slots: int = 4  # jobs leased at once: one spoken, the others ready so that the engine never idles
    lease_ms: int = 180_000
    drain_s: float = 600.0


@dataclass(slots=True)
class Parts:
    """What a watcher is made of; wired in `wiring.py`, or by a test."""

    queue: JobQueue
    spool: SpoolClient
    worker: ResidentWorker
    storage: Storage
    delivery: Delivery
    journal: LeaseJournal
    holdings: Holdings
    clock: Clock


class Watcher:
    """One process that keeps one resident worker busy. Made once, used from one thread."""

    def __init__(self, parts: Parts, *, name: str, provider: str, limits: Limits) -> None:
        self._parts, self._name, self._provider, self._limits = parts, name, provider, limits
        self._queue, self._spool, self._clock = parts.queue, parts.spool, parts.clock
        self._draining = threading.Event()
        self._releasing = threading.Event()
        self._next_heartbeat = 0.0
        self._next_progress = 0.0
        self._finished = 0

    # --- what other threads and signal handlers may call -------------------------------------------------

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done. The second call hands it back now."""
        if self._draining.is_set():
            self._releasing.set()
        self._draining.set()
        self._queue.wake()
        self._spool.wake()

    # --- the life of the process -------------------------------------------------------------------------

    def run(self) -> None:
        """Work until drained.

        Raises:
            Unavailable: Redis stayed away for five minutes.
            BadConfiguration: the worker cannot run here at all.
        """
        away_since: float | None = None
        try:
            self.resume()
            while not self._draining.is_set():
                try:
                    self.step(block_s=_HEARTBEAT_EVERY)
                    away_since = None
                except Unavailable as error:
                    now = self._clock.monotonic()
                    away_since = now if away_since is None else away_since
                    if now - away_since > _GIVE_UP_AFTER:
                        raise
                    log.warning("the queue does not answer, trying again: %s", error)
                    self._draining.wait(1.0)
            self._finish_within(self._limits.drain_s)
        finally:
            self._leave()

    def run_once(self) -> int:
        """Work until nothing is waiting and nothing is held; returns how many jobs were settled."""
        try:
            self.resume()
            while True:
                self.step(block_s=0.0)
                if self._draining.is_set() or (not len(self._parts.holdings) and not self._claim(0.0)):
                    break
            self._finish_within(self._limits.drain_s)
            return self._finished
        finally:
            self._leave()

    def resume(self) -> None:
        """Take over what a killed predecessor on this slot held."""
        self._queue.register_watcher(self._name, self._facts())
        inherited = list(self._parts.journal.leases())
        lost = {
            lease.token
            for lease in self._queue.renew([lease for _, lease in inherited], lease_ms=self._limits.lease_ms)
        }
        for entry, lease in inherited:
            if lease.token in lost:
                self._repair_publication(lease)
                self._abandon(entry)
            else:
                log.info("resuming %s (lease %d)", lease.request_id, lease.lease_no)
                self._parts.holdings.add(Holding(entry, lease))
                self._spool.submit(_spool_job(lease))
        for entry in self._spool.entries():
            if self._parts.holdings.get(entry) is None:
                self._abandon(entry)

    def step(self, *, block_s: float) -> None:
        """One pass, then wait until there is a reason for the next, at most `block_s` seconds."""
        death = self._parts.worker.tend()
        if death is not None:
            self._bury(death)
        self._drop_lost()
        phases = self._spool.entries()
        self._begin(phases)
        self._settle(phases)
        self._stop_overdue()
        self._tell()
        self._claim(0.0)
        if len(self._parts.holdings) or self._spool.entries():  # or remains of a lost job come out soon
            free = len(self._parts.holdings) < self._limits.slots and not self._draining.is_set()
            self._spool.wait(min(block_s or _LOOK_EVERY, _LOOK_EVERY if free else 0.5))
        elif block_s:
            self._claim(block_s)

    # --- the parts of a pass -----------------------------------------------------------------------------

    def _claim(self, block_s: float) -> bool:
        free = self._limits.slots - len(self._parts.holdings)
        if free <= 0 or self._draining.is_set():
            return False
        leases = self._queue.claim(self._name, count=free, block_s=block_s, lease_ms=self._limits.lease_ms)
        for lease in leases:
            job = _spool_job(lease)
            self._parts.journal.write(job.entry, lease)
            self._parts.holdings.add(Holding(job.entry, lease))
            self._spool.submit(job)
            log.info("claimed %s (lease %d)", lease.request_id, lease.lease_no)
        return bool(leases)

    def _begin(self, phases: Mapping[str, Phase]) -> None:
        """An attempt begins when the worker takes the job up, not when we lease it."""
        for holding in self._parts.holdings.all():
            if holding.began_at is None and phases.get(holding.entry, Phase.INBOX) is not Phase.INBOX:
                holding.began_at = self._clock.monotonic()
                try:
                    holding.lease = self._queue.begin(holding.lease)
                except LeaseLost:
                    self._parts.holdings.mark_lost([holding.lease])

    def _settle(self, phases: Mapping[str, Phase]) -> None:
        now = self._clock.monotonic()
        for entry, phase in phases.items():
            if phase is not Phase.OUTBOX:
                continue
            holding = self._parts.holdings.get(entry)
            if holding is None:
                self._spool.acknowledge(entry)  # a canceled or lost job's remains
            elif now >= holding.retry_at:
                self._settle_one(holding, now)

    def _settle_one(self, holding: Holding, now: float) -> None:
        lease = holding.lease
        try:
            state = self._parts.delivery.settle(holding.entry, lease, provider=self._provider)
        except StorageUnavailable as error:
            pause = min(_STORE_PAUSE * 2**holding.store_refusals, _STORE_PAUSE_MAX)
            holding.store_refusals += 1
            holding.retry_at = now + pause
            log.error("%s is finished but not stored, next try in %.0f s: %s", lease.request_id, pause, error)
            return
        except LeaseLost as error:
            log.warning("%s", error)
        else:
            self._finished += 1
            log.info("%s is %s (attempt %d)", lease.request_id, state.value, lease.attempt)
        self._forget(holding)
        self._spool.acknowledge(holding.entry)

    def _drop_lost(self) -> None:
        for holding in self._parts.holdings.lost():
            log.warning("lost the lease of %s, its work stops", holding.lease.request_id)
            self._forget(holding)
            self._abandon(holding.entry)

    def _stop_overdue(self) -> None:
        """The worker itself ends a job over its `timeout_s`; one that hangs is restarted."""
        now = self._clock.monotonic()
        for holding in self._parts.holdings.all():
            limit = holding.lease.spec.timeout_s
            if limit is None or holding.began_at is None or now - holding.began_at <= limit + _TIMEOUT_GRACE:
                continue
            if self._spool.entries().get(holding.entry) is Phase.OUTBOX:
                continue
            log.warning("%s ran over its timeout_s of %d, stopping it", holding.lease.request_id, limit)
            self._fail(holding, Failure(ErrorClass.TRANSIENT, f"The job ran over its timeout of {limit} s."))
            self._abandon(holding.entry)
            self._parts.worker.restart()

    def _bury(self, death: WorkerDeath) -> None:
        """The worker died. The job it was at is to blame only if it may have killed it."""
        log.error("the worker ended with %s: %s", death.sentence, " | ".join(death.log_tail[-3:]))
        if death.status == ExitStatus.BAD_CONFIGURATION:
            raise BadConfiguration(f"The speech worker cannot run here: {' '.join(death.log_tail[-1:])}")
        if not death.blames_the_job:
            return
        phases = self._spool.entries()
        for holding in self._parts.holdings.all():
            if phases.get(holding.entry) is Phase.WORK:
                evidence = {"worker": death.sentence, "log": list(death.log_tail)}
                message = f"The speech worker died ({death.sentence}) while it worked on this job."
                self._fail(holding, Failure(ErrorClass.POISON, message, evidence))
                self._abandon(holding.entry)

    def _tell(self) -> None:
        """Signs of life: ours to the registry, the worker's to the job it is at."""
        now = self._clock.monotonic()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + _HEARTBEAT_EVERY
            self._queue.heartbeat_watcher(self._name, self._facts())
        if now < self._next_progress or not len(self._parts.holdings):
            return
        self._next_progress = now + _PROGRESS_EVERY
        try:
            beat = self._spool.heartbeat()
        except InvalidSpoolData as error:
            log.warning("%s", error)
            return
        holding = self._parts.holdings.get(beat.entry) if beat and beat.entry else None
        if beat and holding and beat.pieces:
            try:
                self._queue.progress(holding.lease, {"pieces_done": beat.pieces_done, "pieces": beat.pieces})
            except LeaseLost:
                self._parts.holdings.mark_lost([holding.lease])

    def _facts(self) -> dict[str, Any]:
        return {
            "provider": self._provider,
            "slots": self._limits.slots,
            "holding": len(self._parts.holdings),
            "finished": self._finished,
        }

    # --- endings -----------------------------------------------------------------------------------------

    def _finish_within(self, limit: float) -> None:
        """Hand back what has not begun, finish the rest within `limit` seconds, hand back what remains."""
        deadline = self._clock.monotonic() + limit
        log.info("draining: %d jobs at hand, at most %.0f s", len(self._parts.holdings), limit)
        for holding in self._parts.holdings.all():
            if holding.began_at is None and self._spool.withdraw(holding.entry):
                self._release(holding, "drain")
        while len(self._parts.holdings) and not self._releasing.is_set():
            if self._clock.monotonic() >= deadline:
                break
            self.step(block_s=0.5)
        for holding in self._parts.holdings.all():
            self._release(holding, "drain limit")
            self._abandon(holding.entry)

    def _leave(self) -> None:
        self._parts.worker.stop(grace=10.0)
        try:
            self._queue.remove_watcher(self._name)
        except Unavailable as error:
            log.warning("left without saying so: %s", error)

    def _release(self, holding: Holding, reason: str) -> None:
        try:
            self._queue.release(holding.lease, reason)
        except LeaseLost as error:
            log.warning("%s", error)
        self._forget(holding)

    def _fail(self, holding: Holding, failure: Failure) -> None:
        try:
            state = self._queue.fail(holding.lease, failure)
            log.warning("%s is %s: %s", holding.lease.request_id, state.value, failure.message)
            self._finished += state in (JobState.FAILED,)
        except LeaseLost as error:
            log.warning("%s", error)
        self._forget(holding)

    def _forget(self, holding: Holding) -> None:
        self._parts.holdings.drop(holding.entry)
        self._parts.journal.forget(holding.entry)

    def _abandon(self, entry: str) -> None:
        """Let the worker drop the entry, wherever it is; its remains are removed when they come out."""
        self._parts.journal.forget(entry)
        phase = self._spool.entries().get(entry)
        if phase is Phase.OUTBOX:
            self._spool.acknowledge(entry)
        elif phase is not None and not self._spool.withdraw(entry):
            self._spool.cancel(entry)

    def _repair_publication(self, lease: Lease) -> None:
        """A crash between record and publication leaves a done job without its named file."""
        finished = self._queue.result(lease.request_id)
        if finished and finished.result and finished.lease_no == lease.lease_no:
            publish_takes(self._parts.storage, takes_of(finished.result))


def _spool_job(lease: Lease) -> SpoolJob:
    return SpoolJob(
        request_id=lease.request_id,
        lease_no=lease.lease_no,
        attempt=lease.attempt,
        spec=to_payload(lease.spec),
    )
