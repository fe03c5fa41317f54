"""Tells the queue how far the workers are with the jobs at hand."""

from __future__ import annotations

from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.parts import DispatchParts
from lib.jobqueue import LeaseLost


class ProgressReporter:
    """Passes on the pieces that heartbeats tell, now and then and only what is new.

    Threads: the loop's.
    Raises: Unavailable where the queue is asked.
    """

    def __init__(self, parts: DispatchParts, roster: HostRoster, jobs: InFlightJobs) -> None:
        self._parts, self._roster, self._jobs = parts, roster, jobs
        self._next = 0.0
        self._told: dict[str, int] = {}

    def step(self) -> None:
        """Tell what is new of every host, if the interval is over."""
        now = self._parts.clock.monotonic()
        if now >= self._next:
            self._next = now + self._parts.intervals.progress_s
            for state in self._roster.all():
                self._pass_on(state)

    def _pass_on(self, state: HostState) -> None:
        beat = state.monitor.beat
        if beat is None or not beat.pieces or not beat.entries:
            return
        entry = beat.entries[0]
        job = self._jobs.get(entry)
        if job is None or job.host != state.name or self._told.get(entry) == beat.pieces_done:
            return
        self._told = {told: done for told, done in self._told.items() if self._jobs.get(told)}
        self._told[entry] = beat.pieces_done
        try:
            self._parts.queue.progress(job.lease, {"pieces_done": beat.pieces_done, "pieces": beat.pieces})
        except LeaseLost:
            self._jobs.mark_lost([job.lease])
