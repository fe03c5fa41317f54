"""Ends leases without a result: failed, handed back, or dropped because they are not ours any more."""

from __future__ import annotations

import logging

from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import HandBack, InFlightJob, InFlightJobs
from lib.dispatch.job_events import of_failure, of_job
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.dispatch.stray_entries import Strays, remove
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.events.model import JobBegun, JobLeaseLost, JobReleased, MachineAdded, MachineLost, MachineRemoved
from lib.jobqueue import TERMINAL, ErrorClass, Failure, JobState, Lease, LeaseLost
from lib.jobqueue.errors import DamagedRow
from lib.spool import Phase, SpoolUnusable
from lib.workers import WorkerHost

log = logging.getLogger(__name__)


class LeaseCloser:
    """Says to the queue what was decided, then forgets the job. Every step may be repeated.

    Threads: the loop's only.

    Raises, from every method but `release_rest`:
        Unavailable, TryAgain: the queue does not answer, or this process does not lead.
        SpoolUnusable: the journal cannot be written.
    """

    def __init__(self, parts: DispatchParts, roster: HostRoster, jobs: InFlightJobs, strays: Strays) -> None:
        self._parts, self._roster, self._jobs, self._strays = parts, roster, jobs, strays
        self._queue, self._journal, self._clock = parts.queue, parts.journal, parts.clock
        self._next_look = 0.0
        self.settled = 0  # results that were taken, and jobs that failed for good without one

    def carry_out(self) -> None:
        """End the jobs whose `ending` is decided. What the queue does not hear now it hears next time.

        Raises:
            Unavailable: the queue does not answer.
        """
        for job in self._jobs.all():
            if isinstance(job.ending, Failure):
                self.fail(job, job.ending)
            elif job.ending is not None:
                self.release(job, job.ending)

    def fail(self, job: InFlightJob, failure: Failure) -> None:
        """Record the failure and let the worker drop the job."""
        self.refuse(job.lease, failure, job.host)
        self.leave(job)

    def refuse(self, lease: Lease, failure: Failure, host: str = "") -> None:
        """Record the failure of a job that is on no host, or that its host drops next."""
        try:
            state = self._queue.fail(lease, failure)
            self._parts.events.emit(of_failure(state, lease, host, failure))
            if state is JobState.FAILED:
                self.settled += 1
                self._forget_pieces(lease.request_id)
        except LeaseLost as error:
            log.warning("%s", error)

    def release(self, job: InFlightJob, hand_back: HandBack) -> None:
        """Hand the job back and let the worker drop it."""
        try:
            self._release(job, hand_back.reason, alone=hand_back.alone)
        except LeaseLost as error:
            log.warning("%s", error)
        self.leave(job)

    def _release(self, job: InFlightJob, reason: str, *, alone: bool = False) -> None:
        self._queue.release(job.lease, reason, alone=alone)
        self._parts.events.emit(of_job(JobReleased, job.lease, job.host, reason=reason))

    def find_lost(self) -> None:
        """Ask whether the leases at hand are valid still, once in a while.

        A cancellation ends a lease and tells nobody who holds it. The next renewal would find it, up to a
        third of a lease later; until then a job that only waits for its worker would keep a slot from others.

        Raises:
            Unavailable: the queue does not answer.
        """
        now = self._clock.monotonic()
        if now < self._next_look:
            return
        held = [job.lease for job in self._jobs.all() if job.phase is not Phase.OUTBOX and job.ending is None]
        try:
            records = self._queue.jobs([lease.request_id for lease in held]) if held else []
        except DamagedRow:  # somebody wrote past the scripts; `reconcile` mends it
            held, records = [], []
        self._next_look = now + self._parts.intervals.progress_s
        self._jobs.mark_lost(
            [
                lease
                for lease, record in zip(held, records, strict=True)
                if record is None or record.state is not JobState.RUNNING or record.lease_no != lease.lease_no
            ]
        )

    def drop_lost(self) -> None:
        """Let go of jobs whose lease is gone. The work of one that ended stops; other work may be adopted."""
        self.find_lost()
        for job in self._jobs.lost():
            self._parts.events.emit(of_job(JobLeaseLost, job.lease, job.host))
            self.forget(job)
            state = self._roster.get(job.host)
            if state is not None and not state.replaceable:
                self._strays.drop(job.entry)
                continue
            if self._has_ended(job.request_id):  # else whoever leads now may have taken it over where it is
                self._strays.drop(job.entry)
                self._forget_pieces(job.request_id)

    def _forget_pieces(self, request_id: str) -> None:
        """Nobody goes on with the job."""
        if self._parts.pieces is not None:
            self._parts.pieces.forget(request_id)

    def _has_ended(self, request_id: str) -> bool:
        try:
            record = self._queue.job(request_id)
        except DamagedRow:  # nobody can say; work that nobody adopts is dropped in time
            return False
        return record is None or record.state in TERMINAL

    def drop_homeless(self) -> None:
        """Hand back jobs whose host went while they were being placed."""
        for job in self._jobs.all():
            if self._roster.get(job.host) is None:
                self.release(job, HandBack("its host is gone"))

    def leave(self, job: InFlightJob) -> None:
        """Strike a job that is not ours any more, and have its entry removed."""
        self.forget(job)
        self._strays.drop(job.entry)
        state = self._roster.get(job.host)
        if state is None:
            return
        try:
            spool = state.spool()
            remove(spool, job.entry, spool.phase(job.entry))
        except (Unavailable, SpoolUnusable) as error:
            log.info("%s is cleared from %s later: %s", job.request_id, job.host, error)

    def forget(self, job: InFlightJob) -> None:
        """Strike it from the books."""
        self._jobs.drop(job.entry)
        self._journal.forget(job.entry)

    def note_begin(self, job: InFlightJob, state: HostState) -> None:
        """Note that a worker took the job up, and that the queue knows."""
        job.note_begin(self._clock.monotonic())
        self._parts.events.emit(of_job(JobBegun, job.lease, state.name, machine=state.host.machine))

    def note_host(self, host: WorkerHost, *, replaceable: bool) -> None:
        """Tell of a machine that came, with its first worker; workers of our own are no news."""
        if replaceable and host.machine and self._workers_of(host.machine) == 1:
            self._parts.events.emit(MachineAdded(machine=host.machine))

    def hand_back_host(self, state: HostState, why: str, *, lost: bool) -> None:
        """Hand back the jobs of a host that leaves. `lost` counts against jobs that lose machines."""
        machine = state.host.machine
        for job in self._jobs.on(state.name):
            self._jobs.drop(job.entry)
            self._journal.forget(job.entry)
            try:
                if lost:
                    failure = Failure(ErrorClass.LOST_MACHINE, f"The machine was lost: {why}.", host=machine)
                    went = self._queue.fail(job.lease, failure)
                    self._parts.events.emit(of_failure(went, job.lease, job.host, failure))
                else:
                    self._release(job, why)
            except (LeaseLost, Unavailable) as error:  # then the lease runs out by itself
                log.warning("%s was not handed on: %s", job.request_id, error)
        if state.replaceable and not self._workers_of(machine):
            kind = MachineLost if lost else MachineRemoved
            self._parts.events.emit(kind(machine=machine, reason=why))

    def _workers_of(self, machine: str) -> int:
        return sum(state.host.machine == machine for state in self._roster.all())

    def release_all(self, why: str, *, keep_work: bool) -> None:
        """Hand every lease back. `keep_work` leaves the work where it lies, for the next one to adopt."""
        for job in self._jobs.all():
            if not keep_work:
                self.release(job, HandBack(why))
                continue
            self._jobs.drop(job.entry)
            self._journal.forget(job.entry)
            try:
                self._release(job, why)
            except (LeaseLost, Unavailable, TryAgain) as error:
                log.warning("%s was not handed back: %s", job.request_id, error)

    def release_rest(self) -> None:
        """On the way out after an error: hand back what can be; the rest waits in the journal.

        Finished audio stays in the spool with its lease, for the next process here to settle. Never raises.
        """
        for job in self._jobs.all():
            try:
                state = self._roster.get(job.host)
                if state is None or state.spool().phase(job.entry) is not Phase.OUTBOX:
                    self.release(job, HandBack("the watcher ends"))
            except JobRunnerError as error:
                log.warning("%s was not handed back, its lease runs out by itself: %s", job.request_id, error)
