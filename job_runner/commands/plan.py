"""`job-runner plan`: what a job file would make, without making it."""

from __future__ import annotations

from job_runner import wiring
from job_runner.planning import Plan, RegistryCheck, plan_job_file
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, VoicesDirOption
from lib.errors import BadInput, ExitStatus
from lib.units import seconds_text
from lib.voices import VoiceRegistry


def command(
    path: JobFileArgument,
    voices_dir: VoicesDirOption = None,
    json_: JsonOption = False,
) -> int:
    """Check a job file and show what it would make; nothing is enqueued or spoken.

    Needs no server. Exit status 65 when anything is wrong; every problem is listed with its line.
    """
    settings = wiring.settings({"VOICES_DIR": str(voices_dir) if voices_dir else None})
    check = RegistryCheck(VoiceRegistry([settings.voices_dir]), settings.voice_engine)
    plan = plan_job_file(path, check)
    if json_:
        output.emit_json(plan.to_json())
    elif plan.jobs:
        _show(plan)
    if plan.warnings:
        count = len(plan.warnings)
        head = (
            "1 text will not be spoken whole." if count == 1 else f"{count} texts will not be spoken whole."
        )
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
            output.Column("cost", "right"),
            output.Column("text", wrap=True),
        ]
    )
    for job in plan.jobs:
        spec = job.spec
        table.row(
            spec.request_id,
            f"{spec.output_name}.{spec.format}",
            spec.voice or spec.speaker,
            len(spec.text),
            f"~{seconds_text(job.estimated_audio_s)}",
            None,
            job.preview,
        )
    table.show()
    totals = plan.totals()
    output.say(
        f"{_counted(totals['jobs'], 'job')}, {_counted(totals['takes'], 'take')}, "
        f"{_counted(totals['characters'], 'character')}, "
        f"about {seconds_text(totals['estimated_audio_s'])} of audio, cost unknown"
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
