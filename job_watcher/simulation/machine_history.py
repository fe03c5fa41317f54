"""What each machine of a simulated day did: when, for how much, why it came and why it went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from job_watcher.simulation.checks import rows_of
from job_watcher.simulation.market import STANDING_SHARE, Lot
from job_watcher.simulation.world import World
from lib.fleet import State
from lib.machines.labels import parse_label
from lib.machines.model import Category
from lib.units import usd

_STEADY = {
    State.UNKNOWN.value: "asked for",
    State.RENTED.value: "starting",
    State.READY.value: "working",
    State.DRAINING.value: "finishing",
    State.LEAVING.value: "leaving",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a machine's life; seconds from the start of the day."""

    what: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Life:
    """One machine from its rent to its end; money in micro-dollars, seconds from the start of the day."""

    name: str
    gpu: str
    interruptible: bool
    hourly_micros: int  # as billed
    cost_micros: int
    run_s: float  # billed at that price
    standing_s: float  # billed at the price of its disk: it boots, or is stopped
    fee_micros: int  # billed once, for downloads
    begin: float
    end: float
    jobs: int
    stretches: tuple[Stretch, ...]
    finished_at: tuple[float, ...]  # when its jobs were stored
    came: str
    went: str

    @property
    def standing_micros(self) -> float:
        """Its price an hour while it boots or is stopped."""
        return self.hourly_micros * STANDING_SHARE

    def to_json(self) -> dict[str, Any]:
        """One entry of `machines` in `simulate --json`; money as text."""
        return {
            "name": self.name,
            "gpu": self.gpu,
            "interruptible": self.interruptible,
            "usd_per_hour": usd(self.hourly_micros),
            "run_s": round(self.run_s, 3),
            "standing_usd_per_hour": usd(self.standing_micros),
            "standing_s": round(self.standing_s, 3),
            "fee_usd": usd(self.fee_micros),
            "cost_usd": usd(self.cost_micros),
            "rented_s": round(self.begin, 1),
            "gone_s": round(self.end, 1),
            "jobs": self.jobs,
            "why_rented": self.came,
            "why_given_back": self.went,
            "stretches": [
                {"what": item.what, "from_s": round(item.begin, 1), "to_s": round(item.end, 1)}
                for item in self.stretches
            ],
        }


def lives_of(world: World) -> list[Life]:
    """Every machine that existed, in the order of their rents."""
    settled: dict[str, list[float]] = {}
    for told in world.conditions.story:
        if told.kind == "settled" and told.text.endswith("is done"):
            settled.setdefault(told.token, []).append(told.at - world.start)
    found: list[Life] = []
    for row in rows_of(world):
        stretches = _stretches(world, row.token)
        if not stretches:
            continue  # refused or never made
        intent = row.intent
        cost = sum(item.micros for item in world.conditions.ledger.charges(row.token))
        finished = tuple(settled.get(row.token, ()))
        lots = _lots(world, row.token)
        found.append(
            Life(
                name=f"machine {len(found) + 1}",
                gpu=intent.gpu,
                interruptible=intent.interruptible,
                hourly_micros=lots[0].hourly_micros if lots else intent.hourly_micros,
                cost_micros=cost,
                run_s=sum(lot.run_s for lot in lots),
                standing_s=sum(lot.standing_s for lot in lots),
                fee_micros=round(sum(_fees(lot) for lot in lots)),
                begin=stretches[0].begin,
                end=stretches[-1].end,
                jobs=len(finished),
                stretches=tuple(stretches),
                finished_at=finished,
                came=intent.why,
                went=_why_gone(world, row.token),
            )
        )
    return found


def _lots(world: World, token: str) -> list[Lot]:
    """The rentals of a row: one, or two where a call was carried out late."""
    labelled = ((lot, parse_label(lot.label)) for lot in world.conditions.market.lots.values())
    return [lot for lot, label in labelled if label is not None and label.token == token]


def _fees(lot: Lot) -> float:
    return sum(micros for (category, _), micros in lot.bills.items() if category == "bandwidth")


def _stretches(world: World, token: str) -> list[Stretch]:
    history = world.conditions.ledger.history(token)
    ends = [*(event.at for event in history[1:]), world.conditions.now]
    return [
        Stretch(_STEADY[event.state], event.at - world.start, end - world.start)
        for event, end in zip(history, ends, strict=True)
        if event.state in _STEADY
    ]


def _why_gone(world: World, token: str) -> str:
    """The reason of the first step towards the end."""
    ending = (State.DRAINING.value, State.LEAVING.value, State.GONE.value)
    for event in world.conditions.ledger.history(token):
        if event.state in ending:
            return f"{event.event.replace('_', ' ')}: {event.reason}"
    return "still there"


def shares(world: World) -> dict[str, int]:
    """Micro-dollars by what they were spent on."""
    total: Counter[str] = Counter({category.value: 0 for category in Category})
    for row in rows_of(world):
        for charge in world.conditions.ledger.charges(row.token):
            total[charge.category.value] += charge.micros
    return dict(total)
