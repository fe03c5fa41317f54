"""The watcher's loop: observe the worker, the spool and the books; settle, begin, tell; wait for a reason.

One pass never waits for work to finish. Whatever a crash leaves behind (leases in the journal, jobs and
results in the spool) is picked up by the first pass of the next process.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from job_watcher.endings import Endings
from job_watcher.holdings import Holding
from job_watcher.intake import Intake, spool_job
from job_watcher.parts import Limits, Parts
from job_watcher.policy import homeless
from job_watcher.publications import Publications
from job_watcher.settling import Settling
from job_watcher.tending import Tending, WorkerGivenUp
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.jobqueue import LeaseLost
from lib.spool import HostUnreachable, Phase, SpoolFull

log = logging.getLogger(__name__)

_HEARTBEAT_EVERY = 5.0  # seconds between signs of life in the registry
_PROGRESS_EVERY = 1.0
_LOOK_EVERY = 0.5  # while jobs are held; results, new jobs and `drain` ring a bell
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_GIVE_UP_AFTER = 300.0  # seconds without Redis before the process ends, for its supervisor to see
_WORKER_GRACE = 10.0


class Watcher:
    """One process that keeps one resident worker busy. Made once, used from one thread."""

    def __init__(self, parts: Parts, *, name: str, provider: str, limits: Limits) -> None:
        self._parts, self._name, self._provider, self._limits = parts, name, provider, limits
        self._queue, self._spool, self._clock = parts.queue, parts.spool, parts.clock
        self._endings = Endings(parts)
        self._publications = Publications(parts.queue, parts.storage, parts.journal, parts.clock)
        self._settling = Settling(parts, self._endings, self._publications, provider=provider)
        self._tending = Tending(parts, self._endings, limits)
        self._intake = Intake(parts, name=name, limits=limits)
        self._draining = threading.Event()
        self._releasing = threading.Event()
        self._next_heartbeat = 0.0
        self._next_progress = 0.0
        self._told: tuple[str, int] | None = None
        self._homeless: set[str] = set()
        self._trouble_since: float | None = None
        self._pause = _PAUSE

    # --- what other threads and signal handlers may call -------------------------------------------------

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done. The second call hands it back now."""
        if self._draining.is_set():
            self._releasing.set()
        self._draining.set()
        self._spool.wake()
        self._intake.end()

    # --- the life of the process -------------------------------------------------------------------------

    def run(self) -> None:
        """Work until drained.

        Raises:
            Unavailable: Redis stayed away for five minutes, or the worker keeps ending.
            BadConfiguration: the worker cannot run here at all.
        """
        with self._leaving():
            self.resume()
            self._intake.start()
            while not self._draining.is_set():
                self._try(lambda: self.step(wait_s=_HEARTBEAT_EVERY), self._draining)
            self._finish_within(self._limits.drain_s)

    def run_once(self) -> int:
        """Work until nothing is waiting and nothing is held; returns how many jobs were settled.

        Raises:
            Unavailable, BadConfiguration: as `run`, and for a disk that stays full for five minutes.
        """
        self._tending.patient = False
        with self._leaving():
            self.resume()
            busy = True
            while busy and not self._draining.is_set():
                busy = self._try(self._once, self._draining)
            self._finish_within(self._limits.drain_s)
        return self._endings.settled

    def _once(self) -> bool:
        """One pass of `run_once`; whether there is more to do."""
        self._intake.look()
        self.step(wait_s=_LOOK_EVERY if len(self._parts.holdings) else 0.0)
        return len(self._parts.holdings) > 0 or self._intake.look() > 0

    def resume(self) -> None:
        """Take over what a killed predecessor on this slot held."""
        self._queue.register_watcher(self._name, self._facts())
        inherited = list(self._parts.journal.leases())
        lost = {
            lease.token
            for lease in self._queue.renew([lease for _, lease in inherited], lease_ms=self._limits.lease_ms)
        }
        self._publications.resume()
        for entry, lease in inherited:
            if lease.token in lost:
                self._publications.recover(entry, lease)
                self._endings.abandon(entry)
            else:
                log.info("resuming %s (lease %d)", lease.request_id, lease.lease_no)
                self._parts.holdings.add(Holding(entry, lease))
                self._spool.submit(spool_job(lease))
        for entry in self._spool.entries():
            if self._parts.holdings.get(entry) is None:
                self._endings.abandon(entry)

    def step(self, *, wait_s: float) -> None:
        """One pass, then wait until there is a reason for the next, at most `wait_s` seconds."""
        self._intake.check()
        death = self._tending.start()
        phases = self._spool.entries()  # after the death, so that nothing moves any more
        self._tending.look(phases, death)
        self._drop_lost()
        self._endings.carry_out()
        self._begin(phases)
        self._settling.look(phases)
        self._house(phases)
        self._publications.retry()
        self._tell()
        if wait_s:
            self._spool.wait(min(wait_s, _LOOK_EVERY) if len(self._parts.holdings) else wait_s)

    # --- the parts of a pass -----------------------------------------------------------------------------

    def _begin(self, phases: Mapping[str, Phase]) -> None:
        """An attempt begins when the worker takes the job up, not when we lease it."""
        for holding in self._parts.holdings.all():
            waits = phases.get(holding.entry, Phase.INBOX) is Phase.INBOX
            if waits or holding.began_at is not None or holding.ending is not None:
                continue
            try:
                holding.lease = self._queue.begin(holding.lease)
            except LeaseLost:
                self._parts.holdings.mark_lost([holding.lease])
            else:
                holding.began_at = self._clock.monotonic()

    def _drop_lost(self) -> None:
        for holding in self._parts.holdings.lost():
            log.warning("lost the lease of %s, its work stops", holding.lease.request_id)
            self._endings.leave(holding)

    def _house(self, phases: Mapping[str, Phase]) -> None:
        """Submit again what somebody removed from the spool. Seen twice: it may just have been moving."""
        missing = homeless(self._parts.holdings.all(), phases)
        for entry in missing & self._homeless:
            holding = self._parts.holdings.get(entry)
            if holding is not None and holding.ending is None:
                log.warning("%s vanished from the spool, submitting it again", holding.lease.request_id)
                holding.began_at = None
                self._spool.submit(spool_job(holding.lease))
        self._homeless = missing

    def _tell(self) -> None:
        """Signs of life: ours to the registry, the worker's to the job it is at."""
        now = self._clock.monotonic()
        if now >= self._next_heartbeat:
            self._queue.heartbeat_watcher(self._name, self._facts())
            self._next_heartbeat = now + _HEARTBEAT_EVERY
        if now < self._next_progress:
            return
        self._next_progress = now + _PROGRESS_EVERY
        beat = self._tending.beat
        holding = self._parts.holdings.get(beat.entries[0]) if beat and beat.entries else None
        if beat is None or holding is None or not beat.pieces:
            return
        if self._told == (told := (holding.entry, beat.pieces_done)):
            return
        try:
            self._queue.progress(holding.lease, {"pieces_done": beat.pieces_done, "pieces": beat.pieces})
        except LeaseLost:
            self._parts.holdings.mark_lost([holding.lease])
        self._told = told

    def _facts(self) -> dict[str, Any]:
        return {
            "provider": self._provider,
            "slots": self._limits.slots,
            "holding": len(self._parts.holdings),
            "finished": self._endings.settled,
            "trouble": self._settling.trouble,
        }

    # --- trouble and endings -----------------------------------------------------------------------------

    def _try(self, act: Callable[[], bool | None], hurry: threading.Event) -> bool:
        """Do one pass, or wait out why it cannot be done; ends early when `hurry` is set.

        Returns what `act` does; True when it could not say.
        """
        try:
            more = act()
        except WorkerGivenUp:
            raise
        except (Unavailable, TryAgain, SpoolFull) as error:
            self._wait_out(error, hurry)
            return True
        self._trouble_since, self._pause = None, _PAUSE
        return bool(more)

    def _wait_out(self, error: JobRunnerError, hurry: threading.Event) -> None:
        now = self._clock.monotonic()
        if self._trouble_since is None:
            self._trouble_since = now
        fatal = isinstance(error, Unavailable) and not isinstance(error, HostUnreachable)
        impatient = fatal or not self._tending.patient  # a host may come back whenever it likes
        if impatient and now - self._trouble_since > _GIVE_UP_AFTER:
            raise error
        log.warning("cannot go on, trying again in %.0f s: %s", self._pause, error)
        hurry.wait(self._pause)
        if isinstance(error, SpoolFull):
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _finish_within(self, limit: float) -> None:
        """Hand back what has not begun, finish the rest within `limit` seconds, hand back what remains."""
        self._intake.stop()
        deadline = self._clock.monotonic() + limit
        log.info("draining: %d jobs at hand, at most %.0f s", len(self._parts.holdings), limit)
        for holding in self._parts.holdings.all():
            if holding.began_at is None and self._spool.withdraw(holding.entry):
                holding.ending = "drain"
        while len(self._parts.holdings) and not self._releasing.is_set():
            if self._clock.monotonic() >= deadline:
                break
            self._try(lambda: self.step(wait_s=_LOOK_EVERY), self._releasing)
        for holding in self._parts.holdings.all():
            self._endings.release(holding, "drain limit")

    @contextlib.contextmanager
    def _leaving(self) -> Iterator[None]:
        """However it ends: the worker stops, and no lease is left to run out that could be handed back."""
        try:
            yield
        finally:
            self._intake.stop()
            self._parts.worker.stop(grace=_WORKER_GRACE)
            self._endings.release_rest()
            try:
                self._queue.remove_watcher(self._name)
            except JobRunnerError as error:
                log.warning("left without saying so: %s", error)
