"""Holding the whole queue, and letting it go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.jobqueue import JobQueue, Snapshot


@dataclass(frozen=True, slots=True)
class Held:
    """How the queue is now, and whether it was so before."""

    now: Snapshot
    changed: bool

    def to_json(self) -> dict[str, Any]:
        """The value of `pause --json` and `resume --json` (docs/reference/json/pause.json)."""
        counts = {
            "waiting": self.now.waiting,
            "pending": self.now.pending,
            "delayed": self.now.delayed,
        }
        return {"paused": self.now.paused, "changed": self.changed, **counts}


def hold(queue: JobQueue, *, paused: bool) -> Held:
    """Stop giving out jobs, or give them out again; those that run are finished either way."""
    before = queue.snapshot()
    if paused:
        queue.pause()
    else:
        queue.resume()
    now = queue.snapshot()
    return Held(now, now.paused is not before.paused)
