"""`job-watcher simulate`: a batch on simulated markets, before any money is spent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from job_watcher.rehearsal.estimate import Estimate, estimate
from job_watcher.rehearsal.picture import svg
from job_watcher.rehearsal.timeline import timeline
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption
from lib.errors import BadInput, ExitStatus, UsageError
from lib.fleet import Caps, Policy
from lib.fleet.model import MICROS
from lib.jobspec import load_job_file
from lib.units import seconds_text

SeedsOption = Annotated[
    int, typer.Option("--seeds", min=1, max=10_000, help="How many days to live through.")
]
PictureOption = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE.svg", help="Draw the middle day.", show_default=False),
]
MachinesOption = Annotated[int, typer.Option("--max-machines", min=1, max=1000, help="Machines at most.")]
SpeedOption = Annotated[
    float,
    typer.Option("--speed", min=0.01, max=10_000, help="Seconds of audio a second on an RTX 3090."),
]
TargetOption = Annotated[int, typer.Option("--within", min=60, help="Seconds to aim to be done in.")]
HourOption = Annotated[str, typer.Option("--cap-hour", metavar="USD", help="Most dollars an hour.")]
DayOption = Annotated[str, typer.Option("--cap-day", metavar="USD", help="Most dollars a day.")]


def command(
    path: JobFileArgument,
    seeds: SeedsOption = 20,
    picture: PictureOption = None,
    max_machines: MachinesOption = 4,
    speed: SpeedOption = 8.0,
    within: TargetOption = 1800,
    cap_hour: HourOption = "2",
    cap_day: DayOption = "10",
    json_: JsonOption = False,
) -> int:
    """Show what a job file would cost on rented machines, when it would be done, and why.

    The watcher's own decisions run against a simulated market: nothing is rented, spoken or enqueued.
    """
    if picture is not None and picture.suffix != ".svg":
        raise UsageError(f"{picture.name} must end in .svg: that is the only kind of picture drawn here")
    specs = load_job_file(path).specs
    policy = Policy(max_machines=max_machines, speed=speed, drain_target_s=float(within))
    caps = Caps(hour=_micros(cap_hour, "--cap-hour"), day=_micros(cap_day, "--cap-day"))
    found = estimate(specs, days=seeds, policy=policy, caps=caps)
    if picture is not None:
        _draw(found, picture)
    if json_:
        output.emit_json(found.to_json())
    else:
        _show(found, policy)
    return ExitStatus.OK


def _micros(text: str, option: str) -> int:
    try:
        dollars = Decimal(text)
    except InvalidOperation:
        dollars = Decimal(-1)
    if not dollars.is_finite() or not 0 < dollars <= 1_000_000:
        raise UsageError(f"{option} is {text!r}; it must be an amount of dollars like 2 or 0.50")
    return int(dollars * MICROS)


def _draw(found: Estimate, picture: Path) -> None:
    try:
        picture.write_text(svg(found), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The picture cannot be written to {picture}: {error.strerror}.") from None


def _show(found: Estimate, policy: Policy) -> None:
    days = len(found.outcomes)
    output.say(f"{found.jobs} jobs, about {seconds_text(found.audio_s)} of audio, on {days} simulated days:")
    output.say("")
    table = output.Table(
        [output.Column(""), output.Column("expected", "right"), output.Column("worst", "right")]
    )
    table.row("cost", _dollars(found.expected_micros), _dollars(found.worst_micros))
    table.row("done after", seconds_text(found.expected_finish_s), seconds_text(found.worst_finish_s))
    table.row("a minute of audio", _dollars(found.per_minute_micros), None)
    table.row("failed jobs", found.shown.failed, max(item.failed for item in found.outcomes))
    table.row("unfinished jobs", found.shown.unfinished, max(item.unfinished for item in found.outcomes))
    table.show()
    output.say("")
    output.say("The day of median cost:")
    for line in timeline(found):
        output.say(line)
    output.say("")
    output.say(
        f"Prices, start times and failures are modelled, and a speed of {policy.speed:g} s of audio a second "
        "on an RTX 3090 is assumed; nothing was rented."
    )
    for problem in found.shown.problems:
        output.warn(f"a promise was broken in this simulation: {problem}")


def _dollars(micros: int) -> str:
    return f"${micros / MICROS:.4f}" if micros < MICROS else f"${micros / MICROS:.2f}"
