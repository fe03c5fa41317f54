"""Machines and money: what works where, what is rented until when, what it cost and can still cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts
from job_console.pages.rendering import HtmlPage, page, place_of
from lib.jobs.cost_shares import PaidFor
from lib.jobs.costs import CostLine, Costs, CostsBy, costs_of, hours_of
from lib.jobs.machines import machines_of
from lib.jobs.rented_machines import rented_machines, worst_of
from lib.jobs.safety_nets import Net
from lib.machines.model import MachineRow, PaidMachines
from lib.units import MICROS

router = APIRouter(include_in_schema=False)

_DAY_S: Final = 86_400
_CHART: Final = (720, 160)  # of the days' chart, without its words
_ROWS: Final = 20  # hosts that are told one by one
NETS: Final[Mapping[Net, str]] = {
    Net.LEDGER: "whoever leads next finds it in the ledger",
    Net.LABEL: "a sweep finds it by its label",
    Net.SWITCH: "it ends itself when no watcher renews its lease",
    Net.DEADLINE: "it ends itself at the end of its time",
}
_PARTS: Final[Mapping[PaidFor, str]] = {
    PaidFor.STARTING: "cold starts",
    PaidFor.WORKING: "work",
    PaidFor.IDLE: "machines that were ready and idle",
    PaidFor.LEAVING: "machines until they were gone",
    PaidFor.WASTED: "machines that never became ready",
}


@dataclass(frozen=True, slots=True)
class CostBar:
    """One bar of a chart: what it is of, US dollars, and its box in the chart's own units."""

    name: str
    usd: float
    x: float
    y: float
    width: float
    height: float


@router.get("/machines")
def machines(
    request: Request,
    parts: Parts,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
) -> HtmlPage:
    """Everything that works, is rented, or was paid for."""
    place = place_of(request)
    now = parts.clock.now()
    begin = max(0.0, now - days * _DAY_S)
    with parts.open_rented() as ledger:
        rented = rented_machines(ledger, now)
        paid = PaidMachines() if ledger is None else ledger.paid(*hours_of(begin, now))
    by_day = costs_of(paid, begin, now, CostsBy.DAY)
    hosts = _by_host(costs_of(paid, begin, now, CostsBy.MACHINE).lines)
    return page(
        request,
        "machines.html",
        "machines",
        place=place,
        found=machines_of(parts.queue),
        provider=parts.provider,
        rents=ledger is not None,
        rented=rented,
        worst=worst_of(rented),
        per_hour=sum(machine.per_hour for machine in rented),
        nets=NETS,
        days=days,
        costs=by_day,
        usd_total=by_day.total.total / MICROS,
        paid_for=[(words, by_day.paid_for.get(what, 0) / MICROS) for what, words in _PARTS.items()],
        bars=day_bars(by_day),
        chart=_CHART,
        hosts=hosts[:_ROWS],
        more_hosts=max(0, len(hosts) - _ROWS),
        dearest=max((each.usd for each in hosts), default=0.0),
        micros=MICROS,
    )


def day_bars(found: Costs) -> list[CostBar]:
    """A bar for each day from the first to the last on which something was paid; pure."""
    paid = {line.name: max(0, line.total) / MICROS for line in found.lines}
    if not paid:
        return []
    first, last = date.fromisoformat(min(paid)), date.fromisoformat(max(paid))
    names = [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]
    most = max(paid.values()) or 1.0
    wide, high = _CHART
    step = wide / len(names)
    return [
        CostBar(
            name,
            usd := paid.get(name, 0.0),
            round(number * step, 2),
            round(high - (tall := max(1.0, high * usd / most) if usd else 0.0), 2),
            round(min(step * 0.8, 60.0), 2),
            round(tall, 2),
        )
        for number, name in enumerate(names)
    ]


@dataclass(frozen=True, slots=True)
class HostCost:
    """What the machines of one host cost: of a provider's host the id, and what stood there."""

    host: str
    gpus: str
    machines: int
    jobs: int
    usd: float


def _by_host(lines: Sequence[CostLine]) -> list[HostCost]:
    """The dearest first."""
    of_host: dict[str, list[tuple[CostLine, MachineRow]]] = defaultdict(list)
    for line in lines:
        if line.machine is not None:
            of_host[f"{line.machine.intent.provider} {line.machine.intent.host_id}"].append(
                (line, line.machine)
            )
    found = [
        HostCost(
            host,
            ", ".join(sorted({row.intent.gpu for _, row in mine})),
            len(mine),
            sum(len(line.jobs) for line, _ in mine),
            sum(line.total for line, _ in mine) / MICROS,
        )
        for host, mine in of_host.items()
    ]
    return sorted(found, key=lambda each: -each.usd)
