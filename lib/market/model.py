"""The market as the leading watcher last saw it, left in Redis for `job-runner plan` to price batches with.

A summary per class of GPU, not the offers themselves: small, and without anything that names a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lib.clock import parse_rfc3339, rfc3339
from lib.foreign import parse_json

FRESH_S: Final = 3600.0  # a price older than that is no price
_VERSION: Final = 1
# Beyond these no market can be, and reckoning with it would end in infinities.
_MOST_MICROS: Final = 10**12  # micro-dollars, a million dollars; seconds, too, 30,000 years
_LEAST_FIGURE: Final = 1e-6  # of speed, seconds of audio a second, and of a GPU's power
_MOST_FIGURE: Final = 1e6


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

    @classmethod
    def from_text(cls, text: str) -> Market | None:
        """Read the stored form; None for another version's, and for what cannot be read or be a market."""
        try:
            data = parse_json(text)
            if data["version"] != _VERSION:
                return None
            classes = tuple(map(_class_of, data["classes"]))
            return cls(str(data["provider"]), parse_rfc3339(data["seen_at"]), classes)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None


def _class_of(item: Mapping[str, Any]) -> GpuMarket:
    cold = item["cold_start_s"]
    found = GpuMarket(
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
    prices = (found.lowest_hourly_micros, found.median_hourly_micros)
    figures = (found.perf, *found.speeds.values())
    rest = (found.fee_micros, found.cold_start_s or 0)
    sound = (
        *(0 < price <= _MOST_MICROS for price in prices),
        *(_LEAST_FIGURE <= figure <= _MOST_FIGURE for figure in figures),  # false for what is no number, too
        *(0 <= figure <= _MOST_MICROS for figure in rest),
    )
    if not all(sound):
        raise ValueError("no market is like that")
    return found
