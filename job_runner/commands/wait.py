"""`job-runner wait`: follow jobs to their end."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.display.live_view import how_to_go_on, progress_of, watchful
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.errors import ExitStatus
from lib.jobqueue import FinishedJob
from lib.jobs.follow import Followed, message_of

EXAMPLES = (
    "job-runner wait topic:beat-001 topic:beat-002",
    "job-runner wait topic:beat-001 --timeout 60",
)


def command(
    request_ids: Annotated[
        list[str], typer.Argument(metavar="REQUEST_ID...", help="The jobs' ids.", show_default=False)
    ],
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

    Exit status 0 when all are done, 1 when one failed or was canceled, 75 when the time is over before all
    are finished, 65 for an unknown id.
    """
    with wiring.open_queue(redis_url) as queue:
        jobs = Followed(queue, request_ids)
        jobs.require_known()
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
