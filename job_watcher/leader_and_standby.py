"""Runs a watcher of which one leads at a time: stands by, leads, hands over.

For machines that anybody with the settings could drive: two watchers on two computers would each start
workers there and take away each other's work. The leader's lock says which one may.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from job_watcher.liveness import Pulse
from job_watcher.provisioning.ports import NotLeading
from lib.clock import Clock
from lib.dispatch import Dispatcher, DispatchIntervals, DispatchLimits
from lib.errors import JobRunnerError, TryAgain, Unavailable
from lib.events import EventSink, LogSink
from lib.events.watchers import (
    LeaderBegan,
    LeaderEnded,
    WatcherDraining,
    WatcherStandsBy,
    WatcherStopped,
    WatcherTrouble,
)
from lib.jobqueue import JobQueue, LeadershipLost, Term
from lib.spool import SpoolFull

log = logging.getLogger(__name__)

_WORKER_GRACE_S = 10.0
_LEAVING_S = 60.0  # after the drain: idle workers end, the lock and the registry are left
Found = TypeVar("Found")


class LeadersLock(Protocol):
    """The leader's lock, renewed while the loop is alive; `lib.leadership.lock.RenewedLeadership`.

    Threads: the loop's only.
    Raises: Unavailable from `lead` and `resign`, where the lock's server does not answer.
    """

    def lead(self, at_least: int) -> int | None:
        """Take or keep the lock; the epoch, or None while another watcher has it."""
        ...

    def term(self) -> Term | None:
        """What proves to the queue that we lead; None: we do not."""
        ...

    def resign(self) -> None:
        """Give the lock back, if it is ours."""
        ...

    def start(self) -> None:
        """Begin to renew."""
        ...

    def stop(self) -> None:
        """Renew no more."""
        ...


class Machines(Protocol):
    """The machines of one term, which come to the dispatcher as hosts, and leave it.

    Threads: the loop's only; `trouble` any.
    Raises: as the dispatcher's methods.
    """

    def begin(self) -> None:
        """Begin to get the machines ready, each by itself."""
        ...

    def step(self, dispatcher: Dispatcher, term: Term) -> None:
        """Give the dispatcher what is ready, take away what is broken."""
        ...

    def settled(self) -> bool:
        """Whether each machine was tried: it is ready, or its trouble is known."""
        ...

    def trouble(self) -> JobRunnerError | None:
        """What keeps every machine from being used; None when one is ready or on the way."""
        ...

    def leave(self, grace: float) -> None:
        """End the workers that have nothing to do, as long as we lead."""
        ...

    def close(self) -> None:
        """Touch no machine any more, and close what is open to them."""
        ...


class Reign:
    """What one term works with.

    Threads: the loop's only.
    Raises: nothing.
    """

    def __init__(self, dispatcher: Dispatcher, machines: Machines) -> None:
        self.dispatcher, self.machines = dispatcher, machines

    def close(self) -> None:
        """End its threads and connections; nothing is written."""
        self.machines.close()
        self.dispatcher.close()


class LedWatcher:
    """One process of which there may be several; one leads. Made once.

    `reign` makes what a term works with, over a name of its own. `registry` is a queue of which only the
    registry of watchers is used; `about` is what a stand-by says there.

    Threads: one; `drain` any.
    Raises: as each method says.
    """

    def __init__(
        self,
        reign: Callable[[str], Reign],
        leadership: LeadersLock,
        registry: JobQueue,
        clock: Clock,
        limits: DispatchLimits,
        intervals: DispatchIntervals,
        *,
        name: str,
        about: Mapping[str, Any],
        standby_s: float,
        led: Callable[[Term | None], None] = lambda term: None,
        events: EventSink | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self._make, self._leadership, self._registry = reign, leadership, registry
        self._clock, self._limits, self._intervals = clock, limits, intervals
        self._name, self._about, self._standby_s, self._led = name, dict(about), standby_s, led
        self._events, self._pulse = events or LogSink(), pulse or Pulse(clock)
        self._draining, self._releasing = threading.Event(), threading.Event()
        self._term: Term | None = None
        self._reign: Reign | None = None
        self._terms = 0
        self._stands_by = False
        self._trouble_since: float | None = None
        self._settled = 0

    def held(self) -> int:
        """How many jobs are at hand. Any thread."""
        reign = self._reign
        return 0 if reign is None else reign.dispatcher.held

    def epoch(self) -> int | None:
        """The epoch in which this watcher leads; None while it does not. Any thread."""
        term = self._term
        return None if term is None else term.epoch

    def no_machine(self) -> str | None:
        """Why no machine can be used; None while one can or this watcher stands by. Any thread."""
        reign = self._reign
        trouble = None if reign is None else reign.machines.trouble()
        return None if trouble is None else trouble.message

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done. The second call hands it over now.

        Callable from any thread.
        """
        if self._draining.is_set():
            self._releasing.set()
        self._draining.set()
        if (reign := self._reign) is not None:
            reign.dispatcher.end()

    def run(self) -> None:
        """Stand by or lead until drained.

        Raises:
            Unavailable: Redis stayed away for five minutes.
        """
        with self._leaving():
            while not self._draining.is_set():
                self._pulse.beat("standing by")
                term = self._try(self._lead, self._draining)
                if term is not None:
                    self._try(partial(self._rule, term, once=False), self._draining)

    def run_once(self) -> int:
        """Lead until nothing waits and nothing is held; returns how many jobs were settled.

        Raises:
            TryAgain: another watcher leads.
            Unavailable: Redis stays away, or no machine can be used.
        """
        with self._leaving():
            term = self._lead()
            if term is None:
                raise TryAgain(
                    "Another watcher drives these machines and its work goes on; see it with: "
                    "job-watcher machines"
                )
            self._rule(term, once=True)
        return self._settled

    # --- standing by -------------------------------------------------------------------------------------

    def _lead(self) -> Term | None:
        """Our term; None while another leads, after a pause."""
        epoch = self._leadership.lead(1)
        term = None if epoch is None else self._leadership.term()
        if term is not None:
            self._stands_by = False
            return term
        if not self._stands_by:
            self._stands_by = True
            self._registry.register_watcher(self._name, self._about)
            self._events.emit(WatcherStandsBy())
            self._pulse.ready()
        self._registry.heartbeat_watcher(self._name, self._about)
        self._draining.wait(self._standby_s)
        return None

    # --- leading -----------------------------------------------------------------------------------------

    def _rule(self, term: Term, *, once: bool) -> None:
        """Work through one term, to its end or ours."""
        self._registry.remove_watcher(self._name)
        self._terms += 1
        self._led(term)
        self._term = term
        self._events.emit(LeaderBegan(epoch=term.epoch))
        reign = self._reign = self._make(f"{self._name}.{self._terms}")
        try:
            self._work(reign, term, once=once)
        except (NotLeading, LeadershipLost) as error:
            self._events.emit(LeaderEnded(epoch=term.epoch, reason=error.message))
        finally:
            self._reign = self._term = None
            self._settled += reign.dispatcher.settled
            reign.close()

    def _work(self, reign: Reign, term: Term, *, once: bool) -> None:
        dispatcher = reign.dispatcher
        dispatcher.impatient = once
        dispatcher.register()
        dispatcher.resume(hosts_come=True)
        dispatcher.start_renewing()
        reign.machines.begin()
        if not once:
            dispatcher.start_claiming()
        self._pulse.ready()
        more = True
        while more and not self._draining.is_set():
            more = self._pass(reign, term, self._draining, once=once)
        self._hand_over(reign, term)

    def _pass(self, reign: Reign, term: Term, hurry: threading.Event, *, once: bool = False) -> bool:
        """One look at everything; whether there is more to do. What should pass is waited for."""
        self._pulse.beat(f"leading, {reign.dispatcher.held} jobs at hand")
        try:
            self._check(term)
            reign.machines.step(reign.dispatcher, term)
            reign.dispatcher.step()
            more = not once or self._claim(reign)
        except (NotLeading, LeadershipLost):
            raise
        except (Unavailable, TryAgain, SpoolFull) as error:
            self._wait_out(error, hurry, ends_us=once)
            return True
        self._trouble_since = None
        if more:
            reign.dispatcher.wait(self._intervals.busy_s if once else self._intervals.look_s)
        return more

    def _check(self, term: Term) -> None:
        if self._leadership.lead(term.epoch) != term.epoch:
            raise NotLeading("Another watcher leads now: the machines are another one's.")

    def _claim(self, reign: Reign) -> bool:
        """Claim once, as `once` does; whether anything is at hand or on the way."""
        if (trouble := reign.machines.trouble()) is not None:
            raise trouble
        reign.dispatcher.claim()
        return reign.dispatcher.held > 0 or not reign.machines.settled()

    def _hand_over(self, reign: Reign, term: Term) -> None:
        """Hand back what has not begun, finish the rest within the limit, leave what remains for adoption."""
        dispatcher = reign.dispatcher
        dispatcher.stop_claiming()
        deadline = self._clock.monotonic() + self._limits.drain_s
        limit_s = self._limits.drain_s
        self._pulse.stopping(limit_s + _LEAVING_S)
        self._events.emit(WatcherDraining(jobs=dispatcher.held, limit_seconds=limit_s))
        with contextlib.suppress(Unavailable):
            dispatcher.withdraw()
        while dispatcher.held and not self._releasing.is_set() and self._clock.monotonic() < deadline:
            self._pass(reign, term, self._releasing)
        self._check(term)
        reign.machines.step(dispatcher, term)  # it sees who has become idle since
        dispatcher.hand_back("drain", keep_work=True)  # before anything that machines can make long
        dispatcher.take_voices_back()
        reign.machines.leave(_WORKER_GRACE_S)
        dispatcher.unregister()

    # --- trouble and endings -----------------------------------------------------------------------------

    def _try(self, act: Callable[[], Found], hurry: threading.Event) -> Found | None:
        try:
            found = act()
        except (Unavailable, TryAgain, SpoolFull) as error:
            self._wait_out(error, hurry, ends_us=False)
            return None
        self._trouble_since = None
        return found

    def _wait_out(self, error: JobRunnerError, hurry: threading.Event, *, ends_us: bool) -> None:
        now = self._clock.monotonic()
        if self._trouble_since is None:
            self._trouble_since = now
        away = isinstance(error, Unavailable)
        if (ends_us or away) and now - self._trouble_since > self._limits.give_up_s:
            raise error
        pause = self._intervals.pause_s
        self._events.emit(WatcherTrouble(reason=error.message, pause_seconds=pause))
        hurry.wait(pause)

    @contextlib.contextmanager
    def _leaving(self) -> Iterator[None]:
        """However it ends: the lock is given back, so that a stand-by leads at once."""
        self._leadership.start()
        try:
            yield
        finally:
            self._leadership.stop()
            try:
                self._leadership.resign()
                self._registry.remove_watcher(self._name)
                self._led(None)
            except JobRunnerError as error:
                log.warning("left without saying so: %s", error)
            self._events.emit(WatcherStopped())
