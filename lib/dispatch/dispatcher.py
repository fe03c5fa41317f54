"""Gets jobs done: claims leases, hands them to hosts, records and publishes the results.

The watcher is this over local workers, `run` and `execute-manifest` over a queue in memory, renting over the
machines it has, the simulation on a virtual clock. Whoever rents only adds, removes and asks after hosts.

One pass never waits for work to finish. Whatever a crash leaves behind (leases in the journal or in the
queue's rows, jobs and results in the spools) is picked up by the first passes of the next process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lib.dispatch.adoption import TakeOver
from lib.dispatch.brought_voices import BroughtVoices
from lib.dispatch.claimer import Claimer
from lib.dispatch.hosts import HostRoster, HostState, HostView
from lib.dispatch.inflight import HandBack, InFlightJob, InFlightJobs
from lib.dispatch.job_handover import JobHandover
from lib.dispatch.lease_closer import LeaseCloser
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.dispatch.progress_reporter import ProgressReporter
from lib.dispatch.publish_queue import PublishQueue
from lib.dispatch.renewal import LeaseRenewer
from lib.dispatch.result_handler import ResultHandler
from lib.dispatch.stray_entries import Strays
from lib.dispatch.worker_supervisor import WorkerGivenUp, WorkerSupervisor
from lib.errors import Unavailable
from lib.jobqueue import JobQueue, Lease, LeaseLost, Placement, Term
from lib.spool import HostUnreachable, Phase, SpoolClient, SpoolUnusable
from lib.workers import WorkerHost

log = logging.getLogger(__name__)

_PLACING_S = 2.0  # a job is in the books before it lies in its spool


class Dispatcher:
    """Gets jobs done on hosts that come and go. Made once; `step` is called again and again.

    With threads (`start_renewing`, `start_claiming`) it renews, over `renewals`, and claims by itself;
    without, `step` renews and the caller calls `claim`, as a simulation does.

    Threads: one, the loop's; `end` and `at_hand` any.
    Raises: Unavailable or TryAgain where the queue is asked, SpoolUnusable where the journal is written.
    """

    def __init__(self, parts: DispatchParts, *, renewals: JobQueue | None = None) -> None:
        self._parts, self._queue, self._clock = parts, parts.queue, parts.clock
        limits = parts.limits
        self._jobs = InFlightJobs()
        self._roster = HostRoster(self._jobs, parts.clock, silence_s=limits.silence_s)
        self._brought = BroughtVoices(parts, self._jobs)
        self._handover = JobHandover(parts, self._jobs, self._brought)
        self._strays = Strays(parts, self._roster, self._jobs, keep_s=limits.keep_strays_s)
        self._closer = LeaseCloser(parts, self._roster, self._jobs, self._strays)
        self._publishing = PublishQueue(parts)
        self._results = ResultHandler(parts, self._roster, self._jobs, self._closer, self._publishing)
        self._supervisor = WorkerSupervisor(parts, self._roster, self._jobs, self._closer)
        self._renewer = LeaseRenewer(
            renewals or parts.queue, self._roster, self._jobs, lease_ms=limits.lease_ms
        )
        told = (self._handover, self._renewer.tick, self._closer.refuse)
        self._claimer = Claimer(parts, self._roster, self._jobs, self._strays, *told)
        self._take_over = TakeOver(
            parts, self._roster, self._jobs, self._strays, self._handover, self._publishing
        )
        self._progress = ProgressReporter(parts, self._roster, self._jobs)
        self._next_heartbeat = self._next_renewal = 0.0

    # --- hosts -------------------------------------------------------------------------------------------

    def add(
        self,
        host: WorkerHost,
        room: Callable[[], int],
        *,
        replaceable: bool = False,
        serves: Callable[[], bool] | None = None,
        fits: Callable[[str, Lease], bool] | None = None,
    ) -> None:
        """Use a host from now on. `room` says how many jobs it holds at once, asked before each claim.

        A `replaceable` host belongs to the caller, who judges it by its `view` and removes it; one that is
        not is mended here. `serves` is of a spool that was left: whether somebody is at work there still.
        `fits` says which lease may take an entry there; such a host removes what none will take.
        """
        if self._roster.get(host.name) is None:
            self._roster.add(host, room, replaceable=replaceable, serves=serves, fits=fits)
            self._claimer.check()
            self._closer.note_host(host, replaceable=replaceable)

    def remove(self, name: str, *, why: str, lost: bool) -> None:
        """Use a host no more; its jobs go elsewhere at once. `lost` counts as a lost machine against them."""
        if (state := self._roster.get(name)) is not None:
            self._roster.remove(name)  # first, so that nothing more is placed on it
            self._closer.hand_back_host(state, why, lost=lost)

    def hosts(self) -> list[str]:
        """The names of all hosts."""
        return [state.name for state in self._roster.all()]

    def view(self, name: str) -> HostView | None:
        """What whoever rents needs to know of a host; None for one that is not used."""
        return self._roster.view(name)

    def holds_nothing(self, name: str) -> bool:
        """Whether a host has no job of ours and no finished work that somebody may yet adopt."""
        state = self._roster.get(name)
        return state is None or (not self._jobs.count(name) and Phase.OUTBOX not in state.phases.values())

    # --- what the caller drives --------------------------------------------------------------------------

    @property
    def held(self) -> int:
        """How many jobs are in flight."""
        return len(self._jobs)

    @property
    def settled(self) -> int:
        """Count the results taken so far, good or bad, and the jobs that failed for good without one."""
        return self._closer.settled

    @property
    def trouble(self) -> str | None:
        """What keeps finished work from being stored, as a sentence; None when nothing does."""
        return self._results.trouble

    @property
    def impatient(self) -> bool:
        """Whether trouble that should pass ends the work after a while, as for `once`."""
        return not self._supervisor.patient

    @impatient.setter
    def impatient(self, value: bool) -> None:
        self._supervisor.patient = not value

    def start_renewing(self) -> None:
        """Renew from now on in a thread."""
        self._renewer.start()

    def start_claiming(self) -> None:
        """Claim from now on in a thread."""
        self._claimer.start()

    def end(self) -> None:
        """Claim nothing more. Returns at once; callable from any thread."""
        self._claimer.end()
        self._next_heartbeat = 0.0  # the registry hears of it in the next pass
        self._parts.wake()

    def stop_claiming(self) -> None:
        """As `end`, and wait until the last claim is over."""
        self._claimer.stop()

    def close(self) -> None:
        """End the threads and give back descriptors. Leases still held run out by themselves."""
        self._claimer.stop()
        self._renewer.stop()
        self._parts.doorbell.close()

    def claim(self, beyond: int = 0) -> int:
        """Claim once for all the room there is; returns how many jobs came. Raises as `Claimer.look`."""
        return self._claimer.look(beyond=beyond)

    def sift(self, most: int) -> bool:
        """Whether a job in line could be spoken by some machine. Raises as `Claimer.sift`."""
        return self._claimer.sift(most)

    def at_hand(self, host: str) -> list[tuple[str, Lease]]:
        """The entries of jobs on a host, each with its lease. Callable from any thread."""
        return [(job.entry, job.lease) for job in self._jobs.on(host)]

    def renew_if_due(self) -> None:
        """Renew every lease whose host vouches, at a third of its time. Raises as `LeaseRenewer.tick`."""
        now = self._clock.monotonic()
        if now >= self._next_renewal:
            self._renewer.tick()
            self._next_renewal = now + self._renewer.every_s

    # --- taking over -------------------------------------------------------------------------------------

    def register(self) -> None:
        """Enter the registry of watchers."""
        self._queue.register_watcher(self._parts.name, self._facts())

    def unregister(self) -> None:
        """Leave the registry."""
        self._queue.remove_watcher(self._parts.name)

    def resume(self, *, hosts_come: bool = False) -> None:
        """Take over what a killed predecessor here held; what lies on hosts yet to come is `adopt`ed."""
        (self._take_over.recover if hosts_come else self._take_over.resume)()

    def adopt(self, term: Term) -> int:
        """Take over running work on our hosts from a leader before us. Raises as `TakeOver.adopt`."""
        return self._take_over.adopt(term)

    def rehome(self, name: str, to: str, entries: Collection[str]) -> None:
        """Jobs on a host whose work lies finished on another go on there. Raises as `TakeOver.rehome`."""
        self._take_over.rehome(name, to, entries)

    # --- a pass ------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Look at every host once; settle, begin, tell. One that does not answer is skipped.

        Raises:
            Unavailable, TryAgain: the queue does not answer, or this process does not lead.
            SpoolUnusable: no host can be used; SpoolFull, one of them, when that may pass.
            BadConfiguration, WorkerGivenUp: as the supervisor says.
        """
        self._claimer.check()
        for state in self._roster.all():  # whatever else is wrong, a worker that ended is started again
            self._parts.alive()
            if state.death is None:  # else that one is judged first, before a new worker moves anything
                state.death = state.host.tend()
        away = self._sign_of_life()
        away = self._let_go() or away
        for state in self._roster.all():
            away = self._look_at(state) or away
        self._publishing.retry()
        self._progress.step()
        if away is not None:
            raise away
        trouble = self._roster.common_trouble()
        if trouble is not None:
            raise trouble

    def _let_go(self) -> Unavailable | None:
        """Let go of what is not ours any more; what keeps the queue from being asked."""
        try:
            self._closer.drop_lost()
            self._closer.drop_homeless()
        except Unavailable as error:
            return error
        return None

    def _look_at(self, state: HostState) -> Unavailable | None:
        """Visit one host; what keeps the queue from being told, so that the other hosts are seen too."""
        self._parts.alive()
        try:
            if not self._renewer.threaded:
                self.renew_if_due()  # a host may take long to answer
            self._visit(state)
            state.trouble = None
        except WorkerGivenUp:
            raise
        except (HostUnreachable, SpoolUnusable) as error:
            if state.trouble is None:
                log.warning("%s cannot be looked at: %s", state.name, error)
            state.trouble = error
        except Unavailable as error:
            return error
        return None

    def wait(self, timeout_s: float) -> None:
        """Wait until there is a reason for the next step, at most `timeout_s` seconds."""
        spools = [state.host.files() for state in self._roster.all() if state.trouble is None]
        self._parts.doorbell.wait(
            spools, min(timeout_s, self._parts.intervals.busy_s) if self.held else timeout_s
        )

    def _visit(self, state: HostState) -> None:
        spool = state.spool()
        phases = spool.entries()  # after a death, so that nothing moves any more
        death, state.death = state.death, None
        state.reached_at, state.phases = self._clock.monotonic(), phases
        for job in self._jobs.on(state.name):
            job.phase = phases.get(job.entry, job.phase)
        self._supervisor.look(state, phases, death)
        self._closer.carry_out()
        self._begin(state, phases)
        before = state.settled
        self._results.look(state, spool, phases)
        if state.settled != before:
            self._supervisor.finished_one(state)
        self._house(state, spool, phases)
        self._strays.clear(state, spool, phases)
        state.note_idle(self._jobs.count(state.name), self._clock.monotonic())
        self._brought.sweep(state)

    def _begin(self, state: HostState, phases: Mapping[str, Phase]) -> None:
        """An attempt begins when a worker takes the job up, not when we lease it."""
        for job in self._jobs.on(state.name):
            waits = phases.get(job.entry, Phase.INBOX) is Phase.INBOX
            if waits or job.begin_told or job.ending is not None:
                continue
            try:
                job.lease = self._queue.begin(job.lease)
            except LeaseLost:
                self._jobs.mark_lost([job.lease])
            else:
                self._closer.note_begin(job, state)

    def _house(self, state: HostState, spool: SpoolClient, phases: Mapping[str, Phase]) -> None:
        """Submit again what somebody removed from the spool. Seen twice: it may just have been moving."""
        since = self._clock.monotonic() - _PLACING_S
        held = {job.entry: job for job in self._jobs.on(state.name) if job.placed_at <= since}
        missing = held.keys() - phases.keys()
        for entry in missing & state.missing:
            job = held[entry]
            if job.ending is None:
                log.warning("%s vanished from its spool, submitting it again", job.request_id)
                self._submit_again(job, state)
        state.missing = set(missing)

    def _submit_again(self, job: InFlightJob, state: HostState) -> None:
        fresh = self._parts.spool_job(job.lease)
        if fresh.entry != job.entry:  # the work of an earlier lease was adopted, and is gone
            self._parts.journal.write(fresh.entry, job.lease, state.name)
            self._closer.forget(job)
            job = InFlightJob(fresh.entry, job.lease, state.name, self._clock.monotonic())
            self._jobs.add(job)
            self._jobs.mark_lost(self._queue.assign([Placement(job.lease, state.name, fresh.entry)]))
        job.began_at, job.begin_told = None, False
        state.voices.clear()  # whoever removed it may have removed them, too
        self._handover.lay(state, job.lease, fresh)

    # --- signs of life -----------------------------------------------------------------------------------

    def _sign_of_life(self) -> Unavailable | None:
        """Say to the registry that we are here, before anything else can fail; what keeps us from it."""
        now = self._clock.monotonic()
        if now < self._next_heartbeat:
            return None
        try:
            self._queue.heartbeat_watcher(self._parts.name, self._facts())
        except Unavailable as error:  # the workers are looked after all the same
            return error
        self._next_heartbeat = now + self._parts.intervals.heartbeat_s
        return None

    def _facts(self) -> dict[str, Any]:
        most, hosts = self._parts.limits.slots, self._roster.all()
        rooms = [state.room() for state in hosts if not state.is_left]
        return {
            **self._parts.about(),
            "hosts": len(rooms),
            "machines": sorted(self._roster.machines()),
            "slots": sum(rooms) if most is None else min(most, sum(rooms)),
            "holding": self.held,
            "draining": self._claimer.has_ended,
            **self._parts.facts(),
            "finished": self.settled,
            "trouble": self._results.trouble or self._parts.store_trouble(),
        }

    # --- endings -----------------------------------------------------------------------------------------

    def withdraw(self, why: str = "drain", host: str | None = None) -> None:
        """Hand back what no worker has begun, on one host or on all. What fails `step` repeats.

        Raises:
            Unavailable: the queue does not answer.
        """
        for job in self._jobs.all() if host is None else self._jobs.on(host):
            state = self._roster.get(job.host)
            if state is None or job.began_at is not None or job.ending is not None:
                continue
            try:
                if state.spool().withdraw(job.entry):
                    job.ending = HandBack(why)
            except (HostUnreachable, SpoolUnusable) as error:
                log.warning("%s was not taken back from %s: %s", job.request_id, job.host, error)
        self._closer.carry_out()

    def hand_back(self, why: str, *, keep_work: bool) -> None:
        """Hand every lease back now. `keep_work` leaves the work where it lies, to be adopted.

        Raises:
            Unavailable: the queue does not answer (never with `keep_work`).
        """
        self._closer.release_all(why, keep_work=keep_work)

    def take_voices_back(self) -> None:
        """Leave no voice on machines that have nothing to do, as far as they answer. Never raises."""
        self._brought.sweep_all(self._roster.all())

    def give_up_unfinished(self, host: str, why: str) -> None:
        """Hand back what lies on a host and is not finished: nobody there goes on with it."""
        for job in self._jobs.on(host):
            if job.phase is not Phase.OUTBOX and job.ending is None:
                self._closer.release(job, HandBack(why))

    def leave_after_error(self) -> None:
        """Hand back what can be; finished audio stays with its lease in the journal. Never raises."""
        self._closer.release_rest()

    def stop_workers(self, grace: float, names: Collection[str] | None = None) -> None:
        """Let workers finish the piece at hand and end, `grace` seconds each at most. Holds up no exit."""
        hosts = [state.host for state in self._roster.all() if names is None or state.name in names]
        stoppers = [threading.Thread(target=host.stop, args=(grace,), daemon=True) for host in hosts]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
