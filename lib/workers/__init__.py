"""Where resident workers run: one port, an adapter for each kind of place."""

from __future__ import annotations

from lib.workers.local_host import LeftSpool, LocalHost, SpoolRoom, WorkerSetup
from lib.workers.worker_death import WorkerDeath
from lib.workers.worker_host import WorkerHost
from lib.workers.worker_process import WorkerProcess

__all__ = [
    "LeftSpool",
    "LocalHost",
    "SpoolRoom",
    "WorkerDeath",
    "WorkerHost",
    "WorkerProcess",
    "WorkerSetup",
]
