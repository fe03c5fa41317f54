"""Everything of one account of the fake Vast in one place, for the code that answers its calls."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from job_watcher.rehearsal.vast.billing import BillingLedger
from job_watcher.rehearsal.vast.instances import RentedInstance
from job_watcher.rehearsal.vast.keys import KeyRing, SshKeyBook
from job_watcher.rehearsal.vast.lifecycle import Lags, Lifecycle
from job_watcher.rehearsal.vast.machines import MachineOrder, RehearsalMachine
from job_watcher.rehearsal.vast.market import Asks, HostOffer
from job_watcher.rehearsal.vast.results import ResultShelf
from job_watcher.rehearsal.vast.throttle import RequestThrottle
from lib.clock import Clock

_MACHINE_NAME = "machine-{}"


@dataclass(slots=True)
class Quirks:
    """Ways of Vast that are not always so.

    `spend_limit` is dollars an hour that a new account may spend. `bid_refusal_has_id`: a bid that is too low
    is refused with the id of the stopped instance that was made all the same. `gone_is_404`: a destroyed
    instance is 404 where it is asked for, not null. `charges_delay_s`: how late charges are shown.
    `date_skew_s`: how far the Date header is off.

    Threads: whoever holds the lock of the fake.
    Raises: nothing.
    """

    spend_limit: float | None = None
    bid_refusal_has_id: bool = True
    shows_instance_key: bool = True
    gone_is_404: bool = False
    queued_start_succeeds: bool = True
    charges_delay_s: float = 0.0
    date_skew_s: float = 0.0


@dataclass(slots=True)
class FakeAccount:
    """The parts, and the time that they live in. `folder` None: instances without machines. `confined` None:
    machines are confined where this computer can.

    Threads: whoever holds `lock`.
    Raises: nothing.
    """

    clock: Clock
    folder: Path | None
    keys: KeyRing
    asks: Asks
    ledger: BillingLedger
    lifecycle: Lifecycle
    ssh_keys: SshKeyBook = field(default_factory=SshKeyBook)
    results: ResultShelf = field(default_factory=ResultShelf)
    throttle: RequestThrottle = field(default_factory=RequestThrottle)
    confined: bool | None = None
    image: tuple[Path, ...] = ()
    quirks: Quirks = field(default_factory=Quirks)
    lock: threading.RLock = field(default_factory=threading.RLock)
    next_instance: int = 30_000_001

    def now(self) -> float:
        """The time in the fake; everything that was due by now has happened."""
        now = self.clock.now()
        self.lifecycle.advance(now)
        return now

    def machine_for(self, instance: RentedInstance) -> RehearsalMachine | None:
        """A machine for a new instance, not running yet."""
        if self.folder is None:
            return None
        env = instance.request.get("env") or {}
        order = MachineOrder(
            folder=self.folder / _MACHINE_NAME.format(instance.id),
            onstart=str(instance.request.get("onstart") or ""),
            environment={str(name): str(value) for name, value in env.items() if not name.startswith("-")}
            | {
                "CONTAINER_ID": str(instance.id),
                "CONTAINER_API_KEY": instance.key,
                "VAST_CONTAINERLABEL": f"C.{instance.id}",
                "GPU_COUNT": str(instance.host.num_gpus),
                "PUBLIC_IPADDR": "127.0.0.1",
            },
            gpu=gpu_facts(instance.host),
            programs=self.image,
        )
        keys = partial(self._keys_of, instance.id)
        return RehearsalMachine(order, keys, confined=self.confined)

    def _keys_of(self, instance: int) -> list[str]:
        return [str(row["key"]) for row in self.ssh_keys.of(instance)]


def gpu_facts(host: HostOffer) -> dict[str, str]:
    """What nvidia-smi shows on a host."""
    shown = host.conduct.gpu_shown
    return {
        "FAKE_GPU": host.gpu_name if shown is None else shown,
        "FAKE_GPUS": str(host.num_gpus),
        "FAKE_GPU_MIB": str(host.gpu_ram),
        "FAKE_DRIVER": host.driver_version,
        "FAKE_CUDA": str(host.cuda_max_good),
        "FAKE_COMPUTE": f"{host.compute_cap // 100}.{host.compute_cap % 100 // 10}",
    }


def an_account(
    folder: Path | None, clock: Clock, offers: Iterable[HostOffer], credit: float, key: str | None
) -> FakeAccount:
    """A new account with a market before it."""
    asks, ledger = Asks(offers), BillingLedger(credit)
    return FakeAccount(
        clock=clock,
        folder=folder,
        keys=KeyRing(key or secrets.token_hex(32)),
        asks=asks,
        ledger=ledger,
        lifecycle=Lifecycle(asks, ledger, Lags()),
    )
