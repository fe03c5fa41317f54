"""`job-runner wait`: follow jobs to their end."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.display.watching import how_to_go_on, progress_of, watchful
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.errors import BadInput, ExitStatus
from lib.jobqueue import FinishedJob, JobQueue, UnknownJob
from lib.jobs.follow import Followed


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
        _require_known(queue, jobs)
        with how_to_go_on("job-runner wait ..."), progress_of(jobs) as look:
            jobs.follow(watchful(queue, look), timeout_s=timeout)
        results = jobs.results()
    if json_:
        output.emit_json(
            {
                "jobs": [_row(jobs, name, end) for name, end in zip(jobs.request_ids, results, strict=True)],
                "counts": {state.value: count for state, count in jobs.counts().items()},
            }
        )
    else:
        _show(jobs, results)
    return jobs.exit_status


def _require_known(queue: JobQueue, jobs: Followed) -> None:
    """Raise for ids that the queue does not know, before anything is waited for."""
    records = queue.jobs(jobs.request_ids)
    unknown = [name for name, record in zip(jobs.request_ids, records, strict=True) if record is None]
    errors = [UnknownJob(name, queue.nearest(name)) for name in unknown[:5]]
    if len(unknown) == 1:
        raise errors[0]
    if unknown:
        more = [f"and {len(unknown) - 5} more"] if len(unknown) > 5 else []
        raise BadInput("\n".join([*(error.message for error in errors), *more]))


def _row(jobs: Followed, request_id: str, finished: FinishedJob | None) -> dict[str, object]:
    error = (finished.error or {}) if finished else {}
    return {
        "request_id": request_id,
        "state": jobs.states[request_id].value,
        "attempts": finished.attempt if finished else None,
        "error": error.get("message"),
    }


def _show(jobs: Followed, results: list[FinishedJob | None]) -> None:
    for request_id, finished in zip(jobs.request_ids, results, strict=True):
        error = ((finished.error or {}) if finished else {}).get("message")
        output.say_state(
            jobs.states[request_id].value, f"{request_id}{f': {error}' if error else ''}", pad=10
        )
    if jobs.exit_status is ExitStatus.TRY_AGAIN:
        left = len(jobs.request_ids) - jobs.settled
        output.note(f"the time is over; not finished: {left} of {len(jobs.request_ids)}")
