"""A watcher over rented machines: one leads, rents and gives back; the others stand by."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from job_watcher.leader_and_standby import LeadersLock
from job_watcher.liveness import Pulse
from job_watcher.providers.rented.rental_events import EventTeller
from job_watcher.provisioning.ports import HASTE_S, LOOK_S, STARTING_S
from job_watcher.provisioning.reconcile import Reconciler
from lib.clock import Clock
from lib.dispatch import DispatchIntervals, DispatchLimits
from lib.dispatch.doorbell import Doorbell
from lib.errors import BadConfiguration, JobRunnerError, TryAgain, Unavailable
from lib.events import EventSink
from lib.events.watchers import WatcherDraining, WatcherStandsBy, WatcherStopped
from lib.jobqueue import JobQueue, Term
from lib.machines.port import Ledger

log = logging.getLogger(__name__)

_LEAVING_S: Final = 60.0


class RentingNews:
    """What calls for a pass before its time: a machine is ready, or cannot be used.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._come = threading.Event()
        self._bell: Doorbell | None = None

    def ring_at(self, bell: Doorbell) -> None:
        """Wake whoever waits there."""
        self._bell = bell

    def tell(self) -> None:
        """Something is new."""
        self._come.set()
        if (bell := self._bell) is not None:
            bell.wake()

    def take(self) -> bool:
        """Whether something was new; from now on it is not."""
        come = self._come.is_set()
        self._come.clear()
        return come


@dataclass(frozen=True, slots=True)
class RentingParts:
    """What a renting watcher works with.

    `registry` is a queue of which only the registry and the snapshot are used, `about` what a stand-by says
    there. `led` hears of each term. `trouble` is what keeps us from using any machine at all. While
    `is_any_starting`, passes come sooner. `check` asks the account, before this process leads first, whether
    anything could be rented at all.
    """

    name: str
    registry: JobQueue
    ledger: Ledger
    leadership: LeadersLock
    clock: Clock
    limits: DispatchLimits
    intervals: DispatchIntervals
    events: EventSink
    teller: EventTeller
    pulse: Pulse
    news: RentingNews
    about: Mapping[str, Any]
    led: Callable[[Term | None], None]
    trouble: Callable[[], BadConfiguration | None]
    is_any_starting: Callable[[], bool]
    check: Callable[[], None]


class RentingWatcher:
    """`Runs` over rented machines. `make` makes the loop, told whether it is for one pass only (`once`).

    Threads: one; `drain` any.
    Raises: as each method says.
    """

    def __init__(self, parts: RentingParts, make: Callable[[bool], Reconciler]) -> None:
        self._parts, self._make = parts, make
        self._loop: Reconciler | None = None
        self._draining, self._releasing = threading.Event(), threading.Event()
        self._due = 0.0
        self._haste = 0.0
        self._known_jobs = 0
        self._next_look = 0.0
        self._stands_by = False
        self._epoch: int | None = None

    def held(self) -> int:
        """How many jobs are at hand. Any thread."""
        loop = self._loop
        return 0 if loop is None else loop.held

    def epoch(self) -> int | None:
        """The epoch in which this watcher leads; None while it does not. Any thread."""
        loop = self._loop
        return None if loop is None else loop.epoch

    def drain(self) -> None:
        """Claim and rent nothing more; end when the work at hand is done. A second call hands it over now."""
        if self._draining.is_set():
            self._releasing.set()
        self._draining.set()
        self._parts.news.tell()

    def run(self) -> None:
        """Stand by or lead until drained.

        Raises:
            BadConfiguration: no machine could ever be used with what is here; what was rented is given back.
        """
        with self._working(once=False) as loop:
            while not self._draining.is_set():
                self._turn(loop)
            self._hand_over(loop)

    def run_once(self) -> int:
        """Rent, work until nothing waits and nothing is held, give everything back; returns jobs settled.

        Raises:
            TryAgain: another watcher leads, or a cap or the account's credit allows no machine now.
            Unavailable: the company offers none that fits, or does not answer.
        """
        with self._working(once=True) as loop:
            self._turn(loop)
            if not loop.leading:
                raise TryAgain(
                    "Another watcher rents for this queue and its work goes on; see: job-watcher status"
                )
            while not self._draining.is_set() and not self._is_done(loop):
                self._turn(loop)
            if self._draining.is_set():
                self._hand_over(loop)
            return loop.settled

    # --- turns -------------------------------------------------------------------------------------------

    def _turn(self, loop: Reconciler) -> None:
        """One pass when it is due or called for, else what needs no provider; then a wait."""
        parts = self._parts
        parts.pulse.beat(f"leading, {loop.held} jobs at hand" if loop.leading else "standing by")
        if self._is_due(loop):
            pause = loop.step()
            now = parts.clock.monotonic()
            self._due = now + (min(pause, STARTING_S) if parts.is_any_starting() else pause)
            self._haste = now + HASTE_S
            self._note_role(loop)
        elif loop.leading:
            busy = loop.held > 0
            loop.go_on()
            if busy and not loop.held:  # a machine may have nothing left to do
                parts.news.tell()
        if (trouble := parts.trouble()) is not None:
            loop.drain()  # nothing more is rented, and what is there goes back first
            if not loop.leading or not parts.ledger.open_rows():
                raise trouble
        left = max(0.0, self._due - parts.clock.monotonic())
        loop.wait(min(left, LOOK_S))

    def _is_due(self, loop: Reconciler) -> bool:
        now = self._parts.clock.monotonic()
        if now >= self._due:
            self._parts.news.take()
            return True
        if not loop.leading or now < self._haste:
            return False
        return self._parts.news.take() or self._more_jobs(loop, now)

    def _more_jobs(self, loop: Reconciler, now: float) -> bool:
        """Whether jobs have come since the last look, while there is no machine that would take them."""
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_S
        try:
            if (
                self._parts.ledger.open_rows()
            ):  # a producer that goes on and on must not cost a list each time
                return False
            shot = self._parts.registry.snapshot()
        except Unavailable:
            return False
        jobs = shot.waiting + shot.pending
        more, self._known_jobs = jobs > self._known_jobs, jobs
        return more

    def _note_role(self, loop: Reconciler) -> None:
        """Tell the registry, the service manager and the folder whether this process leads."""
        parts, epoch = self._parts, loop.epoch
        if epoch != self._epoch:
            self._epoch = epoch
            parts.led(None if epoch is None else parts.leadership.term())
        if loop.leading:
            self._stands_by = False
            parts.pulse.ready()
            return
        with contextlib.suppress(Unavailable):
            if not self._stands_by:
                parts.registry.register_watcher(parts.name, parts.about)
                parts.events.emit(WatcherStandsBy())
                self._stands_by = True
                parts.pulse.ready()
            parts.registry.heartbeat_watcher(parts.name, parts.about)

    def _is_done(self, loop: Reconciler) -> bool:
        """Whether `once` has nothing left: no job, no machine that is paid for."""
        parts = self._parts
        shot = parts.registry.snapshot()
        jobs = shot.waiting + shot.pending
        rows = parts.ledger.open_rows()
        if jobs and not rows and parts.teller.refused is not None:
            kind, reason = parts.teller.refused
            told = f"Nothing is rented, and {jobs} job{'s wait' if jobs > 1 else ' waits'}: {reason}."
            raise Unavailable(told) if kind == "no_offer" else TryAgain(told)
        return not jobs and not rows and not loop.held

    # --- endings -----------------------------------------------------------------------------------------

    def _hand_over(self, loop: Reconciler) -> None:
        """Finish what was begun within the limit; machines and what remains are left for the next leader."""
        parts, limit_s = self._parts, self._parts.limits.drain_s
        loop.drain()
        parts.pulse.stopping(limit_s + _LEAVING_S)
        parts.events.emit(WatcherDraining(jobs=loop.held, limit_seconds=limit_s))
        deadline = parts.clock.monotonic() + limit_s
        loop.withdraw()
        while loop.held and not self._releasing.is_set() and parts.clock.monotonic() < deadline:
            self._turn(loop)

    def _check(self, *, once: bool) -> None:
        """Let a person know at the start what only a person can mend. What passes ends only `once`."""
        try:
            self._parts.check()
        except Unavailable as error:
            if once:
                raise
            log.warning("the account cannot be asked, trying again later: %s", error.message)

    @contextlib.contextmanager
    def _working(self, *, once: bool) -> Iterator[Reconciler]:
        """However it ends: leases and lock are given back, so that a stand-by leads at once."""
        parts = self._parts
        self._check(once=once)
        loop = self._loop = self._make(once)
        parts.leadership.start()
        try:
            yield loop
        finally:
            parts.leadership.stop()
            try:
                loop.leave()
                parts.registry.remove_watcher(parts.name)
                parts.led(None)
            except JobRunnerError as error:
                log.warning("left without saying so: %s", error)
            parts.events.emit(WatcherStopped())
