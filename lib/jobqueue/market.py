"""The market as the leading watcher last saw it, left in Redis for `job-runner plan` to price batches with.

A summary per class of GPU, not the offers themselves: small, and without anything that names a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lib.clock import parse_rfc3339, rfc3339
from lib.errors import BadInput
from lib.foreign import parse_json
from lib.jobqueue.codec import to_json
from lib.jobqueue.keys import Keys
from lib.jobqueue.leader import LeaderLock
from lib.jobqueue.transport import Transport

MARKET: Final = "market"  # the key's name after the prefix
KEPT_S: Final = 3600.0  # a price older than that is no price
_VERSION: Final = 1
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class GpuMarket:
    """What one class of GPU costs now. Money is whole micro-dollars, the cheapest and the median offer.

    Prices per hour include the disk; `fee_micros` is what our downloads cost once on the cheapest.
    `perf` is the provider's own figure of such a GPU's power, a guess at speed where nothing was measured.
    `speeds` holds measured seconds of audio per second by engine, `cold_start_s` the seconds from rent to the
    first job; an engine that is missing, or None, was not measured.
    """

    gpu: str
    offers: int
    lowest_hourly_micros: int
    median_hourly_micros: int
    fee_micros: int = 0
    interruptible: bool = False
    perf: float = 1.0
    speeds: Mapping[str, float] = field(default_factory=dict)
    cold_start_s: float | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """Every class that had an offer fit for the work, as seen by the watcher at `seen_at`."""

    provider: str
    seen_at: float  # seconds since the epoch, by the watcher's clock
    classes: tuple[GpuMarket, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The stored form (docs/reference/redis-keys.md, `market`)."""
        return {
            "version": _VERSION,
            "provider": self.provider,
            "seen_at": rfc3339(self.seen_at),
            "classes": [
                {
                    "gpu": item.gpu,
                    "offers": item.offers,
                    "lowest_hourly_micros": item.lowest_hourly_micros,
                    "median_hourly_micros": item.median_hourly_micros,
                    "fee_micros": item.fee_micros,
                    "interruptible": item.interruptible,
                    "perf": item.perf,
                    "speeds": dict(item.speeds),
                    "cold_start_s": item.cold_start_s,
                }
                for item in self.classes
            ],
        }


def publish_market(lock: LeaderLock, market: Market, *, kept_s: float = KEPT_S) -> None:
    """Leave the market for others to read, for `kept_s` seconds; only the leader may.

    Raises:
        LeadershipLost: the caller does not lead; nothing was written.
        BadInput: it holds something that JSON cannot, or is unreasonably large.
        Unavailable: the server does not answer.
    """
    text = to_json(market.to_json())
    if len(text) > _MOST_BYTES:
        raise BadInput(
            f"the market's summary has {len(text)} bytes, more than {_MOST_BYTES}; publish classes of GPU, "
            "not single offers"
        )
    lock.publish(MARKET, text, ttl_s=kept_s)


def read_market(transport: Transport, *, prefix: str = "pab:jobs") -> Market | None:
    """The market as last published; None when no watcher saw one lately, or one of another version did.

    Raises:
        Unavailable: the server does not answer.
    """
    key = f"{Keys(prefix, cluster=transport.cluster).prefix}:{MARKET}"
    text = transport.repeat(lambda: transport.ask("GET", key))
    return None if text is None else _parsed(str(text))


def _parsed(text: str) -> Market | None:
    try:
        data = parse_json(text)
        if data["version"] != _VERSION:
            return None
        classes = tuple(_class(item) for item in data["classes"])
        return Market(str(data["provider"]), parse_rfc3339(data["seen_at"]), classes)
    except (KeyError, TypeError, ValueError):
        return None


def _class(item: Mapping[str, Any]) -> GpuMarket:
    cold = item["cold_start_s"]
    return GpuMarket(
        gpu=str(item["gpu"]),
        offers=int(item["offers"]),
        lowest_hourly_micros=int(item["lowest_hourly_micros"]),
        median_hourly_micros=int(item["median_hourly_micros"]),
        fee_micros=int(item["fee_micros"]),
        interruptible=bool(item["interruptible"]),
        perf=float(item["perf"]),
        speeds={str(engine): float(speed) for engine, speed in item["speeds"].items()},
        cold_start_s=None if cold is None else float(cold),
    )
