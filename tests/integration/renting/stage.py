"""Watchers with the real ledger, queue, lock and store, in front of the rehearsal's market and machines.

Time is one virtual clock that all of them share, the server's scripts too: nothing waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from job_watcher.provisioning.adapters import RedisMarketBoard, leaders_queue
from job_watcher.provisioning.ports import Config, OnSettled, ProvisioningParts
from job_watcher.provisioning.reconcile import Reconciler
from job_watcher.simulation.conditions import Conditions, Lock
from job_watcher.simulation.fault_schedule import Crash
from job_watcher.simulation.market import SimulatedMarket, Taste
from job_watcher.simulation.network import AccessFace, Tripwire
from job_watcher.simulation.provider import SimulatedProvider
from lib import dispatch
from lib.dispatch import Dispatcher, MemoryJournal, StorageDelivery
from lib.fleet import Policy
from lib.jobqueue import JobQueue, QueueOptions, connect
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec, normalize_job_spec
from lib.leadership.lock import LeaderLock, RenewedLeadership
from lib.machines import open_ledger
from lib.machines.labels import parse_label
from lib.machines.memory import MemoryLedger
from lib.machines.port import Ledger
from lib.providers.rental import RentalProvider
from lib.redislink.transport import Transport
from lib.storage import FileStorage

START = 1_790_067_600.0  # nine in the morning of some day, UTC
LOCK_S = 90.0
LEASE_MS = 180_000
POLICY = Policy(speed=0.3, max_machines=2)


def jobs(count: int) -> list[JobSpec]:
    """Jobs of a minute or so each on the slow machines of this market."""
    text = "A sentence that is spoken on a machine far away. " * 6
    return [
        normalize_job_spec({"output_name": f"rented/beat-{index:03d}", "speaker": "Ryan", "text": text})
        for index in range(count)
    ]


class SeenLock:
    """The real lock in the form in which the company's counter looks at it: who may call now."""

    def __init__(self, look: LeaderLock, now: Callable[[], float]) -> None:
        self._look, self._now = look, now

    @property
    def owner(self) -> str:
        leader = self._look.look()
        return leader.owner if leader else ""

    @property
    def until(self) -> float:
        leader = self._look.look()
        return self._now() + leader.left_s if leader else 0.0


class Stage:
    """One market, one server, one ledger's address; watchers come and go."""

    def __init__(self, redis_url: str, ledger_url: str, folder: Path, schema: str | None = None) -> None:
        self._redis_url, self._ledger_url, self._schema = redis_url, ledger_url, schema
        self.folder = folder
        self._closers: list[Callable[[], None]] = []
        self.watchers: list[Staged] = []
        chance = random.Random(5)
        self.company = SimulatedMarket(Taste(base_speed=0.3), chance, START, 50_000_000)
        self.queue = self.open_queue()
        self.ledger = self.open_ledger()
        queue, ledger = cast(MemoryQueue, self.queue), cast(MemoryLedger, self.ledger)
        self.conditions = Conditions(START, chance, self.company, queue, ledger)
        looking = self.open_lock("the counter")
        self.conditions.lock = cast(Lock, SeenLock(looking, self.now))
        self.storage = FileStorage(folder / "storage")

    # The clock that everybody shares.

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.conditions.now

    def monotonic(self) -> float:
        """The same seconds."""
        return self.conditions.now

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
        raise AssertionError(f"the loop must not sleep for {seconds} s")

    def _now_ms(self) -> int:
        conditions: Conditions | None = getattr(self, "conditions", None)
        return round((conditions.now if conditions else START) * 1000)

    # Connections of their own, as processes have.

    def open_queue(self) -> JobQueue:
        """The queue, over a connection of its own."""
        queue = connect(self._redis_url, QueueOptions(lease_ms=LEASE_MS), now_ms=self._now_ms)
        self._closers.append(queue.close)
        return queue

    def open_ledger(self) -> Ledger:
        """The ledger, over connections of its own."""
        ledger = open_ledger(self._ledger_url, schema=self._schema)
        self._closers.append(ledger.close)
        return ledger

    def open_lock(self, owner: str) -> LeaderLock:
        """The lock as one watcher sees it."""
        transport = Transport(self._redis_url, patience_s=1.0)
        self._closers.append(transport.close)
        return LeaderLock(transport, owner=owner, lease_s=LOCK_S, clock=self, now_ms=self._now_ms)

    def close(self) -> None:
        """Give everything back."""
        for close in self._closers:
            close()

    # What happens.

    def watcher(self, name: str) -> Staged:
        """A new watcher process, with an empty memory."""
        watcher = Staged(self, name, len(self.watchers))
        self.watchers.append(watcher)
        return watcher

    def live(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the living watchers work for so long, or until that holds after a step."""
        end = self.now() + seconds
        while not until():
            due = [item for item in self.watchers if item.alive and not item.stands]
            following = min(due, key=lambda item: item.next_at, default=None)
            if following is None or following.next_at > end:
                self.conditions.now = end
                self.company.advance(end)
                return
            self.conditions.now = max(self.now(), following.next_at)
            following.step()

    def finish(self, count: int, limit_s: float = 4 * 3600.0) -> None:
        """Until `count` jobs are done and no machine is left, and then until the last bill was read."""
        end = self.now() + limit_s
        self.live(limit_s, lambda: self._over(count))
        assert self.now() < end, [(told.kind, told.text) for told in self.conditions.story[-20:]]
        self.live(900.0)

    def _over(self, count: int) -> bool:
        living = [lot for lot in self.company.living() if lot.label.startswith("jw|")]
        return self.queue.snapshot().done >= count and not self.ledger.open_rows() and not living

    def told(self, kind: str) -> list[str]:
        """What was told of that kind, by whichever watcher."""
        return [f"{told.watcher}: {told.text}" for told in self.conditions.story if told.kind == kind]

    def check(self, count: int) -> None:
        """What must hold at the end, whatever happened: jobs done once, machines gone, books right."""
        assert self.conditions.violations == []
        assert self.queue.snapshot().done == count
        assert self.company.living() == []
        assert self.ledger.open_rows() == []
        bill: dict[str, int] = {}
        for line in self.company.bill(0.0):
            label = parse_label(line.label)
            assert label is not None
            bill[label.token] = bill.get(label.token, 0) + line.micros
        ours = {token: sum(item.micros for item in self.ledger.charges(token)) for token in bill}
        assert ours == bill
        assert sum(bill.values()) > 0


class Staged:
    """One watcher process. `trip` is called at each boundary around a call of its queue or ledger."""

    def __init__(self, stage: Stage, name: str, index: int) -> None:
        self._stage, self.name = stage, name
        self.alive = True
        self.stands = False
        self.next_at = stage.now()
        self.trip: Callable[[str], None] = lambda step: None
        self.asked: list[str] = []  # provider calls
        lock = stage.open_lock(name)
        leadership = RenewedLeadership(lock, clock=stage)
        guarded = leaders_queue(stage.open_queue(), lock, leadership)
        queue = cast(JobQueue, Tripwire(guarded, "queue", self._reached))
        counter = SimulatedProvider(stage.conditions, index, name, POLICY.max_machines)
        provider = cast(RentalProvider, _Counted(counter, self.asked, self._reached))
        parts = ProvisioningParts(
            queue=queue,
            ledger=cast(Ledger, Tripwire(stage.open_ledger(), "ledger", self._reached)),
            provider=provider,
            access=AccessFace(stage.conditions, self._reached),
            make_dispatcher=lambda heard: self._dispatcher(queue, heard),
            leadership=leadership,
            clock=stage,
            new_token=lambda: f"{stage.conditions.chance.getrandbits(64):016x}",
            tell=self._tell,
            market=RedisMarketBoard(lock, provider="simulated", clock=stage, tell=self._tell),
        )
        config = Config(owner=stage.conditions.owner, name=name, policy=POLICY, lease_ms=LEASE_MS)
        self.reconciler = Reconciler(parts, config)

    def _dispatcher(self, queue: JobQueue, on_settled: OnSettled) -> Dispatcher:
        stage = self._stage
        delivery = StorageDelivery(
            stage.storage, provider="simulated", scratch=stage.folder / self.name, clock=stage
        )
        return Dispatcher(
            dispatch.DispatchParts(
                name=self.name,
                provider="simulated",
                queue=queue,
                delivery=delivery,
                journal=MemoryJournal(),
                clock=stage,
                limits=dispatch.DispatchLimits(lease_ms=LEASE_MS),
                tell=self._tell,
                on_settled=on_settled,
            )
        )

    def _tell(self, kind: str, text: str, token: str) -> None:
        if kind != "pass":
            self._stage.conditions.tell(self.name, kind, text, token)

    def _reached(self, step: str) -> None:
        self.trip(step)

    def step(self) -> None:
        """One pass; a crash ends the process, as SIGKILL does: nothing of it is run any more."""
        self._stage.company.advance(self._stage.now())
        try:
            self.next_at = self._stage.now() + self.reconciler.step()
        except Crash:
            self.alive = False
        self.next_at = max(self.next_at, self._stage.now())

    def crash_at(self, step: str) -> None:
        """Die the next time this boundary is reached."""

        def trip(reached: str) -> None:
            if reached == step:
                raise Crash

        self.trip = trip

    def stand_still_at(self, step: str, seconds: float, after: Callable[[], None]) -> None:
        """Stop at this boundary while the others go on, then call `after` and go on."""

        def trip(reached: str) -> None:
            if reached == step:
                self.trip = lambda step: None
                self.stands = True
                self._stage.live(seconds)
                self.stands = False
                after()

        self.trip = trip


class _Counted:
    """A provider that notes which calls were made, with a boundary before and after each."""

    def __init__(self, target: Any, asked: list[str], reached: Callable[[str], None]) -> None:
        self._target, self._asked, self._reached = target, asked, reached
        self.name = target.name

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._target, method)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._reached(f"provider.{method} before")
            self._asked.append(method)
            answer = call(*args, **kwargs)
            self._reached(f"provider.{method} after")
            return answer

        return counted
