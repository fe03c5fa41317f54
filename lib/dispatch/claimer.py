"""Claims jobs while some host has room for them, and hands each to a host.

In a thread of its own, so that the loop may be busy, or asleep, and a free host still gets a new job at once,
without asking the queue over and over.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.dispatch.job_events import of_job
from lib.dispatch.job_handover import JobHandover
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.dispatch.stray_entries import Strays
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.events.model import JobAdopted, JobClaimed
from lib.jobqueue import Failure, Lease, LeaseLost, Placement
from lib.spool import HostUnreachable, SpoolFull, SpoolJob, SpoolUnusable

log = logging.getLogger(__name__)

_BRINGING_S = 5.0  # of one look, for voices: leases wait meanwhile, and without a thread the loop does


class Claimer:
    """Writes each lease down, puts it into the books and hands its job to a host, in this order.

    Threads: `start`, `check` and `stop` are the loop's; `look` the claiming thread's, or the loop's where
    there is none; `end` any.
    Raises: `look` as it says; `check` whatever ended the thread; the others nothing.
    """

    def __init__(
        self,
        parts: DispatchParts,
        roster: HostRoster,
        jobs: InFlightJobs,
        strays: Strays,
        handover: JobHandover,
        renew: Callable[[], None],
        refuse: Callable[[Lease, Failure], None],
    ) -> None:
        self._parts, self._roster, self._jobs, self._strays = parts, roster, jobs, strays
        self._handover, self._renew, self._refuse = handover, renew, refuse
        self._queue, self._intervals = parts.queue, parts.intervals
        self._ended = threading.Event()
        self._room = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def start(self) -> None:
        """Begin to claim."""
        self._thread = threading.Thread(target=self._run, name="claimer", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is claimed: the dispatcher drains, or is about to end."""
        return self._ended.is_set()

    def end(self) -> None:
        """Claim nothing more. Returns at once; callable from any thread."""
        self._ended.set()
        self._room.set()
        if self._thread is not None:  # else nobody waits, and a loop that leads no more must write nothing
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

    def look(self, block_s: float = 0.0, *, beyond: int = 0) -> int:
        """Claim once for all the room there is; returns how many jobs came.

        `beyond` is for finished work that waits for a lease: so many are claimed where no host has room, and
        a job that has none is handed back.

        Raises:
            Unavailable, TryAgain: the queue does not answer, or this process does not lead.
            SpoolUnusable: a job could not be written down; what was claimed is handed back.
        """
        rooms = self._roster.rooms()
        count = self._most(rooms) or beyond
        if count <= 0 or self._ended.is_set():
            return 0
        leases = self._queue.claim(
            self._parts.name, count=count, block_s=block_s, lease_ms=self._parts.limits.lease_ms
        )
        placed: list[Placement] = []
        until = self._handover.bringing_s + _BRINGING_S
        try:
            for done, lease in enumerate(leases):
                try:
                    self._place(lease, rooms, placed, until)
                except JobRunnerError:
                    self._hand_back(leases[done:])
                    raise
        finally:
            self._tell_where(placed)
        return len(leases)

    def sift(self, most: int) -> bool:
        """Whether one of the first in line could be spoken by some machine; those before it that cannot fail.

        For whoever is about to rent one. Nothing is laid anywhere. True also where nothing can be claimed
        now; False after `most` jobs that cannot be spoken, for the rest is asked for later.

        Raises: as `look`.
        """
        if not self._handover.can_refuse:
            return True
        placed: list[Placement] = []
        try:
            for number in range(most):
                leases = self._queue.claim(self._parts.name, count=1, lease_ms=self._parts.limits.lease_ms)
                if not leases:
                    return number == 0
                try:
                    if self._is_speakable(leases[0], placed):
                        return True
                except JobRunnerError:
                    self._hand_back(leases)
                    raise
        finally:
            self._tell_where(placed)
        return False

    def _is_speakable(self, lease: Lease, placed: list[Placement]) -> bool:
        """Whether a machine could speak the job that was just claimed; then it waits again."""
        if self._is_placed(lease, placed):
            return False
        failure = self._handover.refusal(lease.spec)
        if failure is None:
            self._release(lease, "no machine yet")
            return True
        self._refuse(lease, failure)
        return False

    def _most(self, rooms: dict[str, int]) -> int:
        """How many jobs may be claimed now: what the hosts have room for, within our own limit."""
        slots = self._parts.limits.slots
        free = sum(rooms.values())
        return free if slots is None else min(free, slots - len(self._jobs))

    # --- from a lease to a host --------------------------------------------------------------------------

    def _place(self, lease: Lease, rooms: dict[str, int], placed: list[Placement], until: float) -> None:
        """Give the job to the host where its work lies already, else to the one that has least to do.

        Once voices have taken `until` seconds, by the handover's count, it goes nowhere new but back.
        """
        if self._is_placed(lease, placed):
            return
        if self._handover.bringing_s > until:
            self._release(lease, "the voices of others had to be brought first")
            return
        while (state := self._choose(lease, rooms)) is not None:
            job = self._parts.spool_job(lease)
            self._take_up(lease, state, job.entry)
            try:
                self._handover.lay(state, lease, job)
            except (HostUnreachable, SpoolUnusable) as error:
                self._forget(job)
                if not state.replaceable and isinstance(error, SpoolUnusable):
                    raise
                state.trouble = error
                rooms.pop(state.name, None)  # the rest of the pass must not wait for it again
                continue
            rooms[state.name] -= 1
            placed.append(Placement(lease, state.name, job.entry))
            return
        self._release(lease, "no host has room")

    def _is_placed(self, lease: Lease, placed: list[Placement]) -> bool:
        """Whether its work lies on a host already: then the job stays there."""
        if self._goes_on(lease, placed):
            return True
        found = self._strays.adopt(lease)
        if found is None:
            return False
        holder, entry = found
        self._take_up(lease, holder, entry)
        self._parts.tell("adopted", f"{lease.request_id} is on its host already", holder.name)
        placed.append(Placement(lease, holder.name, entry))
        return True

    def _goes_on(self, lease: Lease, placed: list[Placement]) -> bool:
        """Whether the job is at hand here already, under a lease of ours that ran out: then it goes on."""
        job = self._jobs.of(lease.request_id)
        if job is None or job.ending is not None:
            return False
        if self._parts.fingerprint(job.lease) != self._parts.fingerprint(lease):
            return False
        self._parts.journal.write(job.entry, lease, job.host)
        self._jobs.give(job.entry, lease)
        placed.append(Placement(lease, job.host, job.entry))
        self._parts.events.emit(of_job(JobAdopted, lease, job.host))
        return True

    def _choose(self, lease: Lease, rooms: dict[str, int]) -> HostState | None:
        """The host with least to do; one where the job ended workers only where there is no other."""
        free = [state for name, room in rooms.items() if room > 0 and (state := self._roster.get(name))]
        if not free:
            return None
        return min(free, key=lambda state: (state.host.machine in lease.killed, self._jobs.count(state.name)))

    def _take_up(self, lease: Lease, state: HostState, entry: str) -> None:
        self._parts.journal.write(entry, lease, state.name)
        now = self._parts.clock.monotonic()
        self._jobs.add(InFlightJob(entry, lease, state.name, now))
        state.idle_since = None
        self._parts.events.emit(of_job(JobClaimed, lease, state.name, machine=state.host.machine))

    def _forget(self, job: SpoolJob) -> None:
        self._jobs.drop(job.entry)
        self._parts.journal.forget(job.entry)

    def _tell_where(self, placed: Sequence[Placement]) -> None:
        """Write into the rows of the leases where their work lies, for whoever has to take it over."""
        if not placed:
            return
        try:
            self._jobs.mark_lost(self._queue.assign(placed))
        except Unavailable as error:  # only a take-over from another machine would miss it
            log.warning("the hosts of %d jobs were not written down: %s", len(placed), error)

    # --- refusals ----------------------------------------------------------------------------------------

    def _hand_back(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            self._release(lease, "it cannot be written down here")
            with contextlib.suppress(SpoolUnusable):
                self._forget(self._parts.spool_job(lease))

    def _release(self, lease: Lease, reason: str) -> None:
        try:
            self._queue.release(lease, reason)
        except LeaseLost as error:
            log.warning("%s", error)
        except Unavailable as error:
            log.warning("%s was not handed back, its lease runs out: %s", lease.request_id, error)

    # --- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Claim until ended. A passing refusal is waited for; anything else is the loop's to raise."""
        pause, away = 0.0, False
        while not self._ended.is_set():
            if self._most(self._roster.rooms()) <= 0:
                self._room.wait(self._intervals.look_s)
                self._room.clear()
                continue
            try:
                if pause:
                    self._parts.journal.probe()  # claiming just to hand back again would wear the jobs out
                if away:
                    self._renew()  # or we would take our own jobs away from ourselves
                if self.look(self._intervals.block_s):
                    self._parts.wake()
                pause, away = 0.0, False
            except SpoolFull as error:
                pause = min(max(self._intervals.pause_s, pause * 2), self._intervals.longest_pause_s)
                log.error("no new job is taken, next try in %.0f s: %s", pause, error)
                self._ended.wait(pause)
            except (Unavailable, TryAgain) as error:
                away = True
                log.warning("the queue gives no jobs, trying again: %s", error)
                self._ended.wait(self._intervals.pause_s)
            except Exception as error:  # not swallowed: `check` raises it in the loop
                self._failure = error
                self._parts.wake()
                return
