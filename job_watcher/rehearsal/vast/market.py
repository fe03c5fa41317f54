"""What the fake Vast has to let: hosts, the asks they are offered under, and searching them.

Prices are dollars an hour, storage dollars a GB and month of 720 hours, memory megabytes, as Vast has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from job_watcher.rehearsal.vast.conduct import Conduct
from job_watcher.rehearsal.vast.filters import matches, ordered
from job_watcher.rehearsal.vast.refusal import ApiRefusal

PAGE_ROWS: Final = 64
_MONTH_HOURS: Final = 720.0
_DAY_S: Final = 86_400.0
#: Words of a search that are no filters.
_DIRECTIVES: Final = {"order", "type", "allocated_storage", "limit", "disable_bundling", "q", "select_cols"}


@dataclass(frozen=True, slots=True)
class HostOffer:
    """A host that somebody lets. `conduct` is how a machine on it behaves; no client sees it."""

    machine_id: int
    gpu_name: str = "RTX 4090"
    num_gpus: int = 1
    gpu_ram: int = 24_564
    dph_base: float = 0.40
    min_bid: float = 0.16
    storage_cost: float = 0.15
    inet_down_cost: float = 0.002
    inet_up_cost: float = 0.002
    inet_down: float = 900.0
    inet_up: float = 700.0
    disk_space: float = 500.0
    reliability: float = 0.995
    cuda_max_good: float = 12.8
    driver_version: str = "570.86.15"
    compute_cap: int = 890
    cpu_cores: float = 16.0
    cpu_ram: int = 64_000
    dlperf: float = 90.0
    direct_port_count: int = 100
    geolocation: str = "Washington, US"
    verification: str = "verified"
    hosting_type: int = 0
    host_id: int = 0
    days_left: float = 60.0
    #: Dollars an hour that the created instance costs more than the offer said.
    surcharge: float = 0.0
    conduct: Conduct = field(default_factory=Conduct)


def _with_cuda_13(host: HostOffer) -> HostOffer:
    """As newer drivers are: an engine whose torch is built with CUDA 13 runs on such hosts alone."""
    return replace(host, cuda_max_good=13.0, driver_version="580.95.05")


def a_market() -> tuple[HostOffer, ...]:
    """Some hosts as a day on Vast has them: cheap and doubtful ones, good ones, dear ones."""
    return (
        _with_cuda_13(
            HostOffer(
                1001, "RTX 3090", gpu_ram=24_576, dph_base=0.19, min_bid=0.08, dlperf=42.0, compute_cap=860
            )
        ),
        HostOffer(1002, "RTX 4090", dph_base=0.38, min_bid=0.15, geolocation="Sweden, SE"),
        _with_cuda_13(
            HostOffer(1003, "RTX 4090", dph_base=0.44, min_bid=0.18, reliability=0.999, hosting_type=1)
        ),
        HostOffer(1004, "RTX 4090", dph_base=0.31, min_bid=0.12, reliability=0.91, inet_down=80.0),
        HostOffer(
            1005, "RTX 5090", gpu_ram=32_607, dph_base=0.62, min_bid=0.30, dlperf=150.0, compute_cap=1200
        ),
        HostOffer(
            1006, "A100 SXM4", gpu_ram=81_920, dph_base=1.05, min_bid=0.50, dlperf=110.0, compute_cap=800
        ),
        HostOffer(
            1007, "RTX 3060", gpu_ram=12_288, dph_base=0.07, min_bid=0.04, dlperf=16.0, cuda_max_good=12.2
        ),
        HostOffer(1008, "RTX 4090", dph_base=0.35, min_bid=0.14, verification="unverified"),
    )


@dataclass(slots=True)
class _Ask:
    """A host under the number that it can be rented by, once."""

    id: int
    host: HostOffer
    taken_at: float | None = None


class Asks:
    """Every ask there was. An ask is let once; a host that is free again has a new one.

    Threads: whoever holds the lock of the fake.
    Raises: ApiRefusal.
    """

    def __init__(self, hosts: Iterable[HostOffer], first_id: int = 7_000_001) -> None:
        self._next = first_id
        self._asks: dict[int, _Ask] = {}
        self._busy: set[int] = set()
        self._gone = 0
        self.listing_lag_s = 0.0  # how long a taken ask is still found
        for host in hosts:
            self.offer(host)

    def offer(self, host: HostOffer) -> int:
        """Put a host (again) on the market; returns its ask's id."""
        ask = _Ask(self._next, host)
        self._next += 1
        self._asks[ask.id] = ask
        return ask.id

    def ask_of(self, machine_id: int) -> int | None:
        """The id by which a host can be rented now."""
        free = (ask.id for ask in self._asks.values() if ask.host.machine_id == machine_id)
        return next((id for id in free if self._asks[id].taken_at is None), None)

    def host_of(self, ask: int) -> HostOffer:
        """The host behind an ask."""
        return self._asks[ask].host

    def free(self, ask: int) -> HostOffer:
        """The host behind an ask that nobody has; else refused, each time in another of Vast's ways."""
        found = self._asks.get(ask)
        if found is None or found.taken_at is not None:
            raise self.no_such_ask(ask)
        return found.host

    def take(self, ask: int, now: float) -> HostOffer:
        """Let it: the first who asks has it."""
        host = self.free(ask)
        self._asks[ask].taken_at = now
        return host

    def withdraw(self, machine_id: int, now: float) -> None:
        """Somebody else has rented the host."""
        for ask in self._asks.values():
            if ask.host.machine_id == machine_id and ask.taken_at is None:
                ask.taken_at = now

    def reprice(self, machine_id: int, dph_base: float, min_bid: float | None = None) -> None:
        """The host costs something else from now on; whoever has rented it pays what was agreed."""
        for ask in self._asks.values():
            if ask.host.machine_id == machine_id and ask.taken_at is None:
                bid = ask.host.min_bid if min_bid is None else min_bid
                ask.host = replace(ask.host, dph_base=dph_base, min_bid=bid)

    def occupy(self, machine_id: int, busy: bool = True) -> None:
        """The host's GPU is (not) in use by somebody else, whatever its ask says."""
        (self._busy.add if busy else self._busy.discard)(machine_id)

    def is_busy(self, machine_id: int) -> bool:
        """Whether somebody else uses the host's GPU."""
        return machine_id in self._busy

    def no_such_ask(self, ask: int) -> ApiRefusal:
        """The refusal of an ask that is gone: each time in another of the three ways that are seen."""
        self._gone += 1
        text = f"error 404/3603: no_such_ask Instance type by id {ask} is not available."
        if self._gone % 3 == 1:
            gone = f"error 410/3907: no_such_ask Instance type {ask} is no longer available."
            return ApiRefusal(410, "no_such_ask", gone)
        if self._gone % 3 == 2:
            return ApiRefusal(404, "invalid_args", text, ask_id=ask)
        return ApiRefusal(400, "no_such_ask", text)

    def search(self, body: Mapping[str, Any], now: float) -> list[dict[str, Any]]:
        """The rows that a search finds, in its order, a page at most."""
        query = body.get("q") if isinstance(body.get("q"), Mapping) else body
        assert isinstance(query, Mapping)
        storage = _number(query.get("allocated_storage"), 5.0)
        is_bid = query.get("type") in ("bid", "interruptible")
        wanted = {name: value for name, value in query.items() if name not in _DIRECTIVES}
        if "id" in wanted:  # no column that Vast searches: ask_contract_id is
            return []
        rows = [
            self._row(ask, storage, is_bid, now) for ask in self._asks.values() if self._is_seen(ask, now)
        ]
        found = ordered([row for row in rows if matches(row, wanted)], _order(query.get("order")))
        limit = int(_number(query.get("limit"), PAGE_ROWS))
        return found[: max(0, min(limit, PAGE_ROWS))]

    def _is_seen(self, ask: _Ask, now: float) -> bool:
        return ask.taken_at is None or now < ask.taken_at + self.listing_lag_s

    def _row(self, ask: _Ask, storage: float, is_bid: bool, now: float) -> dict[str, Any]:
        row = offer_row(ask.id, ask.host, now)
        base = ask.host.min_bid if is_bid else ask.host.dph_base
        disk = ask.host.storage_cost / _MONTH_HOURS * storage
        total = base + disk
        row |= {"dph_base": base, "dph_total": total, "storage_total_cost": disk, "is_bid": is_bid}
        row["dlperf_per_dphtotal"] = ask.host.dlperf / total
        row["score"] = row["dlperf_per_dphtotal"] * ask.host.reliability
        row["search"] = {"gpuCostPerHour": base, "diskHour": disk, "totalHour": total}
        return row


def disk_price(host: HostOffer, disk_gb: float) -> float:
    """Dollars an hour of a disk."""
    return host.storage_cost / _MONTH_HOURS * disk_gb


def offer_row(ask: int, host: HostOffer, now: float) -> dict[str, Any]:
    """The facts of a host, as both searches and instances show them."""
    return {
        "id": ask,
        "ask_contract_id": ask,
        "bundle_id": host.machine_id * 10,
        "machine_id": host.machine_id,
        "host_id": host.host_id or host.machine_id + 50_000,
        "num_gpus": host.num_gpus,
        "gpu_name": host.gpu_name,
        "gpu_ram": host.gpu_ram,
        "gpu_total_ram": host.gpu_ram * host.num_gpus,
        "compute_cap": host.compute_cap,
        "cuda_max_good": host.cuda_max_good,
        "driver_version": host.driver_version,
        "driver_vers": _driver_number(host.driver_version),
        "cpu_cores": host.cpu_cores,
        "cpu_cores_effective": host.cpu_cores,
        "cpu_ram": host.cpu_ram,
        "disk_space": host.disk_space,
        "disk_bw": 2000.0,
        "inet_up": host.inet_up,
        "inet_down": host.inet_down,
        "inet_up_cost": host.inet_up_cost,
        "inet_down_cost": host.inet_down_cost,
        "internet_up_cost_per_tb": host.inet_up_cost * 1000,
        "internet_down_cost_per_tb": host.inet_down_cost * 1000,
        "direct_port_count": host.direct_port_count,
        "static_ip": True,
        "public_ipaddr": "127.0.0.1",
        "geolocation": host.geolocation,
        "min_bid": host.min_bid,
        "storage_cost": host.storage_cost,
        "reliability": host.reliability,
        "reliability2": host.reliability,
        "verification": host.verification,
        "verified": host.verification == "verified",
        "rentable": True,
        "rented": False,
        "external": False,
        "hosting_type": host.hosting_type,
        "start_date": now - _DAY_S,
        "end_date": now + host.days_left * _DAY_S,
        "duration": host.days_left * _DAY_S,
        "time_remaining": "",
        "dlperf": host.dlperf,
    }


def _driver_number(version: str) -> int:
    """570.86.15 as 570086015."""
    parts = [int(part) for part in version.split(".")][:3]
    return sum(part * 1000**place for part, place in zip(parts, (2, 1, 0), strict=False))


def _number(value: object, otherwise: float) -> float:
    """A number that may be written as text."""
    if value is None or value == "":
        return otherwise
    try:
        return float(str(value))
    except ValueError:
        raise ApiRefusal(400, "invalid_request", f"{value!r} is not a number") from None


def _order(order: object) -> Sequence[tuple[str, str]]:
    """The columns to sort by, as Vast has them: [["dph_total", "asc"]]."""
    if not isinstance(order, list):
        return ()
    return [(str(each[0]), str(each[1])) for each in order if isinstance(each, list) and len(each) == 2]
