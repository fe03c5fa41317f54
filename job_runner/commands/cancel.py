"""`job-runner cancel`: withdraw a job that is not finished."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, RequestIdArgument
from lib.errors import ExitStatus
from lib.jobqueue import JobState, UnknownJob
from lib.jobs.retry import state_of


def command(
    request_id: RequestIdArgument, redis_url: RedisUrlOption = None, json_: JsonOption = False
) -> int:
    """Withdraw a job that waits, is delayed or runs; a running one is given up at once.

    A job that is done or failed stays as it is and its state is named, with exit status 65. A canceled
    one is canceled already: that is no error. `retry` puts it back.
    """
    with wiring.open_queue(redis_url) as queue:
        before = state_of(queue, request_id)
        outcome = queue.cancel(request_id)
        if outcome.state is None:
            raise UnknownJob(request_id, queue.nearest(request_id))
    if json_:
        output.emit_json(
            {"request_id": request_id, "canceled": outcome.canceled, "state": outcome.state.value}
        )
    if outcome.canceled and not json_:
        output.say_state("canceled", f": {request_id}, which was {before.value}")
    elif outcome.state is JobState.CANCELED:
        output.note(f"{request_id} is canceled" + ("" if outcome.canceled else " already"))
    else:
        output.error(f"{request_id} is {outcome.state.value} and cannot be withdrawn; nothing was changed")
        return ExitStatus.BAD_INPUT
    return ExitStatus.OK
