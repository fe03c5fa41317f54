"""`job-runner pause`: stop giving out jobs."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobs.pause import Held, hold
from lib.units import jobs_text

EXAMPLES = ("job-runner pause",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> None:
    """Stop giving out jobs. Those that run are finished, and enqueueing goes on; `resume` ends it."""
    with wiring.open_queue(redis_url) as queue:
        show_change(hold(queue, paused=True), as_json=json_)


def show_change(held: Held, *, as_json: bool) -> None:
    """Say how the queue is now, and whether it was so before."""
    if as_json:
        output.emit_json(held.to_json())
        return
    now = held.now
    if now.paused:
        output.say(
            f"The queue is {'now' if held.changed else 'already'} paused. At work, to be finished: "
            f"{jobs_text(now.pending)}. Held back: {jobs_text(now.waiting + now.delayed)}. "
            "Go on with: job-runner resume"
        )
    else:
        output.say(
            f"The queue is {'going on' if held.changed else 'not paused'}. Waiting: {jobs_text(now.waiting)}."
        )
