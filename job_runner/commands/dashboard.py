"""`job-runner dashboard`: how it stands, what runs and what ended, on one screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from job_runner import wiring
from job_runner.commands.status import fields_of
from job_runner.display.dashboard import screen_lines
from lib.cli import output
from lib.cli.colour import takes_colour
from lib.cli.layout import width_of
from lib.cli.options import JsonOption, LimitOption, RedisUrlOption
from lib.cli.progress import is_live
from lib.cli.screen import own_screen
from lib.clock import SystemClock, rfc3339
from lib.errors import UsageError
from lib.jobqueue import JobQueue
from lib.jobs.dashboard import Dashboard, dashboard_of

if TYPE_CHECKING:
    from lib.cli.gate_watch import LedgerRoom

EXAMPLES = ("job-runner dashboard --watch",)


def command(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and keep it up to date.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.2, max=3600, help="How often to look.")
    ] = 2.0,
    limit: LimitOption = 10,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> None:
    """Show the status, how far and how fast the work is, what runs, and what ended last.

    With --watch it stays on the screen until Ctrl-C. Where pipelines run, the gates that wait stand below and
    are decided by keys, as with job-pipeline gates --watch.
    """
    if watch and json_:
        raise UsageError("--json prints one value, so it does not go with --watch")
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        if watch:
            with here.open_gates() as gates:
                _watch(queue, limit, every, gates)
            return
        seen = dashboard_of(queue, limit)
    if json_:
        output.emit_json(seen.to_json())
        return
    width = width_of(sys.stdout) if sys.stdout.isatty() else None
    lines = screen_lines(seen, width, colour=takes_colour(sys.stdout), numbers=fields_of(seen.view))
    for line in lines:
        sys.stdout.write(line + "\n")


def _watch(queue: JobQueue, limit: int, every: float, gates: LedgerRoom | None) -> None:
    """Redraw until Ctrl-C, which is its normal end."""
    clock = SystemClock()
    if gates is not None and is_live(sys.stdout) and sys.stdin.isatty():
        from lib.cli.gate_watch import watch_gates

        def look() -> Callable[[int], list[str]]:
            return partial(_above, dashboard_of(queue, limit), clock.now())

        watch_gates(gates, every_s=every, what="job-runner dashboard --watch", above=look)
        return
    with own_screen() as redraw:
        while True:
            redraw(partial(_screen, dashboard_of(queue, limit), clock.now()))
            clock.sleep(every)


def _screen(seen: Dashboard, now: float, width: int, height: int) -> list[str]:
    """The lines that fit, the newest endings first; the last line says the time and how to leave."""
    lines = screen_lines(seen, width, colour=takes_colour(sys.stdout), rows=max(height - 1, 1))
    return [*lines, f"{rfc3339(now)[:19]}Z  Ctrl-C ends"]


def _above(seen: Dashboard, now: float, width: int) -> list[str]:
    """What stands above the gates."""
    lines = screen_lines(seen, width, colour=takes_colour(sys.stdout))
    return [f"{rfc3339(now)[:19]}Z", *lines, ""]
