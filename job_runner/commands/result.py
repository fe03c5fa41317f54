"""`job-runner result`: one finished job."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, RequestIdArgument
from lib.clock import rfc3339
from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobRecord, JobState
from lib.jobs.advice import RECORD_GONE
from lib.jobs.results import ending_or_record
from lib.storage import files_of

RevisionOption = Annotated[
    int | None,
    typer.Option("--revision", metavar="N", help="An earlier content of this id.", show_default=False),
]
EXAMPLES = ("job-runner result topic:beat-001",)


def command(
    request_id: RequestIdArgument,
    revision: RevisionOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Show where a job's audio is and its measures, or why it failed.

    Exit status 1 when it failed, was canceled or lost its record, 75 while it is not finished, 65 for an
    unknown id.
    """
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        finished = ending_or_record(queue, request_id, revision)
    if isinstance(finished, JobRecord):
        return _unfinished(finished, as_json=json_)
    done = finished.done()
    files = files_of(here.storage(), done.takes) if done else []
    if json_:
        output.emit_json({**finished.to_json(), "files": files})
    else:
        _show(finished, files)
    return ExitStatus.OK if finished.state is JobState.DONE else ExitStatus.JOB_FAILED


def _unfinished(record: JobRecord, *, as_json: bool) -> int:
    request_id = record.request_id
    if as_json:
        since = rfc3339(record.since)
        output.emit_json({"request_id": request_id, "state": record.state.value, "since": since})
    if record.state in TERMINAL:
        output.note(f"{request_id} is {record.state.value}, and its record is lost; {RECORD_GONE}.")
        return ExitStatus.JOB_FAILED
    output.note(f"{request_id} is {record.state.value}; it has no result yet.")
    return ExitStatus.TRY_AGAIN


def _show(finished: FinishedJob, files: list[str]) -> None:
    done, error = finished.done(), finished.failure()
    spoken = done.spoken if done else None
    output.show_fields(
        {
            "request id": finished.request_id,
            "state": finished.state.value,
            "revision": finished.revision if finished.revision > 1 else None,
            "file": (files[0] or "gone from the store; see: job-runner report") if files else None,
            "seconds": spoken and spoken.audio_seconds,
            "loudness": _unit(spoken and spoken.chosen.loudness_lufs, "LUFS"),
            "peak": _unit(spoken and spoken.chosen.true_peak_dbtp, "dBTP"),
            "engine": spoken and spoken.engine,
            "attempts": finished.attempt,
            "finished": rfc3339(finished.finished_at),
            **({"error": f"{error.error_class}: {error.message}"} if error else {}),
        }
    )
    for warning in spoken.warnings if spoken else ():
        output.warn(warning)
    for other in files[1:]:
        output.say(f"take        {other}")
    for line in error.log if error else ():
        output.say(f"  | {line}")


def _unit(value: object, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"
