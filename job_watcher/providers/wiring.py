"""What the wiring of every provider is given."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol

from job_watcher.liveness import Pulse
from job_watcher.readiness import Moment
from job_watcher.work_folder import Slot
from lib.dispatch import DispatchParts
from lib.jobqueue import JobQueue
from lib.settings import Settings

AHEAD = 4  # jobs a worker holds: one spoken, the others ready so that the engine never idles


@dataclass(frozen=True, slots=True)
class Given:
    """The parts that all providers share. What a provider opens it puts on `stack`, to be closed at the end.

    `parts` are for a dispatcher of this process; `renewals` is a second connection to the same queue.
    """

    settings: Settings
    url: str  # of the queue's server
    slot: Slot
    host_name: str
    parts: DispatchParts
    renewals: JobQueue
    stack: contextlib.ExitStack
    pulse: Pulse  # told at each turn of the loop
    moment: Moment  # told where to ask for what is at hand


class Runs(Protocol):
    """A watcher, whoever runs the machines.

    Threads: one; `drain` any.
    Raises: Unavailable, BadConfiguration and TryAgain, where it cannot work.
    """

    def run(self) -> None:
        """Work until drained."""
        ...

    def run_once(self) -> int:
        """Work until nothing waits and nothing is held; returns how many jobs were settled."""
        ...

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done; the second call hands it over now."""
        ...
