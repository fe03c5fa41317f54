"""Where resident workers run: one port, an adapter for each kind of place."""

from __future__ import annotations

from lib.workers.local import LeftSpool, LocalHost, SpoolRoom, WorkerSetup
from lib.workers.process import WorkerProcess
from lib.workers.worker_host import WorkerDeath, WorkerHost

__all__ = [
    "LeftSpool",
    "LocalHost",
    "SpoolRoom",
    "WorkerDeath",
    "WorkerHost",
    "WorkerProcess",
    "WorkerSetup",
]
