"""`job-runner cancel`: withdraw a job that is not finished."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, RequestIdArgument
from lib.jobqueue import JobState
from lib.jobs.cancel import cancel

EXAMPLES = ("job-runner cancel topic:beat-001",)


def command(
    request_id: RequestIdArgument, redis_url: RedisUrlOption = None, json_: JsonOption = False
) -> int:
    """Withdraw a job that waits, is delayed or runs; a running one is given up at once.

    A job that is done or failed stays as it is and its state is named, with exit status 65. A canceled
    one is canceled already: that is no error. `retry` puts it back.
    """
    with wiring.open_queue(redis_url) as queue:
        done = cancel(queue, request_id)
    if json_:
        output.emit_json(done.to_json())
    if done.canceled and not json_:
        output.say_state("canceled", f": {request_id}, which was {done.before.value}")
    elif done.state is JobState.CANCELED:
        output.note(f"{request_id} is canceled" + ("" if done.canceled else " already"))
    else:
        output.error(f"{request_id} is {done.state.value} and cannot be withdrawn; nothing was changed")
    return done.exit_status
