"""Runs a watcher over workers of this machine: works, waits trouble out, hands back and ends."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from job_watcher.liveness import Pulse
from lib.clock import Clock
from lib.dispatch import Dispatcher, DispatchIntervals, DispatchLimits, LeftSpools, WorkerGivenUp
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.events import EventSink, LogSink
from lib.events.watchers import WatcherDraining, WatcherStarted, WatcherStopped, WatcherTrouble
from lib.spool import HostUnreachable, SpoolFull

log = logging.getLogger(__name__)

_WORKER_GRACE_S = 10.0
_LEAVING_S = 60.0  # after the drain: workers end, leases go back, the registry is left


class Watcher:
    """One process that gets the jobs of a queue done. Made once.

    Threads: one; `drain` any.
    Raises: as each method says.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        left: LeftSpools,
        clock: Clock,
        limits: DispatchLimits,
        intervals: DispatchIntervals,
        *,
        events: EventSink | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._dispatcher, self._left, self._clock = dispatcher, left, clock
        self._limits, self._intervals = limits, intervals
        self._events, self._pulse = events or LogSink(), pulse or Pulse(clock)
        self._draining = threading.Event()
        self._releasing = threading.Event()
        self._trouble_since: float | None = None
        self._pause_s = intervals.pause_s

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done. The second call hands it back now.

        Callable from any thread.
        """
        if self._draining.is_set():
            self._releasing.set()
        self._draining.set()
        self._dispatcher.end()

    def run(self) -> None:
        """Work until drained.

        Raises:
            Unavailable: Redis stayed away for five minutes, or the worker keeps ending.
            BadConfiguration: the worker cannot run here at all.
        """
        with self._leaving():
            self._begin()
            self._dispatcher.start_claiming()
            self._pulse.ready()
            self._events.emit(WatcherStarted())
            while not self._draining.is_set():
                self._try(lambda: self._step(self._intervals.heartbeat_s), self._draining)
            self._finish_within(self._limits.drain_s)

    def run_once(self) -> int:
        """Work until nothing is waiting and nothing is held; returns how many jobs were settled.

        Raises:
            Unavailable, BadConfiguration: as `run`, and for a disk that stays full for five minutes.
        """
        self._dispatcher.impatient = True
        with self._leaving():
            self._begin()
            busy = True
            while busy and not self._draining.is_set():
                busy = self._try(self._once, self._draining)
            self._finish_within(self._limits.drain_s)
        return self._dispatcher.settled

    def _begin(self) -> None:
        """Take over what was left, and see it before anything is claimed."""
        self._dispatcher.register()
        self._dispatcher.resume()
        self._dispatcher.start_renewing()
        while self._try(self._look_once, self._draining) and not self._draining.is_set():
            pass

    def _look_once(self) -> bool:
        self._dispatcher.step()
        return False

    def _once(self) -> bool:
        """One pass of `run_once`; whether there is more to do."""
        self._step(0.0)
        self._dispatcher.claim()
        if self._dispatcher.held:
            self._dispatcher.wait(self._intervals.busy_s)
        return self._dispatcher.held > 0

    def _step(self, wait_s: float) -> None:
        self._dispatcher.step()
        self._left.look()
        if wait_s:
            self._dispatcher.wait(wait_s)

    # --- trouble and endings -----------------------------------------------------------------------------

    def _try(self, act: Callable[[], bool | None], hurry: threading.Event) -> bool:
        """Do one pass, or wait out why it cannot be done; ends early when `hurry` is set.

        Returns what `act` does; True when it could not say.
        """
        self._pulse.beat(f"{self._dispatcher.held} jobs at hand, {self._dispatcher.settled} finished")
        try:
            more = act()
        except WorkerGivenUp:
            raise
        except (Unavailable, TryAgain, SpoolFull) as error:
            self._wait_out(error, hurry)
            return True
        self._trouble_since, self._pause_s = None, self._intervals.pause_s
        return bool(more)

    def _wait_out(self, error: JobRunnerError, hurry: threading.Event) -> None:
        now = self._clock.monotonic()
        if self._trouble_since is None:
            self._trouble_since = now
        away = isinstance(error, Unavailable) and not isinstance(
            error, HostUnreachable
        )  # a host may come back
        ends_us = away or self._dispatcher.impatient
        if ends_us and now - self._trouble_since > self._limits.give_up_s:
            raise error
        self._events.emit(WatcherTrouble(reason=error.message, pause_seconds=self._pause_s))
        hurry.wait(self._pause_s)
        if isinstance(error, SpoolFull):
            self._pause_s = min(self._pause_s * 2, self._intervals.longest_pause_s)

    def _finish_within(self, limit_s: float) -> None:
        """Hand back what has not begun, finish the rest within `limit_s`, hand back what remains."""
        self._pulse.stopping(limit_s + _LEAVING_S)
        self._dispatcher.stop_claiming()
        deadline = self._clock.monotonic() + limit_s
        self._events.emit(WatcherDraining(jobs=self._dispatcher.held, limit_seconds=limit_s))
        self._try(self._dispatcher.withdraw, self._releasing)
        while self._dispatcher.held and not self._releasing.is_set():
            if self._clock.monotonic() >= deadline:
                break
            self._try(lambda: self._step(self._intervals.busy_s), self._releasing)
        self._dispatcher.hand_back("drain limit", keep_work=False)

    @contextlib.contextmanager
    def _leaving(self) -> Iterator[None]:
        """However it ends: the workers stop, and no lease is left to run out that could be handed back."""
        try:
            yield
        finally:
            self._dispatcher.stop_claiming()
            self._dispatcher.stop_workers(_WORKER_GRACE_S)
            self._dispatcher.leave_after_error()
            try:
                self._dispatcher.unregister()
            except JobRunnerError as error:
                log.warning("left without saying so: %s", error)
            self._dispatcher.close()
            self._left.close()
            self._events.emit(WatcherStopped())
