"""`image-synth worker`: draws what rows of `imagen.jobs` ask for."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lib.cli.output import note, tell_json_line
from lib.clock import SystemClock
from synth.commands import options as o

if TYPE_CHECKING:
    from synth.imagen.worker import RowReport

EXAMPLES = ("image-synth worker", "image-synth worker --once")


def command(
    once: Annotated[bool, typer.Option("--once", help="Draw the rows that are ready now, then end.")] = False,
    exit_with_parent: o.ExitWithParentOption = False,
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON object for each row.")] = False,
) -> None:
    """Draw what rows of imagen.jobs ask for, until SIGTERM."""
    from synth.imagen.wiring import run_worker
    from synth.worker.stop import StopSignal

    stop = StopSignal(SystemClock())
    stop.on_signals(signal.SIGTERM, signal.SIGINT)
    if exit_with_parent:
        from lib.child import when_parent_exits

        when_parent_exits(stop.ask)
    run_worker(stop, tell_report if json_ else note_report, once=once)


def tell_report(report: RowReport) -> None:
    """Print what became of a row (docs/reference/json/image-synth-worker.json)."""
    tell_json_line(line_of(report))


def note_report(report: RowReport) -> None:
    """A line for the journal."""
    what = report.path or report.error
    note(f"{report.job.id} {report.end} in {report.seconds:.2f} s: {what}")


def line_of(report: RowReport) -> dict[str, Any]:
    """One row: its end, and its picture's path or why it has none."""
    return {
        "id": report.job.id,
        "state": report.end.value,
        "backend": report.job.backend,
        "attempt": report.job.attempts,
        "seconds": round(report.seconds, 3),
        "path": report.path or None,
        "error": report.error or None,
    }
