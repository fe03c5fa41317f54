"""The fake Vast, put together: a server for Vast's own client, and machines that run what they are told.

with FakeVast(folder, clock=RehearsalClock(speed=60), offers=a_market()) as vast:
    sdk = VastAI(api_key=vast.api_key, server_url=vast.url, retry=1)
    ...
    vast.befall(instance, Mishap.OUTBID)
    vast.faults.add(lost_reply("create"))
    assert vast.bill().total < 0.01 and vast.billing() == []
"""

from __future__ import annotations

import contextlib
import getpass
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from job_watcher.rehearsal.clock import RehearsalClock
from job_watcher.rehearsal.vast import confinement
from job_watcher.rehearsal.vast.account import FakeAccount, Quirks, an_account
from job_watcher.rehearsal.vast.billing import BilledAmount
from job_watcher.rehearsal.vast.conduct import Mishap
from job_watcher.rehearsal.vast.faults import FaultPlan
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.lifecycle import Lags
from job_watcher.rehearsal.vast.machines import RehearsalMachine
from job_watcher.rehearsal.vast.market import Asks, HostOffer, a_market
from job_watcher.rehearsal.vast.refusal import no_such_instance
from job_watcher.rehearsal.vast.request_log import RequestJournal
from job_watcher.rehearsal.vast.server import ApiServer
from job_watcher.rehearsal.vast.throttle import RequestThrottle
from lib.clock import Clock

_TICK_S: Final = 0.02  # real seconds between two looks at what is due


@dataclass(frozen=True, slots=True)
class RehearsalBill:
    """What the account was charged, dollars."""

    amounts: tuple[BilledAmount, ...]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(each.amount for each in self.amounts)

    def of(self, instance: int) -> float:
        """What one rental cost."""
        return sum(each.amount for each in self.amounts if each.instance == instance)

    def kind(self, kind: str) -> float:
        """What gpu, disk, bwd or bwu cost."""
        return sum(each.amount for each in self.amounts if each.kind == kind)


class FakeVast:
    """A whole fake Vast on a free loopback port, until it is closed.

    `folder` is where machines lie, each in a folder of its own; None: instances have no machines (ports that
    nobody answers), for tests of the API alone. `clock` is the time that everything happens in: any Clock, a
    `RehearsalClock` for faster time. `offers` is the market. `credit` is in dollars.
    `image` are programs that each machine finds by their names, as those of a real image.
    `confined` False leaves machines unconfined also where they could be (`confinement` says what that is).

    `market` (`withdraw`, `occupy`, `offer`, `listing_lag_s`), `keys` (`scopes`, `revoked`, `auth_status`),
    `ssh_keys` (`is_team`), `throttle` (`on`), `quirks`, `lags` and `results_late` may be changed at any time.

    Threads: any, but for what those hold.
    Raises: BadConfiguration from the constructor, where machines are wanted and OpenSSH's server is not here.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        clock: Clock | None = None,
        offers: Iterable[HostOffer] | None = None,
        credit: float = 25.0,
        api_key: str | None = None,
        confined: bool | None = None,
        image: Iterable[Path] = (),
    ) -> None:
        if folder is not None:
            confinement.programs()
        self.clock: Clock = clock or RehearsalClock()
        self._account = an_account(
            folder, self.clock, a_market() if offers is None else offers, credit, api_key
        )
        self._account.confined, self._account.image = confined, tuple(image)
        self.faults, self.journal = FaultPlan(), RequestJournal()
        self._server = ApiServer(self._account, self.faults, self.journal)
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._ticker = threading.Thread(target=self._tick, name="rehearsal", daemon=True)
        self._ticker.start()

    def __enter__(self) -> FakeVast:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        """What VAST_URL is set to: no slash at the end."""
        return self._server.url

    @property
    def api_key(self) -> str:
        """The account's key."""
        return self._account.keys.account

    @property
    def ssh_user(self) -> str:
        """Who logs in to machines: root on Vast, here whoever runs the rehearsal (sshd allows no other)."""
        return getpass.getuser()

    @property
    def market(self) -> Asks:
        """The asks, to be withdrawn, occupied and added to."""
        return self._account.asks

    @property
    def account(self) -> FakeAccount:
        """Its parts: keys, ssh_keys, throttle, results. Hold `account.lock` for more than setting a value."""
        return self._account

    @property
    def throttle(self) -> RequestThrottle:
        """The rate limits, off at first."""
        return self._account.throttle

    @property
    def quirks(self) -> Quirks:
        """Ways of Vast that are not always so."""
        return self._account.quirks

    @property
    def lags(self) -> Lags:
        """How far lists are behind."""
        return self._account.lifecycle.lags

    def instances(self) -> list[RentedInstance]:
        """Every instance there ever was, destroyed ones too."""
        with self._now():
            return list(self._account.lifecycle.instances.values())

    def living(self) -> list[int]:
        """The ids of those that are not destroyed."""
        return [each.id for each in self.instances() if each.destroyed_at is None]

    def billing(self) -> list[int]:
        """The ids of those that cost something now."""
        with self._now():
            return self._account.ledger.billing()

    def bill(self) -> RehearsalBill:
        """What was charged up to now."""
        with self._now():
            return RehearsalBill(tuple(self._account.ledger.amounts()))

    @property
    def credit(self) -> float:
        """What is left on the account, dollars."""
        with self._now():
            return self._account.ledger.credit

    def set_credit(self, dollars: float) -> None:
        """Pay in, or take away, so that this much is left."""
        with self._now():
            self._account.ledger.deposited += dollars - self._account.ledger.credit
            self._account.lifecycle.deposited()

    def machine(self, instance: int) -> RehearsalMachine:
        """The machine of an instance. Raises ApiRefusal when there is none."""
        found = self._account.lifecycle.instances.get(instance)
        if found is None or found.machine is None:
            raise no_such_instance(instance)
        return found.machine

    def befall(self, instance: int, mishap: Mishap) -> None:
        """Have something happen to an instance now. Raises ApiRefusal when it is destroyed."""
        with self._now() as now:
            self._account.lifecycle.befall(self._account.lifecycle.living(instance), mishap, now)

    def plan(self, after_s: float, mishap: Mishap, instance: int | None = None) -> None:
        """Have it happen in so many seconds: to the oldest that runs then, or the first that will."""
        with self._now() as now:
            self._account.lifecycle.plan(now + after_s, mishap, instance)

    def reprice(self, instance: int, dph: float) -> None:
        """Have an instance's GPU cost something else from now on, as after a rise that took effect."""
        with self._now() as now:
            found = self._account.lifecycle.living(instance)
            found.gpu_price = dph
            self._account.lifecycle.settle(found, now)

    def get_stuck(self, instance: int) -> None:
        """Have an instance that is not up yet stay where it is."""
        with self._now():
            self._account.lifecycle.living(instance).due.clear()

    def take_away(self, instance: int) -> None:
        """Have an instance end for good with its host, which is let no more: nobody is asked, nobody told."""
        with self._now() as now:
            machine = self._account.lifecycle.living(instance).host.machine_id
            self._account.lifecycle.destroy(instance, now)
            self.market.withdraw(machine, now)

    def traffic(self, instance: int, *, down_gb: float = 0.0, up_gb: float = 0.0) -> None:
        """Charge an instance for what it loaded."""
        with self._now() as now:
            host = self._account.lifecycle.instances[instance].host
            down, up = down_gb * host.inet_down_cost, up_gb * host.inet_up_cost
            self._account.ledger.traffic(instance, now, down=down, up=up)

    def wait_for(self, what: Callable[[FakeVast], bool], timeout_s: float = 10.0) -> bool:
        """Wait (real seconds) until something is so; looked at whenever something may have changed."""
        give_up = time.monotonic() + timeout_s
        while not what(self):
            left = give_up - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, _TICK_S))
        return True

    def close(self) -> None:
        """Stop answering, end every machine and take its folder away."""
        self._closed.set()
        self._ticker.join()
        self._server.close()
        with self._account.lock:
            machines = [each.machine for each in self._account.lifecycle.instances.values() if each.machine]
        for removal in [machine.remove() for machine in machines]:
            removal.join()

    @contextlib.contextmanager
    def _now(self) -> Iterator[float]:
        """The lock, and everything that was due has happened."""
        with self._account.lock:
            yield self._account.now()

    def _tick(self) -> None:
        """Have things happen also when nobody asks."""
        while not self._closed.wait(_TICK_S):
            with self._now():
                pass
            with self._changed:
                self._changed.notify_all()
