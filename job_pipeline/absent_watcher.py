"""What a run waits for when the queue has its jobs and no watcher is there to speak them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lib.pipeline.views import RunView

_ENDED: Final = frozenset({"done", "failed", "canceled"})


def seen_with_queue(found: RunView, lacks_watcher: Callable[[], bool]) -> RunView:
    """The same, with the missing watcher named at each stage that waits for one.

    The ledger cannot know that. The queue is asked only where a stage has open jobs in it.
    """
    jobs = {job["task"] for job in found.jobs if job["state"] not in _ENDED}
    waiting = {task.name for task in found.line.tasks if task.parked_at is not None and task.name in jobs}
    if not waiting or not lacks_watcher():
        return found
    waits = [
        replace(wait, sentence=f"{wait.sentence}, and no watcher lives", command="job-watcher run")
        if wait.stage in waiting
        else wait
        for wait in found.waits
    ]
    return replace(found, waits=waits)
