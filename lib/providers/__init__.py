"""Who lends us machines. One port, a folder or module for each provider."""

from __future__ import annotations

from lib.providers.local import LocalWorker
from lib.providers.port import ResidentWorker, WorkerDeath

__all__ = ["LocalWorker", "ResidentWorker", "WorkerDeath"]
