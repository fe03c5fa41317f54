"""One simulated world: watchers, market, machines, queue and store on a virtual clock."""

from __future__ import annotations

import atexit
import contextlib
import heapq
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

from job_watcher.provisioning.adapters import leaders_queue
from job_watcher.provisioning.ports import (
    HASTE_S,
    LOOK_S,
    STARTING_S,
    Config,
    OnSettled,
    ProvisioningParts,
    Tell,
)
from job_watcher.provisioning.reconcile import Reconciler
from job_watcher.simulation.conditions import Conditions
from job_watcher.simulation.fault_injection import begin
from job_watcher.simulation.fault_schedule import Crash, Fault, Planned
from job_watcher.simulation.market import SimulatedMarket, Taste
from job_watcher.simulation.network import AccessFace, LockFace, StoreFace, Tripwire, WatcherClock
from job_watcher.simulation.provider import SimulatedProvider, foreign
from lib import dispatch
from lib.dispatch import Dispatcher, MemoryJournal, StorageDelivery
from lib.errors import Unavailable
from lib.fleet import Caps, Policy, Speeds, State
from lib.jobqueue import JobQueue, QueueOptions, Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec
from lib.machines.labels import parse_label
from lib.machines.memory import MemoryLedger
from lib.machines.model import MachineRow
from lib.machines.port import Ledger
from lib.providers.rental import RentalStatus

MIDNIGHT = 1_790_035_200.0  # of some day, UTC
_LEASE_MS = 180_000
_AFTERWARDS_S = 900.0
_LAG_S = 150.0  # a rental made late may be in no listing yet
_CLOSING = frozenset({"vanished", "refused", "never_came"})


@cache
def scratch_folder() -> Path:
    """Where this process's simulated watchers fetch files to; gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="job-watcher-simulated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens in a world. Arrivals are (seconds from the start, jobs)."""

    arrivals: Sequence[tuple[float, Sequence[JobSpec]]]
    taste: Taste = field(default_factory=Taste)
    policy: Policy = field(default_factory=Policy)
    caps: Caps = field(default_factory=Caps)
    faults: Sequence[Planned] = ()
    watchers: int = 1
    credit_micros: int = 50_000_000
    strangers: int = 0
    limit_s: float = 2 * 86_400.0
    speeds: Speeds | None = None
    start: float = MIDNIGHT + 9 * 3600
    opened: float | None = None  # since when there is the market, where that is before the start
    attentive: bool = False  # watchers look between passes, as real ones do; without, the worst case: never


class Process:
    """One watcher's process on one computer, with all its restarts."""

    def __init__(self, world: World, index: int) -> None:
        self._world, self.index = world, index
        self.clock = WatcherClock(world.conditions)
        self.alive = False
        self._starts = 0
        self._stepping = False
        self._journal = MemoryJournal()

    def start(self) -> None:
        """Begin with an empty memory."""
        self._starts += 1
        self.alive = True
        world, conditions = self._world, self._world.conditions
        me = f"watcher-{self.index}.{self._starts}"
        config = Config(
            owner=conditions.owner,
            name=me,
            policy=world.scenario.policy,
            caps=world.scenario.caps,
            lease_ms=_LEASE_MS,
        )

        def tell(kind: str, text: str, token: str) -> None:
            if kind != "pass":
                conditions.tell(me, kind, text, token)
            if kind in _CLOSING:
                world.closed(token, kind)

        lock = LockFace(conditions, me)
        guarded = leaders_queue(conditions.queue, lock, lock)
        queue = cast(JobQueue, Tripwire(guarded, "queue", self._at_queue))
        parts = ProvisioningParts(
            queue=queue,
            ledger=cast(Ledger, Tripwire(conditions.ledger, "ledger", self._at_ledger)),
            provider=SimulatedProvider(conditions, self.index, me, world.scenario.policy.max_machines),
            access=AccessFace(conditions, self._reached),
            make_dispatcher=lambda heard: self._dispatcher(me, queue, tell, heard),
            leadership=lock,
            clock=self.clock,
            new_token=lambda: f"{conditions.chance.getrandbits(64):016x}",
            tell=tell,
        )
        self.reconciler = Reconciler(parts, config, world.scenario.speeds)
        if world.closing:
            self.reconciler.drain()

    def _dispatcher(self, me: str, queue: JobQueue, tell: Tell, on_settled: OnSettled) -> Dispatcher:
        """The real one, over this process's queue; the journal of the computer outlives its processes."""
        storage = self._world.conditions.storage
        return Dispatcher(
            dispatch.DispatchParts(
                name=me,
                provider="simulated",
                queue=queue,
                delivery=StorageDelivery(
                    storage,
                    provider="simulated",
                    scratch=scratch_folder() / str(self.index),
                    clock=self.clock,
                ),
                journal=self._journal,
                clock=self.clock,
                limits=dispatch.DispatchLimits(lease_ms=_LEASE_MS),
                tell=tell,
                on_settled=on_settled,
            )
        )

    def step(self) -> None:
        """One pass, and the next is scheduled; a crash ends it, and a supervisor starts another soon."""
        if not self.alive or self._stepping:  # a process that is leaving makes no more passes
            return
        self._stepping = True
        try:
            self._world.conditions.market.advance(self._world.conditions.now)
            delay = self.reconciler.step()
            self._world.check_registry(self.reconciler)
        except Crash:
            self.crash()
            return
        finally:
            self._stepping = False
        if self._world.scenario.attentive:
            self._attend(delay)
        else:
            self._world.after(delay, self._next_of(self._starts))

    def _attend(self, delay: float) -> None:
        """What the watcher of rented machines does until its next pass: see its `_turn`."""
        rows = self._world.conditions.ledger.open_rows()
        due = self._world.conditions.now + (min(delay, STARTING_S) if self._any_starting(rows) else delay)
        if rows:
            self._look_later(self._starts, due)
        else:
            self._world.after(delay, self._next_of(self._starts))

    def _any_starting(self, rows: Sequence[MachineRow]) -> bool:
        lots = self._world.conditions.market.lots
        coming = [lots.get(row.instance or "") for row in rows if row.state == State.RENTED.value]
        return any(lot is not None and lot.status is RentalStatus.RUNNING for lot in coming)

    def _look_later(self, start: int, due: float) -> None:
        left = due - self._world.conditions.now
        outstanding = self._world.conditions.queue.snapshot().outstanding
        if left <= LOOK_S or not outstanding:  # a look would see nothing
            self._world.after(left, self._next_of(start))
        else:
            self._world.after(LOOK_S, lambda: self._look(start, due))

    def _look(self, start: int, due: float) -> None:
        if start != self._starts or not self.alive or self._stepping:
            return
        busy = self.reconciler.held > 0
        self._stepping = True
        try:
            self._world.conditions.market.advance(self._world.conditions.now)
            self.reconciler.go_on()
        except Crash:
            self.crash()
            return
        finally:
            self._stepping = False
        if busy and not self.reconciler.held:  # a machine may have nothing left to do
            due = min(due, self._world.conditions.now + HASTE_S)
        self._look_later(start, due)

    def _next_of(self, start: int) -> Callable[[], None]:
        """The next pass of this very process: not of one that was started since."""
        return lambda: self.step() if start == self._starts else None

    def crash(self) -> None:
        """The process is gone; systemd starts another."""
        self.alive = False
        self._world.after(self._world.conditions.chance.uniform(2, 60), self.restart)

    def restart(self) -> None:
        """A new process on the same computer."""
        if not self.alive:
            self.start()
            self.step()

    def drain(self) -> None:
        """A deploy: this process ends in good order, another follows."""
        if self.alive:
            self.reconciler.drain()
            self._world.after(45.0, self._leave)

    def _leave(self) -> None:
        if self._stepping:  # it stands still in the middle of a pass
            self._world.after(45.0, self._leave)
        elif self.alive:
            self._stepping = True
            with contextlib.suppress(Crash):
                self.reconciler.leave()
            self._stepping = False
            self.crash()

    def _reached(self, step: str) -> None:
        self._world.conditions.reached(self.index, step)

    def _at_queue(self, step: str) -> None:
        conditions = self._world.conditions
        if not (conditions.armed or conditions.active):  # nearly always
            return
        if conditions.armed:
            conditions.reached(self.index, step)
        if Fault.REDIS_DOWN in conditions.active:
            raise Unavailable("Redis does not answer.")
        if step.endswith("after") and conditions.hit(Fault.QUEUE_REPLIES):
            raise Unavailable("Redis' answer was lost.")

    def _at_ledger(self, step: str) -> None:
        conditions = self._world.conditions
        if not (conditions.armed or conditions.active):
            return
        if conditions.armed:
            conditions.reached(self.index, step)
        if step.endswith("after") and conditions.hit(Fault.LEDGER_REPLIES):
            raise Unavailable("The ledger's answer was lost.")


class World:
    """Made from a scenario and a seed; the same two give the same story."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        chance = random.Random(seed)
        self.scenario = scenario
        self.start = scenario.start
        self.closing = False
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._lied_until = 0.0
        self._arriving = len(scenario.arrivals)
        opened = self.start if scenario.opened is None else scenario.opened
        market = SimulatedMarket(scenario.taste, chance, opened, scenario.credit_micros)
        market.advance(self.start)
        queue = MemoryQueue(
            QueueOptions(lease_ms=_LEASE_MS),
            now_ms=lambda: int(self.conditions.now * 1000),
            chance=chance.random,
            leads=self._leads,
        )
        self.conditions = Conditions(
            self.start, chance, market, queue, MemoryLedger(), pause=self._others, later=self.after
        )
        self.store = self.conditions.storage = StoreFace(self.conditions)
        foreign(self.conditions, scenario.strangers)
        self.processes = [Process(self, index) for index in range(scenario.watchers)]

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._events, (self.conditions.now + seconds, self._count, action))

    def run(self) -> None:
        """Until all work is done, all machines are gone and no trouble is left, or the limit."""
        for at, specs in self.scenario.arrivals:
            self.after(at, lambda specs=specs: self._arrive(specs))  # type: ignore[misc]  # mypy cannot infer
        for planned in self.scenario.faults:
            self.after(planned.at, lambda planned=planned: begin(self, planned))  # type: ignore[misc]  # same
        for process in self.processes:
            process.start()
            self.after(self.conditions.chance.uniform(0, 5), process.step)
        end_of_time = self.start + self.scenario.limit_s
        while not self.closing:
            while self._events and self.conditions.now < end_of_time and not self.finished():
                self._next()
            if not self.finished():
                self._close()
            self._others(_AFTERWARDS_S)  # the last bill is read, and nothing may come back
            if self.finished():
                break

    def _close(self) -> None:
        """The day is over and work is left: nothing new is rented, what is rented is given back."""
        self.closing = True
        for process in self.processes:
            process.reconciler.drain()
        last = self.conditions.now + self.scenario.policy.max_life_s
        while self._events and self.conditions.now < last and self.conditions.ledger.open_rows():
            self._next()

    def idle_until(self, seconds: float) -> None:
        """Let the watchers go on until so many seconds after the start."""
        self._others(max(0.0, self.start + seconds - self.conditions.now))

    def _next(self) -> None:
        at, _, action = heapq.heappop(self._events)
        self.conditions.now = max(self.conditions.now, at)
        action()

    def _others(self, seconds: float) -> None:
        """Let everything else go on for a while; the caller stands still."""
        until = self.conditions.now + seconds
        while self._events and self._events[0][0] <= until:
            self._next()
        self.conditions.now = max(self.conditions.now, until)

    def _arrive(self, specs: Sequence[JobSpec]) -> None:
        self._arriving -= 1
        self.conditions.queue.enqueue(specs)
        self.conditions.tell("", "arrived", f"{len(specs)} jobs")

    def closed(self, token: str, kind: str) -> None:
        """Check that the machine of a closed row does not exist. Lies about an unknown one excuse it."""
        conditions = self.conditions
        lied = conditions.active.keys() & {Fault.LIST_EMPTY, Fault.LIST_SHORT}
        if kind == "never_came" and (lied or conditions.now < self._lied_until):
            return
        row = conditions.ledger.row(token)
        asleep, awake = conditions.slept
        concluded_at = asleep if conditions.now == awake else conditions.now  # what it saw is that old
        for lot in conditions.market.living():
            label = parse_label(lot.label)
            if label is None or label.token != token or row is None:
                continue
            if not (kind == "never_came" and lot.late and concluded_at - lot.started_at < _LAG_S):
                conditions.wrong(f"the row of {token} was closed ({kind}) and {lot.instance} lives")

    def check_registry(self, reconciler: Reconciler) -> None:
        """While a leader works, nobody may be told that no watcher runs."""
        conditions = self.conditions
        told = not conditions.active.keys() & {Fault.REDIS_DOWN, Fault.QUEUE_REPLIES}
        slept = conditions.slept[1] == conditions.now
        if not reconciler.working or not told or slept:
            return
        if not any(watcher.live for watcher in conditions.queue.watchers()):
            conditions.wrong("a watcher works and stands in no registry")

    def _leads(self, term: Term) -> bool:
        lock = self.conditions.lock
        return (lock.owner, lock.epoch) == (term.token, term.epoch) and self.conditions.now < lock.until

    def lied(self) -> None:
        """A fault of lying lists is over; what was concluded from it may come a little later."""
        self._lied_until = self.conditions.now + 120.0

    def finished(self) -> bool:
        """Whether nothing is left to happen."""
        conditions = self.conditions
        if self._arriving or conditions.active or conditions.ledger.open_rows():
            return False
        if any(process.clock.offset for process in self.processes):
            return False
        snapshot = conditions.queue.snapshot()
        return not snapshot.outstanding and not ours(conditions)


def ours(conditions: Conditions) -> list[str]:
    """Rentals under our label that exist."""
    return [lot.instance for lot in conditions.market.living() if lot.label.startswith("jw|")]
