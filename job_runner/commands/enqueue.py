"""`job-runner enqueue`: a job file into the queue, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.cap_warning import warn_of_caps
from job_runner.display.live_view import how_to_go_on, progress_of, watchful
from job_runner.display.results import show_results
from job_runner.names_warning import held_names, tell_of_held
from lib.cli import output
from lib.cli.options import (
    DryRunOption,
    JobFileArgument,
    JsonOption,
    RedisUrlOption,
    SpeakerOption,
    VoiceOption,
    WaitOption,
)
from lib.clock import rfc3339
from lib.errors import UsageError
from lib.jobqueue import Changed, JobQueue, JobState, Outcome
from lib.jobs.follow import Batch
from lib.jobs.names import HeldName, taken_back
from lib.jobs.results import ResultRow, ending_of, result_rows
from lib.jobs.submit import ACCEPTED, Submission, exit_status, submit
from lib.jobspec import JobFile
from lib.storage import StorageUnavailable

_MOST_NAMED = 5
_PAD = 11  # the longest outcome and two blanks

SkipConflictsOption = Annotated[
    bool, typer.Option("--skip-conflicts", help="Enqueue the others when some ids conflict.")
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Speak jobs anew whose content was changed, under the same ids.")
]
DurableOption = Annotated[
    bool, typer.Option("--durable", help="Return only when the jobs are on the server's disk.")
]


EXAMPLES = (
    "job-runner enqueue jobs.yaml",
    "job-runner enqueue jobs.yaml --wait",
)


def command(
    path: JobFileArgument,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    skip_conflicts: SkipConflictsOption = False,
    replace: ReplaceOption = False,
    durable: DurableOption = False,
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Enqueue the jobs of a file: all of them or none, each request id once, however often this runs.

    Exit status 65 when a job is wrong or its id is known with other content, 75 when the queue is full;
    with --wait, 1 when a job ends badly. With --durable, 78 when the server cannot say what is on its disk.
    """
    here = wiring.here(redis_url)
    return enqueue_jobs(
        here.load_checked(path, voice=voice, speaker=speaker),
        changed=changed_of(skip_conflicts=skip_conflicts, replace=replace),
        durable=durable,
        wait=wait,
        dry_run=dry_run,
        here=here,
        as_json=json_,
    )


def changed_of(*, skip_conflicts: bool, replace: bool) -> Changed:
    """What the two options say of changed content.

    Raises:
        UsageError: both were given.
    """
    if skip_conflicts and replace:
        raise UsageError("give one of --skip-conflicts and --replace, not both")
    return Changed.SKIP if skip_conflicts else Changed.REPLACE if replace else Changed.REFUSE


def enqueue_jobs(
    file: JobFile,
    *,
    changed: Changed,
    durable: bool = False,
    wait: bool,
    dry_run: bool,
    here: wiring.Here,
    as_json: bool,
) -> int:
    """Enqueue checked jobs, say what became of each, and follow them if asked; returns the exit status."""
    with here.open_queue() as queue:
        warn_of_caps(here, file.specs)
        held = held_names(here.storage(), file.specs) if wait else []
        submission = submit(queue, file, changed=changed, dry_run=dry_run, durable=durable)
        if submission.kept:
            output.note(f"what is accepted is {submission.kept}")
        status = exit_status(submission, changed)
        if not as_json:
            _show(submission, dry_run=dry_run)
        _tell_of_names(queue, submission, here, held, dry_run=dry_run)
        if status or dry_run or not wait:
            if as_json:
                output.emit_json({**submission.to_json(), "dry_run": dry_run})
            if submission.refusal is not None and status:
                output.error(submission.refusal.message)
            return status
        accepted = {o.request_id for o in submission.outcomes if o.outcome in ACCEPTED}
        batch = Batch(queue, [spec for spec in file.specs if spec.request_id in accepted])
        with how_to_go_on("job-runner enqueue ... --wait, or job-runner report"), progress_of(batch) as look:
            batch.follow(watchful(queue, look))
        rows = result_rows(batch, here.storage(), held)
    _show_results(submission, rows, as_json=as_json)
    return ending_of(batch, rows)


def _tell_of_names(
    queue: JobQueue,
    submission: Submission,
    here: wiring.Here,
    held: Sequence[HeldName],
    *,
    dry_run: bool,
) -> None:
    """Whose audio will be replaced; what is done already and was asked for again gets its name at once."""
    done = [
        job.request_id
        for job in submission.outcomes
        if job.outcome is Outcome.DUPLICATE and job.state is JobState.DONE
    ]
    to_speak = {job.request_id for job in submission.outcomes if job.outcome in ACCEPTED}.difference(done)
    tell_of_held([name for name in held if name.request_id in to_speak])
    if done and not dry_run:
        _take_back(queue, done, here)


def _take_back(queue: JobQueue, done: Sequence[str], here: wiring.Here) -> None:
    """Publish what is in the store already, of jobs whose names hold the audio of others."""
    try:
        taken = taken_back(queue, here.storage(), done)
    except StorageUnavailable as error:
        output.warn(
            f"{error.message} So their names may hold other audio; job-runner up FILE puts theirs there."
        )
        return
    for request_id, name, owner in taken[:_MOST_NAMED]:
        output.note(f"{request_id} has its name {name} again, which held the audio of {owner}")
    if len(taken) > _MOST_NAMED:
        output.note(f"and {len(taken) - _MOST_NAMED} more")


def _show_results(submission: Submission, rows: list[ResultRow], *, as_json: bool) -> None:
    if as_json:
        output.emit_json(
            {**submission.to_json(), "dry_run": False, "results": [row.to_json() for row in rows]}
        )
    else:
        show_results(rows)


def _show(submission: Submission, *, dry_run: bool) -> None:
    for job in submission.outcomes:
        if job.outcome is Outcome.DUPLICATE and not output.is_verbose():
            continue  # as it was: the count tells
        known = f" ({job.state.value})" if job.state and job.outcome is Outcome.DUPLICATE else ""
        until = f", known until {rfc3339(job.dedup_until)}" if job.dedup_until else ""
        line = f"{job.request_id}{known}{until}"
        if dry_run:
            output.say(f"would be {job.outcome.value.ljust(_PAD)}{line}")
        else:
            output.say_state(job.outcome.value, line, pad=_PAD)
    output.note(f"{'would be: ' if dry_run else ''}{submission.sentence}")
    ended = [
        job.request_id for job in submission.outcomes if job.state in (JobState.FAILED, JobState.CANCELED)
    ]
    if ended:
        output.note(
            f"{len(ended)} of them ended without audio and are not tried again by this; see why with: "
            f"job-runner report FILE, and put one back with: job-runner retry {ended[0]}"
        )
