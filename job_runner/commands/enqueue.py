"""`job-runner enqueue`: a job file into the queue, once."""

from __future__ import annotations

from typing import Annotated

import typer

from job_runner import wiring
from job_runner.batch import Batch
from job_runner.commands.up import print_results, results_json, table_of
from job_runner.submission import Submission, exit_status, submit
from lib.cli import output
from lib.cli.options import DryRunOption, JobFileArgument, JsonOption, RedisUrlOption, WaitOption
from lib.clock import rfc3339
from lib.jobqueue import Outcome


def command(
    path: JobFileArgument,
    skip_conflicts: Annotated[
        bool, typer.Option("--skip-conflicts", help="Enqueue the others when some ids conflict.")
    ] = False,
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Enqueue the jobs of a file: all of them or none, each request id once, however often this runs.

    Exit status 65 when a job is wrong or its id is known with other content, 75 when the queue is full;
    with --wait, 1 when a job ends badly.
    """
    specs = wiring.load_checked(path)
    with wiring.open_queue(redis_url) as queue:
        submission = submit(queue, specs, skip_conflicts=skip_conflicts, dry_run=dry_run)
        status = exit_status(submission, skip_conflicts=skip_conflicts)
        if not json_:
            _show(submission, dry_run=dry_run)
        if status or dry_run or not wait:
            if json_:
                output.emit_json(submission.to_json())
            if submission.refusal is not None and status:
                output.error(submission.refusal.message)
            return status
        accepted = {o.request_id for o in submission.outcomes if o.outcome is not Outcome.CONFLICT}
        batch = Batch(queue, [spec for spec in specs if spec.request_id in accepted])
        with table_of(batch) as look:
            batch.follow(look)
        rows = results_json(batch, wiring.storage())
    if json_:
        output.emit_json({**submission.to_json(), "results": rows})
    else:
        print_results(rows)
    return batch.exit_status


def _show(submission: Submission, *, dry_run: bool) -> None:
    for job in submission.outcomes:
        known = f" ({job.state.value})" if job.state and job.outcome is Outcome.DUPLICATE else ""
        until = f", known until {rfc3339(job.dedup_until)}" if job.dedup_until else ""
        output.say(f"{job.outcome.value:9}  {job.request_id}{known}{until}")
    counts = ", ".join(f"{count} {name}" for name, count in submission.counts().items())
    output.note(f"{'would be: ' if dry_run else ''}{counts or 'no jobs'}")
