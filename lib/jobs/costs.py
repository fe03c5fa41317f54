"""What rented machines cost over a period, from what the ledger wrote down: values in, values out.

Money is whole micro-dollars and every sum is exact. An hour's charge is shared out over what its machine did
in that hour by time, and over its jobs and their batches by how long it worked for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from lib.clock import rfc3339
from lib.fleet.lifecycle import State
from lib.fleet.money import cost, hourly_shares
from lib.jobs.cost_shares import HOUR_S, PaidFor, Span, by_time, by_work, shares, spans_of
from lib.machines.model import Category, Charge, FinishedWork, HistoryEvent, MachineRow, PaidMachines
from lib.units import usd

_BILLED: Final = frozenset(Category) - {Category.ADJUSTMENT}

OfMachine = TypeVar("OfMachine", HistoryEvent, FinishedWork)


class CostsBy(StrEnum):
    """What costs are told apart by."""

    DAY = "day"
    MACHINE = "machine"
    BATCH = "batch"
    JOB = "job"


@dataclass(slots=True)
class CostLine:
    """What one day, machine, batch or job cost, and what was finished. Of a machine, `machine` is its row."""

    name: str
    machine: MachineRow | None = None
    machines: set[str] = field(default_factory=set)
    micros: dict[Category, int] = field(default_factory=lambda: dict.fromkeys(Category, 0))
    jobs: set[str] = field(default_factory=set)
    audio_ms: int = 0

    @property
    def total(self) -> int:
        """All categories together."""
        return sum(self.micros.values())

    @property
    def per_audio_minute(self) -> int | None:
        """What a minute of finished audio cost; None where none was finished."""
        return round(self.total * 60_000 / self.audio_ms) if self.audio_ms else None

    def add(self, charge: Charge, micros: int) -> None:
        """Count so much of one charge in."""
        self.machines.add(charge.token)
        self.micros[charge.category] += micros

    def finish(self, work: FinishedWork) -> None:
        """Count a finished job in; one that failed costs, and is none."""
        if work.audio_ms:
            self.jobs.add(work.request_id)
        self.audio_ms += work.audio_ms

    def to_json(self) -> dict[str, Any]:
        """As `costs --json` has it."""
        told = {f"{category.value}_usd": usd(micros) for category, micros in self.micros.items()}
        per_minute = self.per_audio_minute
        return {
            "name": self.name,
            "machines": len(self.machines),
            "jobs": len(self.jobs),
            "audio_seconds": round(self.audio_ms / 1000, 3),
            **told,
            "total_usd": usd(self.total),
            "usd_per_audio_minute": None if per_minute is None else usd(per_minute),
        }


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
        """The value of `costs --json`. What cannot be told is null."""
        starts, total = self.cold_starts, self.total
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
            "usd_per_job": usd(round(total.total / len(total.jobs))) if total.jobs else None,
        }


def hours_of(begin: float, now: float) -> tuple[int, int]:
    """The first and the last hour since the epoch of a period that ends now."""
    return int(begin) // HOUR_S, int(now) // HOUR_S


def costs_of(paid: PaidMachines, begin: float, now: float, by: CostsBy) -> Costs:
    """Add up what the ledger has of a period that began at `begin` and ends now. Pure."""
    rows = {row.token: row for row in paid.rows}
    since = float(hours_of(begin, now)[0] * HOUR_S)
    finished = [one for one in paid.work if since <= one.at <= now]
    total = CostLine("total")
    for charge in paid.charges:
        total.add(charge, charge.micros)
    for one in finished:
        total.finish(one)
    lives, work = _by_token(paid.events), _by_token(paid.work)
    spans = {token: spans_of(life, work.get(token, ()), rows[token], now) for token, life in lives.items()}
    return Costs(
        begin=since,
        end=now,
        by=by,
        lines=_lines(paid, finished, rows, by),
        total=total,
        paid_for=_paid_for(paid.charges, spans),
        cold_starts=[*_cold_starts(lives.values(), begin)],
        still_open=_still_open(paid, begin, now),
        drift=_drift(paid, begin),
    )


def _lines(
    paid: PaidMachines, finished: Iterable[FinishedWork], rows: Mapping[str, MachineRow], by: CostsBy
) -> list[CostLine]:
    """A line each, days, batches and jobs in the order of their names, machines as they were planned."""
    lines: dict[str, CostLine] = {}

    def line(name: str) -> CostLine:
        return lines.setdefault(name, CostLine(name, rows[name] if by is CostsBy.MACHINE else None))

    weights = by_work(paid.work, _OF_WORK[by]) if by in _SHARED else {}
    for charge in paid.charges:
        mine = weights.get(charge.token) or {_of_charge(charge, rows, by): 1.0}
        for name, micros in shares(charge.micros, mine):
            line(name).add(charge, micros)
    for one in finished:
        line(_OF_WORK[by](one)).finish(one)
    order: Iterable[str] = rows if by is CostsBy.MACHINE else sorted(lines)
    return [lines[name] for name in order if name in lines]


#: What a finished job counts for.
_OF_WORK: Final[Mapping[CostsBy, Callable[[FinishedWork], str]]] = {
    CostsBy.DAY: lambda work: _day(int(work.at // HOUR_S)),
    CostsBy.MACHINE: lambda work: work.token,
    CostsBy.BATCH: lambda work: work.batch,
    CostsBy.JOB: lambda work: work.request_id,
}
_SHARED: Final = frozenset({CostsBy.BATCH, CostsBy.JOB})


def _of_charge(charge: Charge, rows: Mapping[str, MachineRow], by: CostsBy) -> str:
    """Whose a charge is as a whole; of a machine that finished nothing its batch's, and no job's."""
    match by:
        case CostsBy.DAY:
            return _day(charge.hour)
        case CostsBy.MACHINE:
            return charge.token
        case CostsBy.BATCH:
            return rows[charge.token].intent.batch
        case CostsBy.JOB:
            return ""


def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * HOUR_S, tz=UTC).date().isoformat()


def _by_token(items: Iterable[OfMachine]) -> dict[str, list[OfMachine]]:
    found: dict[str, list[OfMachine]] = defaultdict(list)
    for item in items:
        found[item.token].append(item)
    return found


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


def _paid_for(charges: Iterable[Charge], spans: Mapping[str, Sequence[Span]]) -> dict[PaidFor, int]:
    found = dict.fromkeys(PaidFor, 0)
    for charge in charges:
        for what, micros in by_time(charge, spans.get(charge.token, [])):
            found[what] += micros
    return found
