"""`job-runner dashboard`: status and recent history on one screen."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from job_runner import wiring
from job_runner.commands import history, status
from lib.cli import output
from lib.cli.colour import takes_colour
from lib.cli.layout import painted, paragraph
from lib.cli.options import JsonOption, LimitOption, RedisUrlOption
from lib.cli.screen import own_screen
from lib.clock import SystemClock, rfc3339
from lib.errors import UsageError
from lib.jobqueue import FinishedJob, JobQueue
from lib.jobs.overview import Overview, overview_of


@dataclass(frozen=True, slots=True)
class _Look:
    """What is on the screen."""

    view: Overview
    jobs: list[FinishedJob]

    def to_json(self) -> dict[str, Any]:
        return {"status": self.view.to_json(), "history": [job.to_json() for job in self.jobs]}


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
    """Show the status and what ended last. With --watch it stays on the screen until Ctrl-C."""
    if watch and json_:
        raise UsageError("--json prints one value, so it does not go with --watch")
    with wiring.open_queue(redis_url) as queue:
        if watch:
            _watch(queue, limit, every)
            return
        look = _look(queue, limit)
    if json_:
        output.emit_json(look.to_json())
        return
    status.show(look.view)
    output.say()
    history.show(look.jobs)


def _look(queue: JobQueue, limit: int) -> _Look:
    return _Look(overview_of(queue), queue.history(limit=limit))


def _watch(queue: JobQueue, limit: int, every: float) -> None:
    """Redraw until Ctrl-C, which is its normal end."""
    clock = SystemClock()
    with own_screen() as redraw:
        while True:
            redraw(partial(_screen, _look(queue, limit), clock.now()))
            clock.sleep(every)


def _screen(look: _Look, now: float, width: int, height: int) -> list[str]:
    """The lines that fit, the newest endings first; the last line says the time and how to leave."""
    colour = takes_colour(sys.stdout)
    verdict = look.view.verdict.value
    head = paragraph(f"{verdict}: {output.clean(look.view.sentence)}", width).split("\n")
    if colour:
        head[0] = painted(verdict) + head[0][len(verdict) :]
    fields = output.field_lines(status.fields_of(look.view), width)
    table = history.table_of(look.jobs).lines(width, colour=colour)
    lines = [*head, "", *fields, "", *table]
    return [*lines[: max(height - 1, 1)], f"{rfc3339(now)[:19]}Z  Ctrl-C ends"]
