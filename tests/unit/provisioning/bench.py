"""A watcher that rents, in one process: a provider that does what a test says, a ledger, a queue, a clock."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from job_watcher.provisioning.ports import Config, Contact, OnSettled, ProvisioningParts
from job_watcher.provisioning.reconcile import Reconciler
from lib import dispatch
from lib.clock import ManualClock
from lib.dispatch import Dispatcher, MemoryJournal, StorageDelivery
from lib.fleet import Caps, Policy
from lib.jobqueue import Term
from lib.jobqueue.memory.queue import MemoryQueue
from lib.machines.labels import MachineLabel
from lib.machines.memory import MemoryLedger
from lib.machines.model import MachineRow
from lib.offer import Offer
from lib.providers.rental import BillLine, Listing, ProviderError, Rental, RentalStatus
from lib.spool import Files, HostUnreachable
from lib.storage import MemoryStorage
from tests.unit.dispatch.bench import ScriptedHost

OWNER = "studio"
DOLLAR = 1_000_000
NINE = 1_790_067_600.0  # nine in the morning of some day, UTC: an hour begins


def offer(**different: Any) -> Offer:
    """A machine that is fit for the work, for 20 cents an hour and no fee."""
    base = Offer(
        id="o1",
        machine_id="m1",
        host_id="h1",
        gpu="RTX 3090",
        hourly_micros=DOLLAR // 5,
        fee_micros=0,
        perf=1.0,
        reliability=0.99,
        cuda=12.8,
        driver=550,
        vram_gb=24.0,
        disk_gb=100.0,
        down_mbps=1000.0,
        up_mbps=1000.0,
        direct_ports=4,
        contract_end=None,
        interruptible=False,
        verified=True,
    )
    return replace(base, **different)


class Company:
    """`RentalProvider` without troubles but those that a test names; it remembers what it was asked."""

    name = "scripted"

    def __init__(self, clock: ManualClock) -> None:
        self._clock, self._numbers = clock, itertools.count(1)
        self.offered = [offer()]
        self.refusal: Exception | None = None  # of every rental
        self.rentals: dict[str, Rental] = {}
        self.asked: list[str] = []
        self.looked: list[float] = []  # when offers were searched
        self.destroyed: list[str] = []
        self.stays: set[str] = set()  # these ignore it
        self.credit = 100 * DOLLAR
        self.lines: list[BillLine] = []
        self.bills = True  # whether the bill can be had
        self.bill_lag_s = 0.0

    def offers(self, *, interruptible: bool) -> Sequence[Offer]:
        if not interruptible:
            self.looked.append(self._clock.now())
        return [item for item in self.offered if item.interruptible is interruptible]

    def rent(self, offer: Offer, *, label: str, expires_at: float) -> str:
        self.asked.append(offer.id)
        if self.refusal is not None:
            raise self.refusal
        return self.add(label, offer)

    def add(self, label: str, offer: Offer) -> str:
        """A rental with that label, whoever asked for it."""
        instance = f"i{next(self._numbers)}"
        self.rentals[instance] = Rental(
            instance,
            label,
            RentalStatus.RUNNING,
            offer.hourly_micros,
            offer.machine_id,
            self._clock.now(),
        )
        return instance

    def list(self) -> Listing:
        return Listing(tuple(self.rentals.values()), complete=True)

    def show(self, instance: str) -> Rental | None:
        return self.rentals.get(instance)

    def destroy(self, instance: str) -> None:
        self.destroyed.append(instance)
        if instance not in self.stays:
            self.rentals.pop(instance, None)

    def credit_micros(self) -> int:
        return self.credit

    def bill(self, since: float) -> Sequence[BillLine]:
        if not self.bills:
            raise ProviderError("No bill today.")
        return self.lines

    def billed_until(self, now: float) -> float:
        return now - self.bill_lag_s


class Lead:
    """`Leadership` in the first epoch, until a test takes it away or begins another."""

    def __init__(self) -> None:
        self.leads, self.epoch = True, 1

    def lead(self, at_least: int) -> int | None:
        return self.epoch if self.leads else None

    def held(self, epoch: int) -> bool:
        return self.leads and epoch == self.epoch

    def term(self) -> Term | None:
        """As far as it knows: the real one learns of a loss when it asks the server."""
        return Term(self.epoch, "token")

    def resign(self) -> None:
        self.leads = False


class Access:
    """The way to machines: those in `hosts` answer and pass their checks, others do not answer."""

    def __init__(self) -> None:
        self.hosts: dict[str, ScriptedHost] = {}

    def look(self, row: MachineRow, rental: Rental | None) -> Contact:
        self._host(row.instance or "")
        return Contact("")

    def files(self, instance: str) -> Files:
        return self._host(instance).files()

    def tend(self, instance: str) -> None:
        return

    def restart(self, instance: str) -> None:
        return

    def forget(self, instance: str) -> None:
        return

    def let_go(self) -> None:
        return

    def _host(self, instance: str) -> ScriptedHost:
        if instance not in self.hosts:
            raise HostUnreachable(f"{instance} does not answer.")
        return self.hosts[instance]


@dataclass
class Bench:
    """One watcher; its caps, policy and ledger may be replaced before `watcher` is called."""

    root: Path
    caps: Caps = field(default_factory=Caps)
    policy: Policy = field(default_factory=Policy)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NINE))

    def __post_init__(self) -> None:
        self.queue = MemoryQueue(now_ms=lambda: round(self.clock.now() * 1000))
        self.company, self.lead, self.access = Company(self.clock), Lead(), Access()
        self.storage = MemoryStorage(signs=False)
        self.speech: dict[str, Any] = {}  # what dispatchers know of voices and models
        self.name = "ann"  # of the watchers that are made from now on
        self.told: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)
        self._dispatchers: list[Dispatcher] = []

    def watcher(self) -> Reconciler:
        """A watcher that has not made a pass yet."""
        parts = ProvisioningParts(
            queue=self.queue,
            ledger=self.ledger,
            provider=self.company,
            access=self.access,
            make_dispatcher=self._dispatcher,
            leadership=self.lead,
            clock=self.clock,
            new_token=lambda: f"token-{next(self._numbers):08d}",
            tell=lambda kind, text, token: self.told.append((kind, text)),
            incoming=self.storage.incoming(),
        )
        config = Config(owner=OWNER, name=self.name, policy=self.policy, caps=self.caps)
        return Reconciler(parts, config)

    def live(self, watcher: Reconciler, seconds: float) -> None:
        """Let the watcher make its passes for so long."""
        end = self.clock.now() + seconds
        while (pause := watcher.step()) and self.clock.now() + pause <= end:
            self.clock.advance(pause)
        self.clock.advance(end - self.clock.now())

    def label(self, token: str) -> str:
        """A label of this deployment."""
        return MachineLabel(OWNER, 1, token, self.clock.now() + 3600).text()

    def host(self, instance: str) -> ScriptedHost:
        """Let a machine answer from now on; its worker does what the test says."""
        self.access.hosts[instance] = ScriptedHost(self.root / instance, self.clock, instance)
        return self.access.hosts[instance]

    def rented(self) -> list[MachineRow]:
        """What the ledger holds open."""
        return self.ledger.open_rows()

    def close(self) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.close()
        for host in self.access.hosts.values():
            host.close()

    def _dispatcher(self, heard: OnSettled) -> Dispatcher:
        delivery = StorageDelivery(
            self.storage, provider="scripted", scratch=self.root / "scratch", clock=self.clock
        )
        made = Dispatcher(
            dispatch.DispatchParts(
                name=self.name,
                provider="scripted",
                queue=self.queue,
                delivery=delivery,
                journal=MemoryJournal(),
                clock=self.clock,
                limits=dispatch.DispatchLimits(lease_ms=180_000),
                on_settled=heard,
                **self.speech,
            )
        )
        self._dispatchers.append(made)
        return made
