"""The money of the fake Vast: what each machine costs by the second, and what is left on the account.

Dollars and dollars an hour, as Vast has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400
_GB_KINDS: Final = ("bwd", "bwu")  # bandwidth down and up, in Vast's words


@dataclass(frozen=True, slots=True)
class BilledAmount:
    """What one rental cost on one day (UTC, days since the epoch) for one kind: gpu, disk, bwd or bwu."""

    instance: int
    label: str
    day: int
    kind: str
    amount: float


@dataclass(slots=True)
class _Meter:
    label: str
    settled_at: float
    gpu: float = 0.0
    disk: float = 0.0


class BillingLedger:
    """Meters every rental and takes what it costs from the credit.

    Threads: whoever holds the lock of the fake.
    Raises: nothing.
    """

    def __init__(self, credit: float) -> None:
        self.deposited = credit
        self._settled_at = 0.0
        self._meters: dict[int, _Meter] = {}
        self._amounts: dict[tuple[int, int, str], float] = defaultdict(float)
        self._spent = 0.0

    @property
    def credit(self) -> float:
        """What is left, as of the last settling. May be a little under zero."""
        return self.deposited - self._spent

    def set_rates(self, instance: int, label: str, now: float, *, gpu: float, disk: float) -> None:
        """From now on a rental costs this much an hour."""
        self.settle(now)
        meter = self._meters.setdefault(instance, _Meter(label, now))
        meter.label, meter.gpu, meter.disk = label, gpu, disk

    def traffic(self, instance: int, now: float, *, down: float = 0.0, up: float = 0.0) -> None:
        """Charge dollars for bytes."""
        for kind, amount in zip(_GB_KINDS, (down, up), strict=True):
            if amount > 0:
                self._charge(instance, int(now // _DAY_S), kind, amount)

    def settle(self, now: float) -> None:
        """Charge everything up to now."""
        self._settled_at = max(self._settled_at, now)
        for instance, meter in self._meters.items():
            while meter.settled_at < now:
                day = int(meter.settled_at // _DAY_S)
                until = min(now, float((day + 1) * _DAY_S))
                hours = (until - meter.settled_at) / _HOUR_S
                for kind, rate in (("gpu", meter.gpu), ("disk", meter.disk)):
                    if rate > 0:
                        self._charge(instance, day, kind, rate * hours)
                meter.settled_at = until

    def hourly(self) -> float:
        """Dollars an hour of everything that runs or is stored now."""
        return sum(meter.gpu + meter.disk for meter in self._meters.values())

    def billing(self) -> list[int]:
        """The rentals that cost something now."""
        return [instance for instance, meter in self._meters.items() if meter.gpu + meter.disk > 0]

    def empty_at(self) -> float | None:
        """When the credit will be used up, with things as they are."""
        rate = self.hourly()
        return self._settled_at + max(0.0, self.credit) / rate * _HOUR_S if rate > 0 else None

    def amounts(self) -> list[BilledAmount]:
        """Everything that was charged, the oldest first."""
        return [
            BilledAmount(instance, self._label(instance), day, kind, amount)
            for (instance, day, kind), amount in sorted(
                self._amounts.items(), key=lambda item: item[0][1::-1]
            )
        ]

    def _label(self, instance: int) -> str:
        meter = self._meters.get(instance)
        return meter.label if meter else ""

    def _charge(self, instance: int, day: int, kind: str, amount: float) -> None:
        self._amounts[instance, day, kind] += amount
        self._spent += amount


def charge_rows(amounts: Iterable[BilledAmount]) -> list[dict[str, Any]]:
    """Vast's charges: a row for each rental and day, with an item for each kind."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for each in amounts:
        start = each.day * _DAY_S
        row = rows.setdefault(
            (each.day, each.instance),
            {
                "source": f"instance-{each.instance}",
                "type": "instance",
                "amount": 0.0,
                "start": start,
                "end": start + _DAY_S,
                "description": f"Instance {each.instance}",
                "metadata": {"label": each.label},
                "items": [],
            },
        )
        row["amount"] = round(row["amount"] + each.amount, 9)
        row["items"].append(
            {"type": each.kind, "amount": round(each.amount, 9), "start": start, "end": start + _DAY_S}
        )
    return [rows[key] for key in sorted(rows)]
