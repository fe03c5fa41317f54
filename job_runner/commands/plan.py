"""`job-runner plan`: what a job file would make, without making it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, SpeakerOption, VoiceOption, VoicesDirOption
from lib.cli.progress import ProgressBar
from lib.errors import BadInput, ExitStatus
from lib.jobs import plan_cost
from lib.jobs.plan import Plan, PlannedJob, RegistryCheck, plan_job_file, priced
from lib.jobspec import Draft
from lib.units import seconds_text
from lib.voices import PAUSE, Pauses, VoiceRegistry

AskedUrlOption = Annotated[
    str | None,
    typer.Option(
        "--redis-url",
        metavar="URL",
        help="Where to look for prices; else REDIS_URL, else the embedded server if it runs.",
        show_default=False,
    ),
]

SpokenOption = Annotated[
    bool,
    typer.Option("--spoken", help="Show each text as it will be spoken, and what was changed in it."),
]
_MANY = 500  # jobs whose texts take long enough to be waited for


EXAMPLES = (
    "job-runner plan jobs.yaml",
    "job-runner plan --spoken jobs.yaml",
    "make-jobs | job-runner plan -",
)


def command(
    path: JobFileArgument,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    voices_dir: VoicesDirOption = None,
    redis_url: AskedUrlOption = None,
    spoken: SpokenOption = False,
    json_: JsonOption = False,
) -> int:
    """Check a job file and show what it would make; nothing is enqueued or spoken.

    Needs no server; one that is set, or runs already, is asked for prices.
    Exit status 65 when anything is wrong; every problem is listed with its line.
    """
    settings = wiring.settings(
        {"VOICES_DIR": str(voices_dir) if voices_dir else None, "REDIS_URL": redis_url}
    )
    url = settings.redis_url or plan_cost.embedded_url(settings.jobs_data_dir)
    question = plan_cost.MarketQuestion(url, settings.jobs_prefix) if url else None
    registry, named = VoiceRegistry([settings.voices_dir]), wiring.named_in(settings)
    check = RegistryCheck(registry, settings.voice_engine, named, wiring.backends_in(settings))
    pauses = Pauses.read(settings.voice_pauses)
    plan = plan_job_file(path, check, _tracked, pauses, voice=voice, speaker=speaker)
    market = question.answer() if question else None
    if market is not None:
        plan = priced(plan, market, settings, now=time.time())
    if json_:
        output.emit_json(plan.to_json(spoken=spoken))
    elif plan.jobs:
        if spoken:
            _show_spoken(plan.jobs)
        else:
            _show(plan)
        _show_totals(plan, rents=settings.provider == "vast")
        _show_needs(plan)
        here = wiring.Here(settings)
        here.warn_of_machines(plan.voices())
        here.warn_of_backends(job.spec for job in plan.jobs)
    if plan.warnings:
        head = f"{_counted(len(plan.warnings), 'place')} to look at."
        output.warn("\n".join([head, *(f"  {warning}" for warning in plan.warnings)]))
    if not plan.problems:
        return ExitStatus.OK
    count = len(plan.problems)
    head = f"{_counted(count, 'problem')}; nothing of this file can be used."
    output.error("\n".join([head, *(f"  {problem}" for problem in plan.problems)]))
    return BadInput.exit_status


def _show(plan: Plan) -> None:
    table = output.Table(
        [
            output.Column("request id"),
            output.Column("output"),
            output.Column("voice"),
            output.Column("chars", "right"),
            output.Column("audio", "right"),
            *([output.Column("cost", "right"), output.Column("worst", "right")] if plan.cost else []),
            output.Column("text", wrap=True),
        ]
    )
    for job, (expected, worst) in zip(plan.jobs, plan.costs(), strict=True):
        spec = job.spec
        table.row(
            spec.request_id,
            f"{spec.output_name}.{spec.suffix}",
            spec.drawn_by if spec.is_picture else spec.voice or spec.speaker,
            len(spec.words),
            "-" if spec.is_picture else f"~{seconds_text(job.estimated_audio_s)}",
            *([_dollars(expected), _dollars(worst)] if plan.cost else []),
            job.preview,
        )
    table.show()


def _show_spoken(jobs: Sequence[PlannedJob]) -> None:
    for job in jobs:
        if job.spec.is_picture:
            continue
        output.say(f"{job.spec.request_id} (line {job.line}, ~{seconds_text(job.estimated_audio_s)})")
        for paragraph in job.spoken.spoken.split("\n\n"):
            output.say(f"  {paragraph}")
        silences = iter(PAUSE.findall(job.spoken.script))
        for change in job.spoken.changes:
            written = " ".join(change.written.split())
            heard = f"{next(silences, '')} s of silence" if change.kind == "pause" else change.spoken
            output.say(f"    {written} -> {heard or 'nothing'} ({change.kind})")
        output.say()


def _tracked(drafts: Sequence[Draft]) -> Iterator[Draft]:
    """The drafts, with a bar where there are so many that somebody waits."""
    if len(drafts) < _MANY:
        yield from drafts
        return
    with ProgressBar(len(drafts), "texts") as bar:
        for draft in drafts:
            yield draft
            bar.advance()


def _show_totals(plan: Plan, *, rents: bool) -> None:
    totals = plan.totals()
    pictures = f"{_counted(totals['pictures'], 'picture')}, " if totals["pictures"] else ""
    output.say(
        f"{_counted(totals['jobs'], 'job')}, {_counted(totals['takes'], 'take')}, "
        f"{pictures}"
        f"{_counted(totals['characters'], 'character')}, "
        f"about {seconds_text(totals['estimated_audio_s'])} of audio{_cost(plan, rents=rents)}"
    )


def _show_needs(plan: Plan) -> None:
    """What large voices and the pictures need."""
    for needs in plan.voices():
        if needs.is_large:
            output.say(needs.sentence())
    for part in plan.pictures():
        output.say(part.sentence())


def _cost(plan: Plan, *, rents: bool) -> str:
    """What is said of money; nothing where no machine is rented, for there all is free."""
    if plan.forbidden:
        return f", and no machine may be rented for it: {'; '.join(plan.forbidden)}"
    if plan.cost is None:
        return ", cost unknown (no market seen yet)" if rents else ""
    expected, worst = map(_dollars, plan.total_cost())
    stopped = f"; {plan.cost.stopped}" if plan.cost.stopped else ""
    return f", about {expected}, at worst {worst} ({plan.cost.basis()}){stopped}"


def _dollars(text: str | None) -> str | None:
    return None if text is None else f"${Decimal(text):.4f}"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
