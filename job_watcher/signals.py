"""Lets SIGTERM and SIGINT drain the watcher: it finishes the work at hand, then ends.

What a first and a second signal mean is each watcher's `drain`.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

from job_watcher.providers.wiring import Runs


def drain_on_signals(watcher: Runs) -> None:
    """Drain at the first SIGTERM or SIGINT, hand everything back at the second.

    The handler only starts a thread: what `drain` does (a Redis command, a byte to a FIFO) takes locks
    that the interrupted code may hold.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=watcher.drain, name="drain", daemon=True).start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
