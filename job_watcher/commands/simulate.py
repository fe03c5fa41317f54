"""`job-watcher simulate`: a batch on simulated markets, before any money is spent."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from job_watcher import wiring
from job_watcher.simulation.audio_lengths import audio_by_job
from job_watcher.simulation.estimate import Estimate, estimate
from job_watcher.simulation.outcome import DayOutcome
from job_watcher.simulation.timeline_svg import svg
from job_watcher.simulation.timeline_text import WIDTH, timeline
from lib.cli import output
from lib.cli.layout import width_of
from lib.cli.options import JobFileArgument, JsonOption, SpeakerOption, VoiceOption
from lib.cli.progress import ProgressBar
from lib.errors import BadInput, ExitStatus, UsageError
from lib.fleet import Caps, Policy
from lib.jobspec import load_job_file
from lib.units import MICROS, seconds_text

SeedsOption = Annotated[
    int, typer.Option("--seeds", min=1, max=10_000, help="How many days to live through.")
]
PictureOption = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE.svg", help="Draw the day that is shown.", show_default=False),
]
MachinesOption = Annotated[
    int | None,
    typer.Option("--max-machines", min=1, max=1000, help="Machines at most.", show_default="MAX_MACHINES"),
]
SpeedOption = Annotated[
    float,
    typer.Option("--speed", min=0.01, max=10_000, help="Seconds of audio a second on an RTX 3090."),
]
TargetOption = Annotated[int, typer.Option("--within", min=60, help="Seconds to aim to be done in.")]
HourOption = Annotated[
    str | None,
    typer.Option("--cap-hour", metavar="USD", help="Most dollars an hour.", show_default="SPEND_CAP_HOUR"),
]
DayOption = Annotated[
    str | None,
    typer.Option("--cap-day", metavar="USD", help="Most dollars a day.", show_default="SPEND_CAP_DAY"),
]
WorstOption = Annotated[bool, typer.Option("--worst", help="Show the worst day, not the middle one.")]


EXAMPLES = (
    "job-watcher simulate jobs.yaml",
    "job-watcher simulate jobs.yaml --within 600 --cap-day 5",
)


def command(
    path: JobFileArgument,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    seeds: SeedsOption = 20,
    picture: PictureOption = None,
    max_machines: MachinesOption = None,
    speed: SpeedOption = 8.0,
    within: TargetOption = 1800,
    cap_hour: HourOption = None,
    cap_day: DayOption = None,
    worst: WorstOption = False,
    json_: JsonOption = False,
) -> int:
    """Show what a job file would cost on rented machines, when it would be done, and why.

    The watcher's own decisions run against a simulated market, within the limits of the settings: nothing is
    rented, spoken or enqueued.
    """
    if picture is not None and picture.suffix != ".svg":
        raise UsageError(f"{picture.name} must end in .svg: that is the only kind of picture drawn here")
    specs = load_job_file(path, voice=voice, speaker=speaker).specs
    here = wiring.installation()
    policy = replace(here.policy, speed=speed, drain_target_s=float(within))
    policy = policy if max_machines is None else replace(policy, max_machines=max_machines)
    caps = _capped(here.caps, cap_hour, cap_day)
    lengths = audio_by_job(specs, here.voices, here.engine)
    with ProgressBar(seeds, "days", quiet=True) as bar:
        found = estimate(
            specs, days=seeds, policy=policy, caps=caps, audio_s=lengths, worst=worst, on_day=bar.reach
        )
    if picture is not None:
        _draw(found, picture)
    if json_:
        output.emit_json(found.to_json())
    else:
        _show(found, policy)
    return ExitStatus.OK


def _capped(caps: Caps, hour: str | None, day: str | None) -> Caps:
    """The caps of the settings, but for those that an option gives."""
    return replace(
        caps,
        hour=caps.hour if hour is None else _micros(hour, "--cap-hour"),
        day=caps.day if day is None else _micros(day, "--cap-day"),
    )


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
    _show_table(found)
    output.say("")
    if found.forbidden:
        output.say(
            "No machine can be rented on any of these days, so all jobs stay unfinished.\n"
            f"On day {found.shown.seed}:"
        )
        for obstacle in found.forbidden:
            output.say(f"  {obstacle.sentence}.")
        output.say("")
    else:
        _show_day(found)
    output.say(
        f"Prices, start times and failures are modelled, and a speed of {policy.speed:g} s of audio\n"
        "a second on an RTX 3090 is assumed; nothing was rented."
    )
    for problem in found.shown.problems:
        output.warn(f"a promise was broken in this simulation: {problem}")


def _show_table(found: Estimate) -> None:
    table = output.Table(
        [output.Column(""), output.Column("expected", "right"), output.Column("worst", "right")]
    )
    table.row("cost", _dollars(found.expected_micros), _dollars(found.worst_micros))
    table.row("done after", _end(found.expected_finish_s), _end(found.worst_finish_s))
    table.row("a minute of audio", _dollars(found.per_minute_micros), None)
    table.row("failed jobs", found.expected_failed, max(item.failed for item in found.outcomes))
    table.row("unfinished jobs", found.expected_unfinished, max(item.unfinished for item in found.outcomes))
    table.show()


def _show_day(found: Estimate) -> None:
    """The one day that is told, what became of its jobs, and where the other one is to be found."""
    shown, worst = found.shown, found.worst
    kind = "the worst" if shown is worst or shown.seed == worst.seed else "the one of median cost"
    output.say(f"Shown is day {shown.seed}, {kind}: {_in_short(shown)}.")
    for reason in shown.reasons:
        output.say(f"  {reason}")
    output.say("")
    for line in timeline(found, min(width_of(sys.stdout), WIDTH) if sys.stdout.isatty() else WIDTH):
        output.say(line)
    output.say("")
    if shown.seed != worst.seed:
        output.say(f"The worst is day {worst.seed}: {_in_short(worst)}; --worst shows it.")
        for reason in worst.reasons:
            output.say(f"  {reason}")
        output.say("")


def _in_short(day: DayOutcome) -> str:
    end = "not finished" if day.finish_s is None else f"done after {seconds_text(day.finish_s)}"
    lost = ((day.failed, "failed"), (day.unfinished, "unfinished"))
    return ", ".join([_dollars(day.cost_micros), end, *(f"{count} {what}" for count, what in lost if count)])


def _end(seconds: float | None) -> str:
    return "never" if seconds is None else seconds_text(seconds)


def _dollars(micros: int) -> str:
    return f"${micros / MICROS:.4f}" if micros < MICROS else f"${micros / MICROS:.2f}"
