"""`job-runner pause`: stop giving out jobs."""

from __future__ import annotations

from job_runner import wiring
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobqueue import JobQueue, Snapshot
from lib.units import jobs_text

EXAMPLES = ("job-runner pause",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> None:
    """Stop giving out jobs. Those that run are finished, and enqueueing goes on; `resume` ends it."""
    with wiring.open_queue(redis_url) as queue:
        before = queue.snapshot()
        queue.pause()
        show_change(queue, before, as_json=json_)


def show_change(queue: JobQueue, before: Snapshot, *, as_json: bool) -> None:
    """Say how the queue is now, and whether it was so before."""
    now = queue.snapshot()
    changed = now.paused is not before.paused
    if as_json:
        counts = {"waiting": now.waiting, "pending": now.pending, "delayed": now.delayed}
        output.emit_json({"paused": now.paused, "changed": changed, **counts})
        return
    word = "now" if changed else "already"
    if now.paused:
        output.say(
            f"The queue is {word} paused. At work, to be finished: {jobs_text(now.pending)}. "
            f"Held back: {jobs_text(now.waiting + now.delayed)}. Go on with: job-runner resume"
        )
    else:
        output.say(
            f"The queue is {'going on' if changed else 'not paused'}. Waiting: {jobs_text(now.waiting)}."
        )
