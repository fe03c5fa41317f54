"""`job-runner result`: finished jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.job_selection import is_one, require_any
from lib.cli import output
from lib.cli.options import JsonOption, OfFileOption, RedisUrlOption, RequestIdsArgument
from lib.clock import rfc3339
from lib.errors import ExitStatus, UsageError
from lib.jobqueue import TERMINAL, FinishedJob, JobRecord, JobState
from lib.jobs.advice import RECORD_GONE
from lib.jobs.results import ending_or_record
from lib.jobs.selection import Selection, select
from lib.jobs.several_results import Ending, endings_of, exit_status
from lib.storage import files_of, links_of

RevisionOption = Annotated[
    int | None,
    typer.Option("--revision", metavar="N", help="An earlier content of this id.", show_default=False),
]
LinkOption = Annotated[
    bool, typer.Option("--link", help="Print a URL by which anybody may read the audio for an hour.")
]
EXAMPLES = ("job-runner result topic:beat-001", "job-runner result --link topic:beat-001")


def command(
    request_ids: RequestIdsArgument = None,
    file: OfFileOption = None,
    revision: RevisionOption = None,
    link: LinkOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Show where a job's audio is and its measures, or why it failed; of several, a line for each.

    Exit status 65 when a job is not known, 1 when one failed, was canceled or lost its record, 75 while one
    is not finished.
    """
    require_any(request_ids, file)
    words = request_ids or []
    here = wiring.here(redis_url)
    with here.open_queue() as queue:
        if not is_one(words, file):
            if revision is not None:
                raise UsageError("--revision is of one job; name it alone, by its id")
            if link:
                raise UsageError("--link is of one job; name it alone, by its id")
            chosen = select(queue, words, file)
            return _show_many(chosen, endings_of(queue, here.storage(), chosen.ids), as_json=json_)
        finished = ending_or_record(queue, words[0], revision)
    if isinstance(finished, JobRecord):
        return _unfinished(finished, as_json=json_)
    done = finished.done()
    storage, takes = here.storage(), done.takes if done else ()
    files = files_of(storage, takes)
    links = links_of(storage, takes, files) if link else None
    if json_:
        asked = {"links": links} if link else {}
        output.emit_json({**finished.to_json(), "files": files, **asked})
    elif link and finished.state is JobState.DONE:
        _show_links(files, links)
    else:
        _show(finished, files, revision)
    return ExitStatus.OK if finished.state is JobState.DONE else ExitStatus.JOB_FAILED


def _show_many(chosen: Selection, endings: Sequence[Ending], *, as_json: bool) -> int:
    if as_json:
        jobs = [each.to_json() for each in endings]
        output.emit_json({"jobs": jobs, "absent": list(chosen.absent)})
    else:
        table = output.Table(
            [output.Column("state"), output.Column("request id"), output.Column("file or why", wrap=True)]
        )
        for each in endings:
            table.row(each.state.value, each.known.request_id, each.why)
        table.show()
    if chosen.absent_sentence:
        output.error(f"{chosen.absent_sentence}; enqueue the file to put them there")
        return ExitStatus.BAD_INPUT
    return exit_status(endings)


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


def _show(finished: FinishedJob, files: list[str], revision: int | None) -> None:
    done, error = finished.done(), finished.failure()
    spoken = done.spoken if done else None
    output.show_fields(
        {
            "request id": finished.request_id,
            "state": finished.state.value,
            **({"revision": finished.revision} if finished.revision > 1 or revision is not None else {}),
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


def _show_links(files: list[str], links: list[str] | None) -> None:
    """The links alone on stdout, for a player or curl; what there is instead is told."""
    for place in (files if links is None else links) or [""]:
        if place:
            output.say(place)
        else:
            output.warn("a take is gone from the store; see: job-runner report")
    if links is None:
        output.note(
            "The store is a folder: that is a path, which whoever may read it opens; no link is signed."
        )
    else:
        output.note("Anybody who has such a link may read that file for an hour.")


def _unit(value: object, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"
