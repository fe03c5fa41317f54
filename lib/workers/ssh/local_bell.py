"""Lets other threads wait, at a descriptor of this process, for what was heard from another machine."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import Final

_CAPACITY: Final = 1 << 16  # bytes; what a pipe holds


class LocalBell:
    """A pipe that is readable from a ring until it was heard.

    Threads: any.
    Raises: OSError from `fileno`, where the process has no descriptor left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None

    @property
    def hangs(self) -> bool:
        """Whether anybody has asked for the descriptor: before that no ring is heard."""
        return self._pipe is not None

    def fileno(self) -> int:
        """The descriptor, the same each time."""
        with self._lock:
            if self._pipe is None:
                self._pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            return self._pipe[0]

    def ring(self) -> None:
        """Make it readable, if it hangs."""
        with self._lock:
            if self._pipe is not None:
                with contextlib.suppress(BlockingIOError):  # full: it has been rung already
                    os.write(self._pipe[1], b"!")

    def hear(self) -> None:
        """Make it unreadable until the next ring."""
        with self._lock:
            if self._pipe is not None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._pipe[0], _CAPACITY)

    def wait(self, timeout_s: float) -> None:
        """Return when it rings, or after `timeout_s` seconds; takes the rings in."""
        select.select([self.fileno()], [], [], max(0.0, timeout_s))
        self.hear()

    def close(self) -> None:
        """Give back the pipe."""
        with self._lock:
            if self._pipe is not None:
                for end in self._pipe:
                    os.close(end)
                self._pipe = None
