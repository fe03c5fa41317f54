"""Workers whose watcher a test has killed: each would speak on for half a minute, as it should."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

from lib.files import is_locked
from lib.spool import layout


def end_workers(data: Path) -> None:
    """SIGKILL the workers of a data folder that still have their spool's lock."""
    for spool in data.glob("watchers/*/spool-*"):
        if is_locked(spool / layout.WORKER_LOCK):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                told = json.loads((spool / layout.HEARTBEAT).read_text())
                os.kill(told["pid"], signal.SIGKILL)
