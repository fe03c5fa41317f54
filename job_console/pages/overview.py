"""The first page: whether anything runs and why not, what waits for a person, how fast, for how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request

from job_console.api.kinds import Parts
from job_console.pages.charts import BarChart, ChartValue, bar_chart
from job_console.pages.rendering import HtmlPage, page, place_of
from job_console.route_services import ConsoleParts
from job_console.stream.hub import StreamPlace, queue_number
from lib.clock import rfc3339
from lib.jobqueue import JobQueue, JobState
from lib.jobs.costs import CostLine, CostsBy, costs_of, hours_of
from lib.jobs.dashboard import dashboard_of
from lib.jobs.error_groups import ErrorGroup, error_groups
from lib.machines.model import PaidMachines
from lib.pipeline.model import TaskRow
from lib.pipeline.states import RunState, TaskState
from lib.pipeline.trail import events_after
from lib.pipeline.views import RunLine, list_runs

router = APIRouter(include_in_schema=False)

_DAY_S: Final = 86_400
_LOOKED_AT: Final = 100  # failures
_GROUPS: Final = 5
_RUNS: Final = 5  # that failed
_BUSY: Final = 20  # runs at work
_FED: Final = 30  # lines of the feed at first
_PAID_DAYS: Final = 7
#: Of each span: seconds of a bar, how many bars, how many share a label.
_SPANS: Final = {"day": (3600, 24, 3), "month": (_DAY_S, 30, 5)}


@dataclass(frozen=True, slots=True)
class FedLine:
    """One thing that happened, as the feed tells it."""

    at: str
    whose: str  # "job", "run" or "queue"
    name: str
    kind: str
    stage: str


@router.get("/")
def overview(
    request: Request,
    parts: Parts,
    span: Annotated[Literal["day", "month"], Query(description="What the chart shows.")] = "day",
) -> HtmlPage:
    """Show the whole at a glance."""
    place = place_of(request)
    found = dashboard_of(parts.queue, 0)
    gates = parts.ledger.look(lambda transaction: len(transaction.all("open_gates")))
    return page(
        request,
        "overview.html",
        "overview",
        place=place,
        view=found.view,
        shot=found.view.snapshot,
        pace=found.pace,
        running=found.running,
        gates=gates,
        busy=list_runs(parts.ledger, count=_BUSY, states=[RunState.RUNNING]),
        failed=[
            (line, dead_of(line)) for line in list_runs(parts.ledger, count=_RUNS, states=[RunState.FAILED])
        ],
        span=span,
        chart=throughput(parts.queue, found.now, span),
        groups=_groups(parts.queue),
        looked_at=_LOOKED_AT,
        paid=_paid(parts),
        feed=fed(parts, StreamPlace.read(place)),
    )


def dead_of(line: RunLine) -> TaskRow | None:
    """The stage for which a run has failed: of several the latest."""
    dead = [task for task in line.tasks if task.state is TaskState.DEAD]
    return max(dead, key=lambda task: task.finished_at or task.since, default=None)


def throughput(queue: JobQueue, now: float, span: str) -> BarChart:
    """How many jobs ended in each hour or day until now, by UTC; of those that the history keeps."""
    length, count, every = _SPANS[span]
    end = (math.floor(now / length) + 1) * length
    bounds = [float(end - length * back) for back in range(count, -1, -1)]
    counts = queue.ended(bounds)
    values = []
    for begin, before, after in zip(bounds, counts, counts[1:], strict=False):
        bad = after.badly - before.badly
        good = after.all - before.all - bad
        moment = datetime.fromtimestamp(begin, tz=UTC)
        label = moment.strftime("%H:%M" if span == "day" else "%b %d")
        values.append(ChartValue(label, good, bad, f"{label}: {good} done, {bad} not"))
    return bar_chart(values, every=every)


def _groups(queue: JobQueue) -> Sequence[ErrorGroup]:
    return error_groups(queue.history(limit=_LOOKED_AT, status=JobState.FAILED))[:_GROUPS]


def _paid(parts: ConsoleParts) -> Sequence[CostLine] | None:
    """What the last days cost, the latest first; None where nothing was ever rented."""
    now = parts.clock.now()
    begin = now - _PAID_DAYS * _DAY_S
    with parts.open_rented() as ledger:
        if ledger is None:
            return None
        paid: PaidMachines = ledger.paid(*hours_of(begin, now))
    return costs_of(paid, begin, now, CostsBy.DAY).lines[::-1]


def fed(parts: ConsoleParts, place: StreamPlace) -> list[FedLine]:
    """What happened last, the latest first, up to a place: what follows it comes by events, once."""
    lines: list[tuple[float, FedLine]] = []
    for event in parts.queue.latest_events(_FED):
        if queue_number(event.id) <= place.queue:
            whose = "job" if event.request_id else "queue"
            line = FedLine(rfc3339(event.at), whose, event.request_id or "", event.kind, "")
            lines.append((event.at, line))
    for told in events_after(parts.ledger, max(0, place.trail - _FED), count=_FED):
        if told.position <= place.trail:
            line = FedLine(rfc3339(told.at), "run", told.run, str(told.kind), told.task or "")
            lines.append((told.at, line))
    lines.sort(key=_by_time)  # two of one moment stay in their order
    return [line for _, line in lines[-_FED:]][::-1]


def _by_time(entry: tuple[float, Any]) -> float:
    return entry[0]
