"""Keeps the hosts of a dispatcher and what was seen of each."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib.clock import Clock
from lib.dispatch.heartbeat_monitor import HeartbeatMonitor
from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.errors import JobRunnerError, Unavailable
from lib.fleet.broken_takes import TakeCount, suspects
from lib.jobqueue import JobQueue, Lease
from lib.jobspec import JobSpec
from lib.spool import InvalidSpoolData, Phase, SpoolClient, SpoolUnusable
from lib.workers import WorkerDeath, WorkerHost


@dataclass(slots=True)
class HostState:
    """One host with what was seen of it. Times are monotonic seconds.

    `room` says how many jobs it holds at once. A `replaceable` host belongs to whoever added it, who judges
    it by its `HostView` and takes it away; a host that is not is mended here, or ends the dispatcher.

    Threads: any may read. The loop writes; the claimer sets `trouble`, `idle_since` and `voices`, and whoever
    listens to the heartbeat `reached_at` and the monitor.
    Raises: only `spool`, as it says.
    """

    host: WorkerHost
    room: Callable[[], int]
    replaceable: bool
    reached_at: float
    monitor: HeartbeatMonitor
    serves: Callable[[], bool] | None = None  # of a spool that was left: whether somebody is at work there
    fits: Callable[[str, Lease], bool] | None = None  # of one that knows which lease may take an entry
    phases: Mapping[str, Phase] = field(default_factory=dict)
    death: WorkerDeath | None = None  # of its worker, not judged yet
    trouble: Exception | None = None  # why it could not be looked at last time
    idle_since: float | None = None
    settled: int = 0
    failures: int = 0  # results in a row that were wrong or broken
    takes: TakeCount = field(default_factory=TakeCount)  # what it spoke in results that could be used
    ends: int = 0  # of its workers in a row, without a result between
    accused: bool = False  # two different jobs died on its machine
    failing: str = ""  # why whoever added it should take it away; a reason code
    voices: dict[str, str] = field(default_factory=dict)  # that its machine was brought, with their marks
    voices_swept: bool = False  # nothing was brought there since it was last rid of all of them
    voices_to_sweep: list[str] | None = None  # what it listed, as far as it was not looked at; None: ask it
    voices_lock: threading.Lock = field(default_factory=threading.Lock)  # brought, or taken back
    strays: dict[str, float] = field(default_factory=dict)  # entries of no lease of ours, since when
    missing: set[str] = field(default_factory=set)  # entries of ours that lay nowhere at the last look

    @property
    def name(self) -> str:
        """The host's name."""
        return self.host.name

    @property
    def is_left(self) -> bool:
        """Whether a process that is gone left it: nobody starts a worker there, and it gets no new job."""
        return self.serves is not None

    def note_idle(self, jobs: int, now: float) -> None:
        """Note since when it has had nothing to do; `jobs` are at hand there now."""
        if jobs:
            self.idle_since = None
        elif self.idle_since is None:
            self.idle_since = now

    def finishes(self) -> bool:
        """Whether what a worker there began will come to an end."""
        return self.serves is None or self.serves()

    def spool(self) -> SpoolClient:
        """Its spool.

        Raises:
            HostUnreachable: it does not answer.
        """
        return SpoolClient(self.host.files(), remote=self.host.remote, machine=self.host.machine)


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as whoever rents it needs to see it. Durations are seconds."""

    name: str
    busy: int  # jobs at hand
    idle_for: float | None  # None while it has work
    settled: int
    failures: int
    deaths: int
    silent_for: float  # without a new heartbeat while it owes work; 0 when it owes none
    still_for: float  # without a piece of work done while a job is at hand there; 0 when none is
    oldest_job: JobSpec | None  # of those that were begun
    oldest_job_s: float  # how long it is at hand
    accused: bool
    suspect: bool  # its takes are broken more often than those of the other hosts
    failing: str


class HostRoster:
    """Keeps hosts by name.

    Threads: any; hosts come and go.
    Raises: nothing.
    """

    def __init__(self, jobs: InFlightJobs, clock: Clock, *, silence_s: float) -> None:
        self._jobs, self._clock, self._silence_s = jobs, clock, silence_s
        self._hosts: dict[str, HostState] = {}
        self._lock = threading.Lock()

    def add(
        self,
        host: WorkerHost,
        room: Callable[[], int],
        *,
        replaceable: bool,
        serves: Callable[[], bool] | None = None,
        fits: Callable[[str, Lease], bool] | None = None,
    ) -> HostState:
        """Begin to use a host."""
        now = self._clock.monotonic()
        state = HostState(host, room, replaceable, now, HeartbeatMonitor(now), serves, fits, idle_since=now)
        with self._lock:
            self._hosts[host.name] = state
        return state

    def remove(self, name: str) -> None:
        """Stop using the host."""
        with self._lock:
            self._hosts.pop(name, None)

    def all(self) -> list[HostState]:
        """A copy, in the order they came."""
        with self._lock:
            return list(self._hosts.values())

    def get(self, name: str) -> HostState | None:
        """The host of that name."""
        with self._lock:
            return self._hosts.get(name)

    def machines(self) -> set[str]:
        """The machines of all hosts."""
        return {state.host.machine for state in self.all() if state.host.machine}

    def machines_to_try(self, queue: JobQueue, name: str) -> int:
        """How many machines a job could be given to: ours, and those of live watchers but `name`, us."""
        found = self.machines()
        with contextlib.suppress(Unavailable):
            for watcher in queue.watchers():
                if watcher.live and watcher.name != name:
                    found.update(map(str, watcher.data.get("machines", ())))
        return len(found)

    def in_trouble(self, name: str) -> bool:
        """Whether a host did not answer, or could not be used, when it was looked at last."""
        state = self.get(name)
        return state is None or state.trouble is not None

    def listen(self, name: str) -> None:
        """Read a host's heartbeat; one that cannot be read is no sign of life."""
        state = self.get(name)
        if state is None:
            return
        with contextlib.suppress(InvalidSpoolData, SpoolUnusable, Unavailable):
            beat = state.spool().heartbeat()
            now = self._clock.monotonic()
            state.reached_at = now
            state.monitor.see(beat, now)

    def vouches(self, job: InFlightJob) -> bool:
        """Whether the job's host was heard of within the limit: only then its lease is renewed.

        What lies finished in an outbox needs no worker, only a machine that answers. A job that was just
        handed over, or a host that was just found, gets the limit's time to be heard of.
        """
        state = self.get(job.host)
        if state is None:
            return False
        now = self._clock.monotonic()
        heard = state.monitor.heard_at()
        if job.phase is Phase.OUTBOX:
            heard = max(heard, state.reached_at)
        return now - max(heard, job.placed_at) <= self._silence_s

    def rooms(self) -> dict[str, int]:
        """How many jobs each host may be given now, in the order the hosts came; those with room only.

        One that cannot be looked at, is failing, or is silent though it owes work gets none. One that is
        accused of ending workers gets a single job at a time, until it has finished one.
        """
        now = self._clock.monotonic()
        found = {}
        for state in self.all():
            held = self._jobs.count(state.name)
            silent = held > 0 and state.monitor.silent_for(now) > self._silence_s
            if state.trouble is not None or state.failing or silent:
                continue
            free = (min(1, state.room()) if state.accused else state.room()) - held
            if free > 0:
                found[state.name] = free
        return found

    def view(self, name: str) -> HostView | None:
        """The host as whoever added it sees it; None for one that is not here."""
        state = self.get(name)
        if state is None:
            return None
        now = self._clock.monotonic()
        jobs = self._jobs.on(name)
        owed = any(job.phase is not Phase.OUTBOX for job in jobs)
        begun = [job for job in jobs if job.began_at is not None and job.phase is not Phase.OUTBOX]
        first = min((job.began_at for job in begun if job.began_at is not None), default=now)
        counted = [(counts, job.lease.spec) for job in begun if (counts := job.counts_from) is not None]
        since, oldest = min(counted, key=lambda pair: pair[0], default=(now, None))
        return HostView(
            name=name,
            busy=len(jobs),
            idle_for=None if state.idle_since is None else now - state.idle_since,
            settled=state.settled,
            failures=state.failures,
            deaths=state.ends,
            silent_for=state.monitor.silent_for(now) if owed else 0.0,
            still_for=min(state.monitor.still_for(now), now - first),
            oldest_job=oldest,
            oldest_job_s=now - since,
            accused=state.accused,
            suspect=name in suspects({each.name: each.takes for each in self.all()}),
            failing=state.failing,
        )

    def common_trouble(self) -> JobRunnerError | None:
        """What keeps every host from being looked at, where all are ours to mend; None when one works."""
        states = self.all()
        troubles = [state.trouble for state in states if not state.replaceable]
        if not states or len(troubles) < len(states):
            return None
        real = [trouble for trouble in troubles if isinstance(trouble, JobRunnerError)]
        return real[0] if len(real) == len(states) else None
