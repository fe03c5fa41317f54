"""Tells the queue how far the workers are with the jobs at hand, and has what they did of long texts kept."""

from __future__ import annotations

import contextlib
from typing import Final

from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.jobqueue import LeaseLost
from lib.spool import Heartbeat, HostUnreachable, SpoolUnusable

_SWEEP_EVERY_S: Final = 3600.0
_FETCH_S: Final = 60.0  # that pieces may take, on a line that is hardly worth waiting for


class ProgressReporter:
    """Passes on the pieces that heartbeats tell, now and then and only what is new.

    Threads: the loop's.
    Raises: Unavailable where the queue is asked.
    """

    def __init__(self, parts: DispatchParts, roster: HostRoster, jobs: InFlightJobs) -> None:
        self._parts, self._roster, self._jobs = parts, roster, jobs
        self._next = self._next_sweep = 0.0
        self._told: dict[str, int] = {}
        self._fetched: dict[str, tuple[tuple[str, ...], int]] = {}  # by host: when all that was done lay here

    def step(self) -> None:
        """Tell what is new of every host, if the interval is over."""
        now = self._parts.clock.monotonic()
        if now >= self._next:
            self._next = now + self._parts.intervals.progress_s
            for state in self._roster.all():
                self._pass_on(state)
        if self._parts.pieces is not None and now >= self._next_sweep:  # a watcher may run for months
            self._next_sweep = now + _SWEEP_EVERY_S
            self._parts.pieces.sweep()

    def _pass_on(self, state: HostState) -> None:
        beat = state.monitor.beat
        if beat is None or not beat.pieces or not beat.entries:
            return
        entry = beat.entries[0]
        self._fetch_pieces(state, beat)
        job = self._jobs.get(entry)
        if job is None or job.host != state.name or self._told.get(entry) == beat.pieces_done:
            return
        self._told = {told: done for told, done in self._told.items() if self._jobs.get(told)}
        self._told[entry] = beat.pieces_done
        try:
            self._parts.queue.progress(job.lease, {"pieces_done": beat.pieces_done, "pieces": beat.pieces})
        except LeaseLost:
            self._jobs.mark_lost([job.lease])

    def _fetch_pieces(self, state: HostState, beat: Heartbeat) -> None:
        """Have here what a machine that may go at any moment spoke of long texts."""
        carried, now = self._parts.pieces, (beat.entries, beat.pieces_done)
        if carried is None or not state.host.remote or state.trouble is not None:
            return
        if self._fetched.get(state.name) == now:
            return
        jobs = [
            job for job in map(self._jobs.get, beat.entries) if job is not None and job.host == state.name
        ]
        more = False
        for job in jobs:
            if job.lease.spec.chunk:
                self._parts.alive(_FETCH_S)
                with contextlib.suppress(HostUnreachable, SpoolUnusable):  # the host's next look says so
                    more = carried.fetch(state.spool(), job.lease) or more
        if not more:
            self._fetched[state.name] = now
