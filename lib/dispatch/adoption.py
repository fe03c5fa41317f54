"""Takes over what the dispatcher before this one leased, from its journal or from the queue's rows."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection

from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.dispatch.job_events import of_job
from lib.dispatch.job_handover import JobHandover
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.dispatch.publish_queue import PublishQueue
from lib.dispatch.stray_entries import Strays
from lib.events.model import JobAdopted
from lib.jobqueue import Lease, LeaseLost, Placement, Term
from lib.spool import SpoolFull

log = logging.getLogger(__name__)


class TakeOver:
    """Puts jobs into the books that somebody else leased. Used before the first pass.

    Threads: the loop's only.
    Raises: as each method says.
    """

    def __init__(
        self,
        parts: DispatchParts,
        roster: HostRoster,
        jobs: InFlightJobs,
        strays: Strays,
        handover: JobHandover,
        publishing: PublishQueue,
    ) -> None:
        self._parts, self._roster, self._jobs = parts, roster, jobs
        self._strays, self._handover, self._publishing = strays, handover, publishing

    def resume(self) -> None:
        """Take over what the journal says that a killed predecessor of this place held.

        Raises:
            Unavailable: the queue does not answer.
            SpoolUnusable: the journal, or a spool, cannot be used.
        """
        inherited = list(self._parts.journal.leases())
        with contextlib.suppress(SpoolFull):  # it may pass, and nothing is claimed before; leases run out
            self._release_unplaced({lease.request_id for _, lease, _ in inherited})
        leases = [lease for _, lease, _ in inherited]
        gone = self._parts.queue.renew(leases, lease_ms=self._parts.limits.lease_ms) if leases else []
        lost = {(lease.request_id, lease.fence) for lease in gone}
        self._publishing.resume()
        for entry, lease, host in inherited:
            state = self._roster.get(host)
            if (lease.request_id, lease.fence) in lost:
                self._publishing.recover(entry, lease)
                self._strays.drop(entry)
                self._parts.journal.forget(entry)
            elif state is None:
                self._hand_back(entry, lease, host)
            else:
                self._go_on(entry, lease, state)

    def recover(self) -> None:
        """Of what a killed predecessor here held: publish what was done, hand back what lies nowhere.

        One that was killed elsewhere left nothing here; what it had done last is published, too.

        What lies on machines is for `adopt`, when they answer: the queue's rows know it better.

        Raises:
            Unavailable: the queue does not answer.
            SpoolUnusable: the journal cannot be used.
        """
        with contextlib.suppress(SpoolFull):
            self._release_unplaced(())
        self._publishing.resume()
        for entry, lease, _ in list(self._parts.journal.leases()):
            self._publishing.recover(entry, lease)
            self._parts.journal.forget(entry)
        self._publishing.look_back()

    def _release_unplaced(self, known: Collection[str]) -> None:
        """Hand back what was claimed and never written down: nobody works on that, nor ever will."""
        parts = self._parts
        before = parts.journal.sign(parts.name)
        for name in before:
            for request_id in parts.queue.release_unplaced(name, known=known, reason="its watcher is gone"):
                log.info("%s was claimed by %s and not begun: handed back", request_id, name)
        parts.journal.strike(before)

    def adopt(self, term: Term) -> int:
        """Take over running work on our hosts from a leader before us; returns how many jobs.

        Raises:
            Unavailable: the queue does not answer.
            LeadershipLost: the term is over.
        """
        names = [state.name for state in self._roster.all()]
        if not names:
            return 0
        parts = self._parts
        leases = parts.queue.adopt(term, parts.name, hosts=names, lease_ms=parts.limits.lease_ms)
        for lease in leases:
            state = self._roster.get(lease.host)
            if state is not None and lease.spool_entry:
                self._hold(lease.spool_entry, lease, state)
                parts.tell("adopted", f"{lease.request_id} goes on where it is", state.name)
        return len(leases)

    def rehome(self, name: str, to: str, entries: Collection[str]) -> None:
        """Put jobs of one host under another where their entries lie finished; their leases stay.

        Raises:
            Unavailable: the queue does not answer.
            SpoolUnusable: the journal cannot be written.
        """
        state, moved = self._roster.get(to), list[Placement]()
        for job in self._jobs.on(name):
            if state is not None and job.entry in entries and job.ending is None:
                self._parts.journal.write(job.entry, job.lease, to)
                self._hold(job.entry, job.lease, state)
                moved.append(Placement(job.lease, to, job.entry))
        if moved:
            self._jobs.mark_lost(self._parts.queue.assign(moved))

    def _go_on(self, entry: str, lease: Lease, state: HostState) -> None:
        self._hold(entry, lease, state)
        spool = state.spool()
        if spool.phase(entry) is None and (job := self._parts.spool_job(lease)).entry == entry:
            self._handover.lay(state, lease, job)

    def _hand_back(self, entry: str, lease: Lease, host: str) -> None:
        """Its host is not here any more. Work that lies in some spool is adopted with the next lease."""
        log.warning("%s was on %s, which is gone: handing it back", lease.request_id, host)
        with contextlib.suppress(LeaseLost):
            self._parts.queue.release(lease, f"its host {host} is gone")
        self._parts.journal.forget(entry)

    def _hold(self, entry: str, lease: Lease, state: HostState) -> None:
        self._jobs.add(InFlightJob(entry, lease, state.name, self._parts.clock.monotonic()))
        state.idle_since = None
        self._parts.events.emit(of_job(JobAdopted, lease, state.name, machine=state.host.machine))
