"""Waits until a host's spool rings, another thread of this process wakes it, or time is up."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterable

from lib.errors import Unavailable
from lib.spool import Files, SpoolUnusable
from lib.spool.layout import CLIENT_BELL


class Doorbell:
    """Wakes one waiting loop. Its descriptors are opened by the first wait.

    Threads: `wait` and `close` are the loop's; `wake` any.
    Raises: OSError from `wait`, where the process has no descriptor left.
    """

    def __init__(self) -> None:
        self._pipe: tuple[int, int] | None = None
        self._woken = False
        self._known: set[int] = set()
        self._lock = threading.Lock()

    def wake(self) -> None:
        """End the wait that goes on, or the next one."""
        with self._lock:
            self._woken = True
            if self._pipe is not None:
                with contextlib.suppress(BlockingIOError):  # full: it has been rung already
                    os.write(self._pipe[1], b"!")

    def wait(self, spools: Iterable[Files], timeout_s: float) -> None:
        """Return when one of `spools` rings, when woken, or after `timeout_s` seconds.

        A spool that cannot be heard (on a machine far away) is looked at when the time is over.
        """
        heard: dict[int, Files] = {}
        for files in spools:
            with contextlib.suppress(SpoolUnusable, Unavailable):
                bell = files.listen(CLIENT_BELL)
                if bell is not None:
                    heard[bell] = files
        fresh = heard.keys() - self._known  # what happened before a bell hung there was not heard: look first
        self._known = set(heard)
        reading = self._begin()
        if reading is None or fresh:
            return
        ready, _, _ = select.select([reading, *heard], [], [], max(0.0, timeout_s))
        self._end(reading)
        for bell in ready:
            if bell in heard:
                heard[bell].heard(CLIENT_BELL)

    def close(self) -> None:
        """Give back the descriptors."""
        with self._lock:
            if self._pipe is not None:
                for end in self._pipe:
                    os.close(end)
                self._pipe = None

    def _begin(self) -> int | None:
        """The descriptor to wait at; None when somebody has called already."""
        with self._lock:
            if self._woken:
                self._woken = False
                return None
            if self._pipe is None:
                self._pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            return self._pipe[0]

    def _end(self, reading: int) -> None:
        with self._lock:
            self._woken = False
            with contextlib.suppress(BlockingIOError):
                while os.read(reading, 4096):
                    pass
