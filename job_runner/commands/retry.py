"""`job-runner retry`: failed and canceled jobs back into the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.history import SinceOption
from job_runner.job_selection import is_one, require_any
from job_runner.names_warning import tell_of_replaced
from lib.cli import output
from lib.cli.moments import moment
from lib.cli.options import JsonOption, OfFileOption, RedisUrlOption, RequestIdsArgument, YesOption
from lib.clock import SystemClock
from lib.errors import UsageError
from lib.jobqueue import ErrorClass, JobQueue
from lib.jobs.retry import RETRIABLE, failed_ids, refusal, retriable_of, retry, state_of
from lib.jobs.selection import Selection, select
from lib.units import jobs_text

EXAMPLES = (
    "job-runner retry topic:beat-001",
    "job-runner retry --failed --error-class transient",
)


def command(
    request_ids: RequestIdsArgument = None,
    file: OfFileOption = None,
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
    """Requeue failed and canceled jobs, or with --failed all failed ones, with fresh attempts.

    Any other job stays as it is; where it was asked for by its id, its state is named, with exit status 65.
    Asks before it changes anything; without a terminal and without --yes the exit status is 2.
    """
    words = request_ids or []
    if failed and (words or file is not None):
        one = words[0] if words else f"--file {file}"
        raise UsageError(f"--failed means all failed jobs, and {one} those named; leave one of the two away")
    if not failed and not words and file is None:
        raise UsageError(
            "name what to put back: a job as in job-runner retry topic:beat-001, a topic with topic/, the "
            "jobs of --file FILE, or all that failed with job-runner retry --failed; "
            "job-runner history --status failed lists them"
        )
    if not failed:
        require_any(words, file)
    if not failed and (error_class or since):
        raise UsageError("--error-class and --since choose among the jobs of --failed; add that, too")
    earliest = None if since is None else moment(since, SystemClock().now())
    with wiring.open_queue(redis_url) as queue:
        if not failed and is_one(words, file):
            return _one(queue, words[0], yes=yes, as_json=json_)
        if not failed:
            return _chosen(queue, select(queue, words, file), yes=yes, as_json=json_)
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


def _chosen(queue: JobQueue, chosen: Selection, *, yes: bool, as_json: bool) -> int:
    found = retriable_of(queue, chosen)
    jobs = jobs_text(found.retriable)
    tell_of_replaced(queue, found.wanted)
    if found.retriable and not output.confirm(f"Requeue {jobs} of {len(chosen.ids)}?", yes=yes):
        output.note("nothing was changed")
        return 0
    retried = retry(queue, found.wanted)
    if as_json:
        output.emit_json({**retried.to_json(), "absent": list(chosen.absent)})
    else:
        for outcome in retried.outcomes:
            if outcome.retried:
                was = found.states[outcome.request_id].value
                output.say_state("waiting", f": {outcome.request_id}, which was {was}")
    left = f"; {found.left} did not end badly and stay as they are" if found.left else ""
    output.note(f"requeued {retried.requeued} of {len(chosen.ids)}{left}")
    if chosen.absent_sentence:
        output.note(chosen.absent_sentence)
    for outcome in retried.outcomes:
        if not outcome.retried:
            output.error(refusal(outcome).message)
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
