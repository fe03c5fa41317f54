"""Starts and watches workers, and decides whether a job or the machine is to blame for a death."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lib.dispatch.blame import MachineDeaths
from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import HandBack, InFlightJob, InFlightJobs
from lib.dispatch.lease_closer import LeaseCloser
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.jobqueue import ErrorClass, Failure
from lib.spool import Phase
from lib.workers import WorkerDeath

log = logging.getLogger(__name__)

_TIMEOUT_GRACE_S = 10.0  # after its `timeout_s` that a job's worker gets to end it by itself
_SAME_TROUBLE_S = 120.0  # two refusals further apart than this are two troubles
_UNSEEN = WorkerDeath(-9, "it was started anew", ())


class WorkerGivenUp(Unavailable):
    """The speech worker keeps ending before it finishes anything."""


class WorkerSupervisor:
    """Keeps workers going and decides what their ends mean for the jobs they had.

    `patient`: wait for as long as it takes when a worker says that it cannot work now (a full disk).

    Threads: the loop's only.
    Raises: only `look`, as it says.
    """

    def __init__(
        self, parts: DispatchParts, roster: HostRoster, jobs: InFlightJobs, closer: LeaseCloser
    ) -> None:
        self._parts, self._roster, self._jobs, self._closer = parts, roster, jobs, closer
        self._clock, self._limits = parts.clock, parts.limits
        self._deaths: dict[str, MachineDeaths] = defaultdict(MachineDeaths)
        self._settled_then = 0
        self._refused_since = self._refused_last = float("-inf")
        self._next_listen: dict[str, float] = {}
        self._excuses: list[tuple[str, str]] = []  # owed to the queue: a job, a machine
        self.patient = True

    def look(self, state: HostState, phases: Mapping[str, Phase], death: WorkerDeath | None) -> None:
        """Judge a death, or the lack of any sign of life.

        Raises:
            BadConfiguration: the worker says that it cannot run here.
            WorkerGivenUp: it ended too often in a row without finishing anything.
            Unavailable, TryAgain: the queue does not answer, or this process does not lead.
        """
        now = self._clock.monotonic()
        if death is not None or now >= self._next_listen.get(state.name, 0.0):
            self._next_listen[state.name] = now + self._parts.intervals.listen_s
            self._roster.listen(state.name)
        if death is not None:
            self._bury(state, phases, death, now)
            return
        self._excuse()
        followed = state.monitor.unseen_end()
        if followed:
            self._judge(state, _UNSEEN, [entry for entry in followed if phases.get(entry) is Phase.WORK])
            self._count_end(state, _UNSEEN.sentence, "")
        self._look_for_standstill(state, phases, now)

    def finished_one(self, state: HostState) -> None:
        """The host's machine finished a job."""
        self._deaths[state.host.machine].finished_one()

    # --- deaths ------------------------------------------------------------------------------------------

    def _bury(self, state: HostState, phases: Mapping[str, Phase], death: WorkerDeath, now: float) -> None:
        """The worker ended. Only what it had at hand can be to blame, and only if it may have done it."""
        at_hand = state.monitor.at_hand(phases) if death.blames_the_job else ()
        state.monitor.bury(now)
        if death.status == ExitStatus.TRY_AGAIN and not state.replaceable:  # else others have room meanwhile
            self._wait_for_better_times(death.last_line, now)
            return
        _tell_of(death, state.name)
        if death.status == ExitStatus.BAD_CONFIGURATION:
            if not state.replaceable:
                raise BadConfiguration(f"The speech worker cannot run here: {death.last_line}")
            state.failing = "bad_configuration"
        self._judge(state, death, at_hand)
        self._count_end(state, death.sentence, death.last_line)
        self._excuse()

    def _judge(self, state: HostState, death: WorkerDeath, at_hand: Sequence[str]) -> None:
        here = [job for entry in at_hand if (job := self._jobs.get(entry)) and job.host == state.name]
        jobs = {job.request_id: job for job in here}
        open_jobs = [name for name, job in jobs.items() if job.ending is None]
        if not open_jobs:
            return
        machine = state.host.machine
        to_try = self._roster.machines_to_try(self._parts.queue, self._parts.name)
        verdict = self._deaths[machine].judge(open_jobs, machines=to_try, accused=state.accused)
        if verdict.accused:
            self._accuse(machine)
        self._excuses += [(name, machine) for name in verdict.excused]
        message = f"The speech worker died ({death.sentence}) while it worked on this job."
        evidence = {"worker": death.sentence, "log": list(death.log_tail)}
        if verdict.charged is not None:
            jobs[verdict.charged].ending = Failure(
                ErrorClass.POISON, message, evidence, host=machine, hosts=to_try
            )
        if verdict.lost is not None:
            jobs[verdict.lost].ending = Failure(ErrorClass.LOST_MACHINE, message, evidence, host=machine)
        for name in verdict.singly:
            jobs[name].ending = HandBack(f"its batch ended the worker ({death.sentence})", alone=True)

    def _excuse(self) -> None:
        """Tell the queue who is not to blame. What it does not hear now it hears next time."""
        while self._excuses:
            name, machine = self._excuses[0]
            if self._parts.queue.excuse(name, machine):
                log.info("%s is not to blame for the end of a worker on %s", name, machine)
            del self._excuses[0]

    def _accuse(self, machine: str) -> None:
        for state in self._roster.all():
            if state.host.machine == machine and not state.accused:
                state.accused = True
                log.error("two different jobs ended workers on %s: the machine is suspected", machine)

    def _wait_for_better_times(self, last: str, now: float) -> None:
        log.warning("the worker cannot work now, it is started again soon: %s", last)
        if now - self._refused_last > _SAME_TROUBLE_S:
            self._refused_since = now
        self._refused_last = now
        waited = now - self._refused_since
        if not self.patient and waited > self._limits.give_up_s:
            raise WorkerGivenUp(f"The speech worker could not work for {waited:.0f} s. Its last line: {last}")

    def _count_end(self, state: HostState, sentence: str, last: str) -> None:
        if self._closer.settled != self._settled_then:
            self._settled_then = self._closer.settled
            for each in self._roster.all():
                each.ends = 0
        state.ends += 1
        if state.ends < self._limits.deaths:
            return
        if state.replaceable:
            state.failing = "worker_ends"
            return
        raise WorkerGivenUp(
            f"The speech worker ended {state.ends} times in a row ({sentence}) and finished nothing "
            f"between. Its last line: {last}"
        )

    # --- standstill --------------------------------------------------------------------------------------

    def _look_for_standstill(self, state: HostState, phases: Mapping[str, Phase], now: float) -> None:
        if state.is_left:
            self._leave_alone(state, now)
            return
        jobs = self._jobs.on(state.name)
        silent = state.monitor.silent_for(now)
        owed = [job for job in jobs if phases.get(job.entry) in (Phase.INBOX, Phase.WORK)]
        if owed and silent > self._limits.silence_s:
            self._replace(state, phases, silent, now)
        loading = state.monitor.loads_for()
        for job in jobs:
            if job.entry in loading:
                job.note_loading(now)
        for job in _overdue(jobs, phases, now):
            self._stop_overdue(state, job, now)

    def _leave_alone(self, state: HostState, now: float) -> None:
        """A worker that nobody started here and that stands still: its jobs go elsewhere."""
        if state.monitor.silent_for(now) > self._limits.silence_s:
            for job in self._jobs.on(state.name):
                if job.phase is not Phase.OUTBOX and job.ending is None:
                    job.ending = HandBack("the worker that was left with it stands still")

    def _replace(self, state: HostState, phases: Mapping[str, Phase], silent: float, now: float) -> None:
        """A worker that stands still: a new one is started, or the host is given back by whoever added it."""
        if state.replaceable:
            state.failing = state.failing or "wedged"
            return
        log.error("the worker of %s has given no sign of life for %.0f s", state.name, silent)
        message = f"The speech worker stood still for {silent:.0f} s while it worked on this job."
        for entry in state.monitor.at_hand(phases):
            job = self._jobs.get(entry)
            if job is not None and job.host == state.name and job.ending is None:
                job.ending = Failure(ErrorClass.LOST_MACHINE, message, host=state.host.machine)
        self._restart(state, now)
        self._count_end(state, f"no sign of life for {silent:.0f} s", "")

    def _stop_overdue(self, state: HostState, job: InFlightJob, now: float) -> None:
        """The worker itself ends a job over its `timeout_s`; one that hangs is replaced."""
        limit = job.lease.spec.timeout_s
        log.warning("%s ran over its timeout_s of %s, stopping it", job.request_id, limit)
        message = f"The job ran over its timeout_s of {limit} s and its worker hung."
        evidence = {"worker_class": "timeout"}
        job.ending = Failure(ErrorClass.TRANSIENT, message, evidence, host=state.host.machine)
        job.began_at = None
        if state.replaceable:
            state.failing = state.failing or "wedged"
        else:
            self._restart(state, now)

    def _restart(self, state: HostState, now: float) -> None:
        state.host.restart()
        state.monitor.bury(now)


def _overdue(jobs: Iterable[InFlightJob], phases: Mapping[str, Phase], now: float) -> list[InFlightJob]:
    """Jobs that run so far over their `timeout_s` that their worker must hang."""
    late = []
    for job in jobs:
        limit = job.lease.spec.timeout_s
        since = job.counts_from
        if limit is None or since is None or phases.get(job.entry) is Phase.OUTBOX:
            continue
        if now - since > limit + _TIMEOUT_GRACE_S:
            late.append(job)
    return late


def _tell_of(death: WorkerDeath, name: str) -> None:
    """One line: an error with the worker's last words, or a warning of what only happened to it."""
    if death.with_its_machine:  # its last words are of its start, and have nothing to do with the end
        log.warning("the worker of %s is gone: %s; another is started", name, death.sentence)
        return
    said = f": {' | '.join(death.log_tail[-3:])}" if death.log_tail else ""
    log.error("the worker of %s ended (%s)%s", name, death.sentence, said)
