"""One rented instance of the fake Vast: its states, its next steps, and the row that Vast shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from job_watcher.rehearsal.vast.conduct import Mishap
from job_watcher.rehearsal.vast.machines import RehearsalMachine
from job_watcher.rehearsal.vast.market import HostOffer, disk_price, offer_row

#: Columns that a list can be filtered by; others are computed, and a filter on them is refused.
STORED_COLUMNS: Final = frozenset(
    {"id", "label", "actual_status", "intended_status", "cur_state", "next_state", "machine_id", "host_id"}
    | {"gpu_name", "verification", "image_uuid", "geolocation", "is_bid", "public_ipaddr", "template_id"}
)
_NOBODY: Final = (1, 2)  # ports of an instance without a machine: nobody answers there
_NO_GPU_DATA: Final = {"gpu_util": 0.0, "gpu_temp": 40.0, "gpu_frac": 1.0, "gpu_lanes": 16}


@dataclass(slots=True)
class RentedInstance:
    """What somebody rented. `due` are the steps that it takes by itself, each at its time.

    Threads: whoever holds the lock of the fake.
    Raises: nothing.
    """

    id: int
    host: HostOffer
    request: Mapping[str, Any]
    created_at: float
    key: str
    end_date: float
    gpu_price: float
    label: str = ""
    actual: str | None = None
    intended: str = "running"
    contract: str = "running"  # cur_state and next_state
    status_msg: str | None = None
    ran_at: float | None = None
    ssh_up: bool = False
    before_away: str | None = None
    queued: bool = False
    destroyed_at: float | None = None
    due: list[tuple[float, str]] = field(default_factory=list)
    troubles: set[Mishap] = field(default_factory=set)
    history: list[tuple[float, str]] = field(default_factory=list)
    machine: RehearsalMachine | None = None

    @property
    def disk_gb(self) -> float:
        """The size that was asked for."""
        return float(self.request.get("disk") or 10)

    @property
    def is_bid(self) -> bool:
        """Whether it is interruptible."""
        return self.request.get("price") is not None

    @property
    def is_direct(self) -> bool:
        """Whether it has a port of its own, beside the proxy's."""
        runtype = str(self.request.get("runtype") or "")
        return "ssh_direc" in runtype and self.host.direct_port_count > 0

    @property
    def disk_hourly(self) -> float:
        """Dollars an hour of its disk."""
        return disk_price(self.host, self.disk_gb)

    def rates(self) -> tuple[float, float]:
        """Dollars an hour that it costs now: GPU and disk."""
        if self.destroyed_at is not None or self.actual == "offline":
            return 0.0, 0.0
        runs = self.actual == "running" and self.contract == "running"
        return (self.gpu_price if runs else 0.0), self.disk_hourly

    def become(self, now: float, actual: str | None, message: str | None = None) -> None:
        """Have another status."""
        self.actual = actual
        if message is not None:
            self.status_msg = message
        self.history.append((now, f"{actual}: {self.status_msg or ''}"))

    def plan_boot(self, now: float) -> None:
        """The steps to a running machine, as its host conducts itself."""
        conduct = self.host.conduct
        created = now + conduct.null_s
        loading = created + conduct.created_s
        running = loading + conduct.loading_s
        self.due = [
            (created, "created"),
            (loading, "loading"),
            (loading + conduct.loading_s / 2, "pulling"),
            (running, "running"),
        ]
        stuck = conduct.stuck_at
        if stuck == "null":
            self.due, self.status_msg = [], conduct.message
        elif stuck is not None:
            names = [name for _, name in self.due]
            self.due = self.due[: names.index(stuck) + 1]

    def doors(self) -> tuple[bool, bool]:
        """Whether its direct and its proxy port take connections."""
        up = self.ssh_up and self.actual in ("running", "unknown") and Mishap.SSH_DEAD not in self.troubles
        return (
            up and self.is_direct and Mishap.DIRECT_DEAD not in self.troubles,
            up and Mishap.PROXY_DEAD not in self.troubles,
        )

    def row(self, now: float) -> dict[str, Any]:
        """As `GET /instances/` shows it."""
        row = offer_row(self.id, self.host, now)
        for name in ("ask_contract_id", "rented", "rentable", "verified", "score", "bundle_id"):
            row.pop(name, None)
        row |= _NO_GPU_DATA | self._status(now) | self._reach() | self._price() | self._boot()
        return row | {"disk_space": self.disk_gb, "disk_usage": -1.0, "disk_util": -1.0, "volume_info": []}

    def _status(self, now: float) -> dict[str, Any]:
        minutes = (now - self.ran_at) / 60 if self.ran_at is not None and self.actual == "running" else None
        return {
            "actual_status": self.actual,
            "intended_status": self.intended,
            "cur_state": self.contract,
            "next_state": "running" if self.queued else self.contract,
            "status_msg": self.status_msg,
            "start_date": self.created_at,
            "end_date": self.end_date,
            "uptime_mins": minutes,
            "duration": max(0.0, self.end_date - now),
            "time_remaining": "",
        }

    def _reach(self) -> dict[str, Any]:
        direct, proxy = self.machine.ports if self.machine else _NOBODY
        is_up = self.actual == "running" and self.is_direct
        port = [{"HostIp": "0.0.0.0", "HostPort": str(direct)}, {"HostIp": "::", "HostPort": str(direct)}]
        return {
            "ssh_host": "127.0.0.1",
            "ssh_port": proxy,
            "ssh_idx": "5",
            "machine_dir_ssh_port": direct,
            "public_ipaddr": "127.0.0.1\n",
            "local_ipaddrs": "10.0.0.5 172.17.0.2 \n",
            "direct_port_start": direct if is_up else -1,
            "direct_port_end": direct if is_up else -1,
            "ports": {"22/tcp": port} if is_up else None,
        }

    def _price(self) -> dict[str, Any]:
        total = self.gpu_price + self.disk_hourly
        parts = {"gpuCostPerHour": self.gpu_price, "diskHour": self.disk_hourly, "totalHour": total}
        return {
            "dph_base": self.gpu_price,
            "dph_total": total,
            "storage_total_cost": self.disk_hourly,
            "is_bid": self.is_bid,
            "min_bid": self.host.min_bid,
            "credit_balance": None,
            "credit_discount": None,
            "search": parts,
            "instance": parts,
        }

    def _boot(self) -> dict[str, Any]:
        env = self.request.get("env") or {}
        return {
            "label": self.label or None,
            "image_uuid": self.request.get("image"),
            "image_runtype": self.request.get("runtype") or "ssh",
            "image_args": self.request.get("args") or [],
            "extra_env": [[str(name), str(value)] for name, value in env.items()],
            "onstart": self.request.get("onstart"),
            "template_id": None,
            "template_hash_id": self.request.get("template_hash_id"),
            "template_name": None,
        }
