"""`job-watcher costs`: what rented machines cost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

import typer

from job_watcher import wiring
from lib.cli import output
from lib.cli.bars import Bar, bar_lines
from lib.cli.layout import width_of
from lib.cli.moments import moment
from lib.cli.options import JsonOption
from lib.clock import SystemClock, rfc3339
from lib.errors import UsageError
from lib.fleet.money import dollars
from lib.jobs.cost_shares import PaidFor
from lib.jobs.costs import CostLine, Costs, CostsBy, costs_of, hours_of
from lib.machines.model import Category, PaidMachines
from lib.units import seconds_text

SinceOption = Annotated[
    str,
    typer.Option(
        "--since",
        metavar="DATE|SPAN",
        help="Only since then: a day in UTC as 2026-11-01, or 7d for the last seven days.",
    ),
]
ByOption = Annotated[CostsBy, typer.Option("--by", help="A line for each day, machine, batch or job.")]

ChartOption = Annotated[
    bool, typer.Option("--chart", help="Draw the lines as bars; days on which nothing was paid, too.")
]

EXAMPLES = (
    "job-watcher costs",
    "job-watcher costs --chart",
    "job-watcher costs --since 7d --by batch",
)

_HEADINGS = {Category.ADJUSTMENT: "not billed yet"}
_PARTS = {
    PaidFor.STARTING: "for cold starts",
    PaidFor.WORKING: "for work",
    PaidFor.IDLE: "for machines that were ready and idle",
    PaidFor.LEAVING: "until they were gone",
    PaidFor.WASTED: "wasted on machines that never became ready",
}


def command(
    since: SinceOption = "30d",
    by: ByOption = CostsBy.DAY,
    chart: ChartOption = False,
    json_: JsonOption = False,
) -> None:
    """Add up what the ledger says was paid for rented machines. Asks no provider and no queue.

    Whole hours, by UTC. What no bill covers yet stands by our own count, minute by minute. A batch or a job
    bears its share of all that its machines cost, start and idle time too, by how long they worked for it.
    """
    if chart and json_:
        raise UsageError("--chart is for people and --json for programs; leave one of them away")
    now = SystemClock().now()
    begin = moment(since, now)
    if begin > now:
        raise UsageError(f"--since {since!r} lies in the future; write a day that has begun, as 2026-11-01")
    with wiring.open_rented() as (provider, ledger, _):
        paid = PaidMachines() if ledger is None else ledger.paid(*hours_of(begin, now))
    found = costs_of(paid, begin, now, by)
    if json_:
        output.emit_json(found.to_json())
    elif ledger is None:
        output.say(f"Nothing was ever rented from here, so nothing was paid; PROVIDER is {provider}.")
    else:
        _show(found, chart=chart)


def _show(found: Costs, *, chart: bool) -> None:
    since = f"since {rfc3339(found.begin)[:16]}Z"
    if not found.lines:
        output.say(f"Nothing was paid {since}.")
    else:
        if chart:
            for line in bar_lines([*_bars(found)], width_of(sys.stdout)):
                output.say(line)
        else:
            _table(found).show()
        parts = [f"{dollars(found.paid_for[what])} {words}" for what, words in _PARTS.items()]
        output.say(f"Paid {since}: {dollars(found.total.total)}, of it {', '.join(parts)}.")
    for sentence in _sentences(found):
        output.say(sentence)


def _bars(found: Costs) -> Iterator[Bar]:
    """One for each line; no day is left out between the first and the last on which something was paid."""
    lines = {line.name: line for line in found.lines}
    names = [*lines]
    if found.by is CostsBy.DAY:
        first, last = date.fromisoformat(names[0]), date.fromisoformat(names[-1])
        names = [str(first + timedelta(days=days)) for days in range((last - first).days + 1)]
    for name in names:
        line = lines.get(name)
        total = 0 if line is None else line.total
        yield Bar(name if line is None else _name(line), max(0, total), dollars(total))


def _table(found: Costs) -> output.Table:
    names = [_HEADINGS.get(category, category.value) for category in Category]
    headings = ("machines", "jobs", "audio", *names, "total", "audio min")
    table = output.Table(
        [output.Column(found.by.value), *(output.Column(name, "right") for name in headings)]
    )
    for line in (*found.lines, found.total):
        amounts = (*map(dollars, line.micros.values()), dollars(line.total))
        per_minute = "" if line.per_audio_minute is None else dollars(line.per_audio_minute)
        audio = seconds_text(line.audio_ms / 1000)
        table.row(_name(line), len(line.machines), len(line.jobs), audio, *amounts, per_minute)
    return table


def _name(line: CostLine) -> str:
    if line.machine is not None:
        intent = line.machine.intent
        return f"{line.machine.instance or line.name} {intent.gpu}"
    return line.name or "(none)"


def _sentences(found: Costs) -> list[str]:
    told = []
    if starts := found.cold_starts:
        took = seconds_text(sum(starts) / len(starts))
        told.append(f"{_machines(len(starts))} became ready, after {took} on average.")
    if still := found.still_open.machines:
        told.append(
            f"{_machines(still)} may cost money now, {dollars(found.still_open.hourly)} an hour: at most "
            f"{dollars(found.still_open.reserved)} more until their own switches end them."
        )
    if (drift := found.drift) is not None:
        more = drift.billed - drift.counted
        way = "more" if more >= 0 else "less"
        told.append(
            f"Of {_machines(drift.machines)} that ended, the provider billed {dollars(drift.billed)}, and "
            f"our own count is {dollars(drift.counted)}: {dollars(abs(more))} {way}."
        )
    if (jobs := len(found.total.jobs)) and (per_minute := found.total.per_audio_minute) is not None:
        were = "1 job was" if jobs == 1 else f"{jobs} jobs were"
        told.append(
            f"{were} finished: {dollars(per_minute)} for a minute of audio, "
            f"{dollars(round(found.total.total / jobs))} for a job."
        )
    return told


def _machines(count: int) -> str:
    return "1 machine" if count == 1 else f"{count} machines"
