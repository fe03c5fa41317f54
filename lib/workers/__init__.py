"""Where resident workers run: one port, an adapter for each kind of place."""

from __future__ import annotations

from lib.workers.local import LeftSpool, LocalHost, SpoolRoom, WorkerSetup
from lib.workers.port import WorkerDeath, WorkerHost
from lib.workers.process import WorkerProcess

__all__ = [
    "LeftSpool",
    "LocalHost",
    "SpoolRoom",
    "WorkerDeath",
    "WorkerHost",
    "WorkerProcess",
    "WorkerSetup",
]
