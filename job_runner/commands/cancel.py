"""`job-runner cancel`: withdraw jobs that are not finished."""

from __future__ import annotations

from job_runner import wiring
from job_runner.job_selection import is_one, require_any
from lib.cli import output
from lib.cli.options import JsonOption, OfFileOption, RedisUrlOption, RequestIdsArgument
from lib.jobqueue import JobState
from lib.jobs.cancel import Canceled, CanceledMany, cancel, cancel_many
from lib.jobs.selection import select

EXAMPLES = ("job-runner cancel topic:beat-001",)


def command(
    request_ids: RequestIdsArgument = None,
    file: OfFileOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Withdraw jobs that wait, are delayed or run; a running one is given up at once.

    A job that is done or failed stays as it is; where it was asked for by its id, its state is named, with
    exit status 65. A canceled one is canceled already: that is no error. `retry` puts them back.
    """
    require_any(request_ids, file)
    words = request_ids or []
    with wiring.open_queue(redis_url) as queue:
        if not is_one(words, file):
            many = cancel_many(queue, select(queue, words, file))
            _show_many(many, as_json=json_)
            return many.exit_status
        done = cancel(queue, words[0])
    if json_:
        output.emit_json(done.to_json())
    if not json_ or not done.canceled:
        _show(done)
    return done.exit_status


def _show(done: Canceled) -> None:
    request_id = done.request_id
    if done.canceled:
        output.say_state("canceled", f": {request_id}, which was {done.before.value}")
    elif done.state is JobState.CANCELED:
        output.note(f"{request_id} is canceled already")
    else:
        output.error(f"{request_id} is {done.state.value} and cannot be withdrawn; nothing was changed")


def _show_many(many: CanceledMany, *, as_json: bool) -> None:
    withdrawn = [each for each in many.answers if each.canceled]
    if as_json:
        output.emit_json(many.to_json())
    else:
        for each in withdrawn:
            _show(each)
    left = f"; {len(many.left)} done or failed stay as they are" if many.left else ""
    output.note(f"canceled {len(withdrawn)} of {len(many.answers)}{left}")
    if many.chosen.absent_sentence:
        output.note(many.chosen.absent_sentence)
    for each in many.refused:
        _show(each)
