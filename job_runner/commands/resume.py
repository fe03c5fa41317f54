"""`job-runner resume`: give out jobs again."""

from __future__ import annotations

from job_runner import wiring
from job_runner.commands.pause import show_change
from lib.cli.options import JsonOption, RedisUrlOption
from lib.jobs.pause import hold

EXAMPLES = ("job-runner resume",)


def command(redis_url: RedisUrlOption = None, json_: JsonOption = False) -> None:
    """Give out jobs again after `pause`. Nothing changes when the queue is not paused."""
    with wiring.open_queue(redis_url) as queue:
        show_change(hold(queue, paused=False), as_json=json_)
