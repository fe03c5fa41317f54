"""The companies that rentals are rented of in the suite, and what a test may do to them from behind."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Protocol

import pytest

from job_watcher.rehearsal.vast.fake import FakeVast
from job_watcher.rehearsal.vast.faults import edited, lost_reply, rate_limited, server_error
from job_watcher.rehearsal.vast.market import HostOffer
from job_watcher.simulation.conditions import Conditions
from job_watcher.simulation.fault_schedule import Fault, Planned
from job_watcher.simulation.market import SimulatedMarket, Taste
from job_watcher.simulation.provider import SimulatedProvider
from lib.clock import ManualClock
from lib.jobqueue.memory.queue import MemoryQueue
from lib.machines.labels import MachineLabel
from lib.machines.memory import MemoryLedger
from lib.providers.rental import BootPlan, RentalProvider
from lib.providers.vast.asks import Wanted
from lib.providers.vast.connection import VastConnection
from lib.providers.vast.provider import VastProvider

BOOT_S = 600.0
PUBLIC_KEY = "ssh-ed25519 " + "A" * 68 + " machine"
_NOON = 1_800_000_000.0


class RentalCompany(Protocol):
    """What a test does with a company besides asking it. `trouble` hits the next call of a method."""

    provider: RentalProvider
    stranger: str  # an id that no rental has

    def now(self) -> float: ...

    def advance(self, seconds: float) -> None: ...

    def spend_all(self) -> None: ...

    def trouble(self, kind: str, method: str) -> None: ...


def label_of(company: RentalCompany, number: int = 1) -> str:
    return MachineLabel("rehearsal", 1, f"token-{number:08d}", company.now() + 7200.0).text()


class SimulatedCompany:
    stranger = "i999999"

    def __init__(self) -> None:
        chance = random.Random(7)
        self._market = SimulatedMarket(Taste(hosts=12), chance, _NOON, 50_000_000)
        queue = MemoryQueue(now_ms=lambda: int(self._world.now * 1000))
        self._world = Conditions(_NOON, chance, self._market, queue, MemoryLedger())
        self._world.lock.owner, self._world.lock.until = "me", float("inf")
        self.provider: RentalProvider = SimulatedProvider(self._world, 0, "me", 10)

    def now(self) -> float:
        return self._world.now

    def advance(self, seconds: float) -> None:
        self._world.active.clear()
        self._world.now += seconds
        self._market.advance(self._world.now)

    def spend_all(self) -> None:
        self._market.credit_micros = 0

    def trouble(self, kind: str, method: str) -> None:
        fault = {
            "lost reply": Fault.LOST_REPLY,
            "too many": Fault.RATE_LIMIT,
            "error": Fault.REFUSING,
            "half": Fault.HALF_RENT,
        }[kind]
        self._world.active[fault] = Planned(fault, 0.0)


class FakedVast:
    stranger = "999999"

    def __init__(self, fake: FakeVast, clock: ManualClock) -> None:
        self._fake, self._clock = fake, clock
        self._connection = VastConnection(fake.api_key, clock=clock, url=fake.url)
        self.provider: RentalProvider = VastProvider(
            self._connection, Wanted("example/image:1", 40), lambda label: BootPlan(PUBLIC_KEY, "nonce-12345")
        )

    def now(self) -> float:
        return self._clock.now()

    def advance(self, seconds: float) -> None:
        self._fake.faults.clear()
        self._clock.advance(seconds)

    def spend_all(self) -> None:
        self._fake.set_credit(0.0)

    def trouble(self, kind: str, method: str) -> None:
        route = {"rent": "create", "offers": "search", "credit_micros": "user", "bill": "charges"}.get(
            method, method
        )
        faults = {
            "lost reply": lost_reply(route),
            "too many": rate_limited(route, retry_after="7"),
            "error": server_error(route),
            "half": edited(route, lambda body: {**body, "success": False}),
        }
        self._fake.faults.add(faults[kind])


def vast_company(monkeypatch: pytest.MonkeyPatch, home: Path) -> tuple[FakeVast, FakedVast]:
    """The fake, to be closed, and the company over it."""
    pytest.importorskip("vastai", reason="Vast's client is not installed: install the extra vast")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock = ManualClock(_NOON)
    offers = [HostOffer(number, host_id=number) for number in range(1, 13)]
    fake = FakeVast(None, clock=clock, offers=offers)
    return fake, FakedVast(fake, clock)
