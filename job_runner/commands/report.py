"""`job-runner report`: a job file against the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JobFileArgument, JsonOption, RedisUrlOption, SpeakerOption, VoiceOption
from lib.clock import SystemClock
from lib.jobs.extra_audio import BesideJob
from lib.jobs.report import Report, report_on
from lib.jobspec import load_job_file
from lib.units import jobs_text

EXAMPLES = (
    "job-runner report jobs.yaml",
    "job-runner report jobs.yaml --extra",
)
_MOST_NAMED: Final = 10


def command(
    path: JobFileArgument,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    extra: Annotated[
        bool,
        typer.Option(
            "--extra", help="Name audio in the folders of the file that no job of it asks for, too."
        ),
    ] = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Show how each job of a file stands: in the queue, finished, and whether its audio is in the store.

    Exit status 0 when all are done, 1 when a job needs somebody (failed, canceled, changed, artifact_gone, or
    replaced by one that was asked for later), else 75 while one is missing, delayed, waiting or running.
    """
    specs = load_job_file(path, voice=voice, speaker=speaker).specs
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        report = report_on(queue, specs, here.storage(), SystemClock().now(), extra=extra, again=here.again)
    if json_:
        output.emit_json(report.to_json())
    else:
        _show(report)
    return report.exit_status


def _show(report: Report) -> None:
    table = output.Table(
        [output.Column("state"), output.Column("request id", wrap=True), output.Column("why", wrap=True)]
    )
    for row in report.rows:
        table.row(row.standing.value, row.spec.request_id, row.reason or "")
    table.show()
    totals = report.totals()
    words = [f"{count} {name}" for name, count in totals.items() if count and name != "jobs"]
    output.note(f"{jobs_text(totals['jobs'])}: {', '.join(words)}")
    if report.extra is not None:
        _show_extra(report.extra)


def _show_extra(extra: Sequence[BesideJob]) -> None:
    if not extra:
        output.note("nothing else lies in its folders, as far as the ids of jobs tell")
        return
    for job in extra[:_MOST_NAMED]:
        output.say(f"{job.file} is the audio of {job.request_id}, which is not in this file")
    if len(extra) > _MOST_NAMED:
        output.say(f"and {len(extra) - _MOST_NAMED} more")
    output.note("lines that were renamed or removed leave their audio, and another file may ask for it")
