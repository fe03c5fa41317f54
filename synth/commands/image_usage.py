"""`image-synth usage`: what pictures took and cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lib.cli.moments import moment
from lib.cli.options import JsonOption
from lib.cli.output import Column, Table, emit_json, say
from lib.clock import SystemClock, parse_rfc3339
from lib.units import seconds_text
from synth import wiring

EXAMPLES = ("image-synth usage --since 2026-11-01",)


def command(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="WHEN", help="A day or a time, or a span like 12h or 7d.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """What the pictures that were generated here took and cost, by backend."""
    from synth.pictures.usage import UsageLog, sums

    begin = 0.0 if since is None else moment(since, SystemClock().now())
    log = UsageLog(wiring.pictures().data)
    found = sums(use for use in log.uses() if parse_rfc3339(use.at) >= begin)
    if json:
        rows = [{**asdict(row), "cost_usd": f"{row.cost_usd:.6f}"} for row in found]
        emit_json({"since": since, "file": str(log.path), "backends": rows})
        return
    if not found:
        say(
            "No picture was generated here yet."
            if since is None
            else f"No picture was generated since {since}."
        )
        return
    right = ("pictures", "failed", "time", "cost", "unpriced")
    table = Table([Column("backend"), *(Column(name, "right") for name in right)])
    for row in found:
        cost = f"${row.cost_usd:.4f}"
        table.row(row.backend, row.pictures, row.failed, seconds_text(row.seconds), cost, row.unpriced)
    table.show()
