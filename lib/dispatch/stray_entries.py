"""Adopts or removes stray entries: work in the hosts' spools that no lease of ours stands for."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping

from lib.clock import Clock
from lib.dispatch.hosts import HostRoster, HostState
from lib.dispatch.inflight import InFlightJobs
from lib.dispatch.limits_and_intervals import DispatchParts
from lib.errors import Unavailable
from lib.jobqueue import Lease
from lib.spool import InvalidSpoolData, Phase, SpoolClient, SpoolUnusable, digest_of, job_digest

log = logging.getLogger(__name__)

#: Of an entry. It comes back only where nothing of it was spoken.
_WAY = (Phase.INBOX, Phase.WORK, Phase.OUTBOX)
_MOST_DROPPED = 1000  # names that are kept; then those that lie nowhere any more are forgotten


class Strays:
    """Finds the work that an earlier lease left, so that nothing is spoken twice. The queue's fence decides.

    An entry is adopted only where the fingerprint of its work is the lease's: a job of the same id may have
    been enqueued anew with another text. `keep_s` is how long work waits for a lease to come: after that
    nobody can hold it any more.

    Threads: `adopt` is the claiming thread's, or the loop's where none was started; the others the loop's.

    Raises, only from `clear`:
        HostUnreachable, SpoolUnusable: the host does not answer, or its spool cannot be used.
    """

    def __init__(
        self, parts: DispatchParts, roster: HostRoster, jobs: InFlightJobs, *, keep_s: float
    ) -> None:
        self._parts, self._roster, self._jobs = parts, roster, jobs
        self._clock: Clock = parts.clock
        self._keep_s = keep_s
        self._dropped: set[str] = set()

    def adopt(self, lease: Lease) -> tuple[HostState, str] | None:
        """The host and the entry where this lease's work lies already; None where it lies nowhere."""
        digest = job_digest(lease.request_id)
        for state in self._roster.all():
            for entry, phase in state.phases.items():
                if digest_of(entry) != digest or entry in self._dropped or self._jobs.get(entry):
                    continue
                if state.fits is not None and not state.fits(entry, lease):
                    continue
                # Of a worker that is gone only what it finished counts, be it since it was looked at.
                since = phase if state.finishes() else Phase.OUTBOX
                if self._is_of(state, entry, since, lease):
                    return state, entry
        return None

    def _is_of(self, state: HostState, entry: str, phase: Phase, lease: Lease) -> bool:
        found = _fingerprint(state.spool(), entry, phase)
        if found is None:
            return False
        if found == self._parts.fingerprint(lease):
            return True
        log.info("what lies of %s on %s is other work, it is dropped", lease.request_id, state.name)
        self._dropped.add(entry)
        return False

    def drop(self, entry: str) -> None:
        """Let nobody adopt this entry: its job is over, or its work is wanted no more."""
        if len(self._dropped) >= _MOST_DROPPED:
            lying = {entry for state in self._roster.all() for entry in state.phases}
            self._dropped &= lying
        self._dropped.add(entry)

    def clear(self, state: HostState, spool: SpoolClient, phases: Mapping[str, Phase]) -> None:
        """Remove entries of no lease: dropped ones and those nobody began at once, others in time."""
        now = self._clock.monotonic()
        for entry, phase in phases.items():
            job = self._jobs.get(entry)
            if job is not None and job.host == state.name:
                state.strays.pop(entry, None)
                continue
            if job is not None:  # an answer was lost, and the same lease went to another host
                remove(spool, entry, phase)
                continue
            since = state.strays.setdefault(entry, now)
            unbegun = phase is Phase.INBOX and not state.replaceable  # else it may be another leader's
            kept = state.fits is not None or now - since < self._keep_s  # or whose host itself sees to it
            if entry in self._dropped or not kept:
                remove(spool, entry, phase)
            elif unbegun:
                spool.withdraw(entry)  # a worker that was quicker may finish it
        for entry in [entry for entry in state.strays if entry not in phases]:
            del state.strays[entry]
            self._dropped.discard(entry)


def _fingerprint(spool: SpoolClient, entry: str, seen_in: Phase) -> str | None:
    """Which work an entry is, None where nobody can say. Its worker may have gone on since it was seen."""
    for phase in _WAY[_WAY.index(seen_in) :]:
        try:
            return spool.fingerprint(entry, phase)
        except InvalidSpoolData:
            continue
        except (SpoolUnusable, Unavailable):
            return None
    return None


def remove(spool: SpoolClient, entry: str, phase: Phase | None) -> None:
    """Let the worker drop the entry, wherever it lies; the remains of one at hand come out later."""
    with contextlib.suppress(InvalidSpoolData):
        if phase is Phase.OUTBOX:
            spool.acknowledge(entry)
        elif phase is not None and not spool.withdraw(entry):
            spool.cancel(entry)
