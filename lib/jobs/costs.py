"""What rented machines cost over a period, from what the ledger wrote down: values in, values out.

Money is whole micro-dollars and every sum is exact. An hour's charge is shared out over what its machine did
in that hour by time; the shares add up to the charge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from lib.clock import rfc3339
from lib.fleet.lifecycle import State
from lib.fleet.money import cost, hourly_shares
from lib.machines.model import Category, Charge, HistoryEvent, MachineRow, PaidMachines
from lib.units import usd

_HOUR_S: Final = 3600
_BILLED: Final = frozenset(Category) - {Category.ADJUSTMENT}


class CostsBy(StrEnum):
    """What costs are told apart by."""

    DAY = "day"
    MACHINE = "machine"
    BATCH = "batch"


class PaidFor(StrEnum):
    """What a machine did in time that was paid for. Idle time is not among them: the ledger knows no jobs."""

    STARTING = "starting"  # the cold start: until it passed its checks
    READY = "ready"  # it had work or waited for some
    LEAVING = "leaving"  # it was given back, until it was seen absent
    WASTED = "wasted"  # all the time of a machine that was given back and never ready


_DOES: Final[Mapping[str, PaidFor]] = {
    **dict.fromkeys((State.PLANNED, State.UNKNOWN, State.RENTED), PaidFor.STARTING),
    **dict.fromkeys((State.READY, State.DRAINING), PaidFor.READY),
    State.LEAVING: PaidFor.LEAVING,
}


@dataclass(slots=True)
class CostLine:
    """What one day, machine or batch cost. Of a machine, `machine` is its row."""

    name: str
    machine: MachineRow | None = None
    machines: set[str] = field(default_factory=set)
    micros: dict[Category, int] = field(default_factory=lambda: dict.fromkeys(Category, 0))

    @property
    def total(self) -> int:
        """All categories together."""
        return sum(self.micros.values())

    def add(self, charge: Charge) -> None:
        """Count one charge in."""
        self.machines.add(charge.token)
        self.micros[charge.category] += charge.micros

    def to_json(self) -> dict[str, Any]:
        """As `costs --json` has it."""
        told = {f"{category.value}_usd": usd(micros) for category, micros in self.micros.items()}
        return {"name": self.name, "machines": len(self.machines), **told, "total_usd": usd(self.total)}


@dataclass(frozen=True, slots=True)
class OpenCost:
    """The machines that may cost money now, and what they can cost until they end themselves."""

    machines: int
    hourly: int
    reserved: int

    def to_json(self) -> dict[str, Any]:
        """As `costs --json` has it."""
        hourly, reserved = usd(self.hourly), usd(self.reserved)
        return {"machines": self.machines, "usd_per_hour": hourly, "reserved_usd": reserved}


@dataclass(frozen=True, slots=True)
class Drift:
    """Our own count beside the provider's bill, of machines that ended and whose bill is complete."""

    machines: int
    counted: int
    billed: int

    def to_json(self) -> dict[str, Any]:
        """As `costs --json` has it."""
        return {
            "machines": self.machines,
            "counted_usd": usd(self.counted),
            "billed_usd": usd(self.billed),
            "drift_usd": usd(self.billed - self.counted),
        }


@dataclass(frozen=True, slots=True)
class Costs:
    """What was paid from `begin` to `end`, and what may still be. `cold_starts` are seconds, of one each."""

    begin: float
    end: float
    by: CostsBy
    lines: Sequence[CostLine]
    total: CostLine
    paid_for: Mapping[PaidFor, int]
    cold_starts: Sequence[float]
    still_open: OpenCost
    drift: Drift | None

    def to_json(self) -> dict[str, Any]:
        """The value of `costs --json`. What the ledger cannot tell is null."""
        starts = self.cold_starts
        return {
            "since": rfc3339(self.begin),
            "until": rfc3339(self.end),
            "by": self.by.value,
            "lines": [line.to_json() for line in self.lines],
            "total": self.total.to_json(),
            "paid_for": {f"{what.value}_usd": usd(self.paid_for.get(what, 0)) for what in PaidFor},
            "cold_starts": {
                "machines": len(starts),
                "mean_seconds": round(sum(starts) / len(starts), 1) if starts else None,
            },
            "open": self.still_open.to_json(),
            "drift": None if self.drift is None else self.drift.to_json(),
            "idle_usd": None,
            "usd_per_job": None,
            "usd_per_audio_minute": None,
        }


def hours_of(begin: float, now: float) -> tuple[int, int]:
    """The first and the last hour since the epoch of a period that ends now."""
    return int(begin) // _HOUR_S, int(now) // _HOUR_S


def costs_of(paid: PaidMachines, begin: float, now: float, by: CostsBy) -> Costs:
    """Add up what the ledger has of a period that began at `begin` and ends now. Pure."""
    rows = {row.token: row for row in paid.rows}
    total = CostLine("total")
    for charge in paid.charges:
        total.add(charge)
    lives = _lives(paid.events)
    return Costs(
        begin=float(hours_of(begin, now)[0] * _HOUR_S),
        end=now,
        by=by,
        lines=_lines(paid.charges, rows, by),
        total=total,
        paid_for=_paid_for(paid.charges, rows, lives, now),
        cold_starts=[*_cold_starts(lives.values(), begin)],
        still_open=_still_open(paid, begin, now),
        drift=_drift(paid, begin),
    )


def _lines(charges: Iterable[Charge], rows: Mapping[str, MachineRow], by: CostsBy) -> list[CostLine]:
    """A line each, days and batches in the order of their names, machines as they were planned."""
    name_of: dict[CostsBy, Callable[[Charge], str]] = {
        CostsBy.DAY: lambda charge: _day(charge.hour),
        CostsBy.MACHINE: lambda charge: charge.token,
        CostsBy.BATCH: lambda charge: rows[charge.token].intent.batch,
    }
    lines: dict[str, CostLine] = {}
    for charge in charges:
        name = name_of[by](charge)
        lines.setdefault(name, CostLine(name, rows[name] if by is CostsBy.MACHINE else None)).add(charge)
    order: Iterable[str] = rows if by is CostsBy.MACHINE else sorted(lines)
    return [lines[name] for name in order if name in lines]


def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * _HOUR_S, tz=UTC).date().isoformat()


def _lives(events: Iterable[HistoryEvent]) -> dict[str, list[HistoryEvent]]:
    lives: dict[str, list[HistoryEvent]] = defaultdict(list)
    for event in events:
        lives[event.token].append(event)
    return lives


def _still_open(paid: PaidMachines, begin: float, now: float) -> OpenCost:
    """Until its end each costs its price, and its fee where that was not charged yet."""
    spent: dict[str, int] = defaultdict(int)
    for charge in paid.charges:
        spent[charge.token] += charge.micros
    still = [row.intent for row in paid.rows if row.closed_at is None]
    # A fee is paid in the first hour: that of a machine older than the period is behind us.
    fees = sum(max(0, one.fee_micros - spent[one.token]) for one in still if one.created_at >= begin)
    rest = sum(cost(one.hourly_micros, one.expires_at - now) for one in still)
    return OpenCost(len(still), sum(one.hourly_micros for one in still), fees + rest)


def _drift(paid: PaidMachines, begin: float) -> Drift | None:
    """Compare what we would have counted with the bill. None where no machine has both."""
    billed: dict[str, int] = defaultdict(int)
    ours: dict[str, int] = defaultdict(int)
    for charge in paid.charges:
        (billed if charge.category in _BILLED else ours)[charge.token] += charge.micros
    ended = [
        row
        for row in paid.rows
        if row.closed_at is not None
        and row.intent.created_at >= begin  # all of its charges lie in the period
        and row.token in billed
        and not ours[row.token]  # the bill replaced each hour that we had counted
    ]
    if not ended:
        return None
    counted = sum(row.intent.fee_micros + _counted(row) for row in ended)
    return Drift(len(ended), counted, sum(billed[row.token] for row in ended))


def _counted(row: MachineRow) -> int:
    """Its time at the price last seen, hour by hour as the accounts are kept."""
    end = row.closed_at or row.intent.created_at
    return sum(micros for _, micros in hourly_shares(row.intent.hourly_micros, row.intent.created_at, end))


# --- what the time was paid for ------------------------------------------------------------------------


def _cold_starts(lives: Iterable[Sequence[HistoryEvent]], begin: float) -> Iterator[float]:
    """Seconds from the wish to rent until a job could be taken, of each machine that came so far."""
    for life in lives:
        ready = next((event.at for event in life if event.state == State.READY), None)
        if ready is not None and ready >= begin:
            yield max(0.0, ready - life[0].at)


def _paid_for(
    charges: Iterable[Charge],
    rows: Mapping[str, MachineRow],
    lives: Mapping[str, Sequence[HistoryEvent]],
    now: float,
) -> dict[PaidFor, int]:
    found = dict.fromkeys(PaidFor, 0)
    spans = {token: [*_spans(life, rows[token], now)] for token, life in lives.items() if token in rows}
    for charge in charges:
        for what, micros in _shares(charge, spans.get(charge.token, [])):
            found[what] += micros
    return found


_Span = tuple[PaidFor, float, float]


def _spans(life: Sequence[HistoryEvent], row: MachineRow, now: float) -> Iterator[_Span]:
    """What the machine did from when to when."""
    over = any(event.state in (State.LEAVING, State.GONE) for event in life)
    wasted = over and not any(event.state == State.READY for event in life)
    ends = [*(event.at for event in life[1:]), row.closed_at or now]
    for event, end in zip(life, ends, strict=True):
        what = _DOES.get(event.state)
        if what is not None and end > event.at:
            yield PaidFor.WASTED if wasted else what, event.at, end


def _shares(charge: Charge, spans: Sequence[_Span]) -> Iterator[tuple[PaidFor, int]]:
    """The hour's charge by the seconds of each span in it; whole micro-dollars that add up to it.

    A charge of an hour in which the machine did nothing, as a bill may have it, goes to what is nearest.
    """
    begin, end = charge.hour * _HOUR_S, (charge.hour + 1) * _HOUR_S
    inside = [(what, min(till, end) - max(since, begin)) for what, since, till in spans]
    parts = [(what, seconds) for what, seconds in inside if seconds > 0]
    if not parts:
        near = min(spans, key=lambda span: max(span[1] - end, begin - span[2]), default=None)
        yield (PaidFor.WASTED if near is None else near[0]), charge.micros
        return
    whole, told = sum(seconds for _, seconds in parts), 0
    for what, seconds in parts[:-1]:
        share = int(charge.micros * (seconds / whole))
        told += share
        yield what, share
    yield parts[-1][0], charge.micros - told
