"""`job-runner wait`: follow jobs to their end."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.display.live_view import how_to_go_on, progress_of, watchful
from job_runner.job_selection import require_any
from lib.cli import output
from lib.cli.options import JsonOption, OfFileOption, RedisUrlOption, RequestIdsArgument
from lib.errors import ExitStatus
from lib.jobqueue import FinishedJob
from lib.jobs.follow import Followed, message_of
from lib.jobs.selection import select

EXAMPLES = (
    "job-runner wait topic:beat-001 topic:beat-002",
    "job-runner wait topic:beat-001 --timeout 60",
)


def command(
    request_ids: RequestIdsArgument = None,
    file: OfFileOption = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", min=0, help="Give up after so long.", show_default=False
        ),
    ] = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Wait until the jobs are finished, and say how each ended.

    A topic stands for the jobs that are in the queue when this begins. Exit status 0 when all are done, 1
    when one failed, was canceled or replaced, 75 when the time is over before all are finished, 65 when a
    job is not known.
    """
    require_any(request_ids, file)
    with wiring.open_queue(redis_url) as queue:
        chosen = select(queue, request_ids or [], file)
        chosen.require_all()
        jobs = Followed(queue, chosen.ids)
        with how_to_go_on("job-runner wait ..."), progress_of(jobs) as look:
            jobs.follow(watchful(queue, look), timeout_s=timeout)
        results = jobs.results()
    if json_:
        output.emit_json(jobs.to_json(results))
    else:
        _show(jobs, results)
    return jobs.exit_status


def _show(jobs: Followed, results: list[FinishedJob | None]) -> None:
    for request_id, finished in zip(jobs.request_ids, results, strict=True):
        error = message_of(finished)
        output.say_state(jobs.state_word(request_id), f"{request_id}{f': {error}' if error else ''}", pad=10)
    if jobs.exit_status is ExitStatus.TRY_AGAIN:
        left = len(jobs.request_ids) - jobs.settled
        output.note(f"the time is over; not finished: {left} of {len(jobs.request_ids)}")
