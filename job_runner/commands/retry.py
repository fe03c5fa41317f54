"""`job-runner retry`: failed and canceled jobs back into the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.history import SinceOption
from job_runner.display.moments import moment
from job_runner.replacing import tell_of_replaced
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, YesOption
from lib.clock import SystemClock
from lib.errors import UsageError
from lib.jobqueue import ErrorClass, JobQueue
from lib.jobs.retry import RETRIABLE, failed_ids, refusal, retry, state_of

EXAMPLES = (
    "job-runner retry topic:beat-001",
    "job-runner retry --failed --error-class transient",
)


def command(
    request_id: Annotated[
        str | None, typer.Argument(metavar="REQUEST_ID", help="The job's id.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Every failed job.")] = False,
    error_class: Annotated[
        ErrorClass | None,
        typer.Option(
            "--error-class",
            help="Of these, only that class of failure; canceled: those that were withdrawn instead.",
            show_default=False,
        ),
    ] = None,
    since: SinceOption = None,
    yes: YesOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Requeue a failed or canceled job, or with --failed all failed ones, with fresh attempts.

    Any other job stays as it is and its state is named, with exit status 65. Asks before it changes
    anything; without a terminal and without --yes the exit status is 2.
    """
    if request_id is None and not failed:
        raise UsageError(
            "name what to put back: one job as in job-runner retry topic:beat-001, or all that failed with "
            "job-runner retry --failed; job-runner history --status failed lists them"
        )
    if request_id is not None and failed:
        raise UsageError(f"--failed means all failed jobs, and {request_id} one; leave one of the two away")
    if not failed and (error_class or since):
        raise UsageError("--error-class and --since choose among the jobs of --failed; add that, too")
    earliest = None if since is None else moment(since, SystemClock().now())
    with wiring.open_queue(redis_url) as queue:
        if request_id is not None:
            return _one(queue, request_id, yes=yes, as_json=json_)
        return _many(queue, error_class, earliest, yes=yes, as_json=json_)


def _one(queue: JobQueue, request_id: str, *, yes: bool, as_json: bool) -> int:
    state = state_of(queue, request_id)
    if state in RETRIABLE:
        tell_of_replaced(queue, [request_id])
    if state in RETRIABLE and not output.confirm(f"Requeue {request_id}, which is {state.value}?", yes=yes):
        output.note("nothing was changed")
        return 0
    retried = retry(queue, [request_id])
    outcome = retried.outcomes[0]
    if as_json:
        output.emit_json(retried.to_json())
    if not outcome.retried:
        output.error(refusal(outcome).message)
    elif not as_json:
        output.say_state("waiting", f": {request_id}, which was {state.value}")
    return retried.exit_status


def _many(
    queue: JobQueue, error_class: ErrorClass | None, since: float | None, *, yes: bool, as_json: bool
) -> int:
    ids = failed_ids(queue, error_class=error_class, since=since)
    word = "canceled" if error_class is ErrorClass.CANCELED else "failed"
    count = f"1 {word} job" if len(ids) == 1 else f"{len(ids)} {word} jobs"
    tell_of_replaced(queue, ids)
    if ids and not output.confirm(f"Requeue {count}?", yes=yes):
        output.note("nothing was changed")
        return 0
    retried = retry(queue, ids)
    if as_json:
        output.emit_json(retried.to_json())
    else:
        for outcome in retried.outcomes:
            if outcome.retried:
                output.say_state("waiting", f": {outcome.request_id}")
        output.note(f"requeued {retried.requeued} of {len(ids)}")
    for outcome in retried.outcomes:
        if not outcome.retried:
            output.warn(refusal(outcome).message)
    return 0
