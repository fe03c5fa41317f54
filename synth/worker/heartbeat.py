"""The heartbeat of a resident worker."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lib.clock import Clock
from lib.spool import Heartbeat, SpoolUnusable, WorkerSpool, WorkerState

_PROGRESS_EVERY_S: Final = 0.2


class HeartbeatWriter:
    """Writes the heartbeat: at once for what is new, else not more often than anyone would look.

    A thread repeats the last one while the others are busy for long, so that a heart that stands still means
    a process that stands still.
    """

    def __init__(self, spool: WorkerSpool, clock: Clock, engine: str, every_s: float) -> None:
        self._spool, self._clock, self._every_s = spool, clock, every_s
        self._beat = Heartbeat(os.getpid(), WorkerState.LOADING, 0.0, clock.now(), engine, 0)
        self._last = float("-inf")
        self._lock = threading.Lock()
        self._finished = 0

    def keep(self, state: WorkerState, entries: tuple[str, ...] = (), done: int = 0, total: int = 0) -> None:
        """Write if the state or the jobs at hand are new, or the last beat is old enough."""
        every = _PROGRESS_EVERY_S if entries else self._every_s
        new = state is not self._beat.state or (bool(entries) and entries != self._beat.entries)
        if new or self._clock.monotonic() - self._last >= every:
            self.beat(state, entries, done, total)

    def beat(self, state: WorkerState, entries: tuple[str, ...] = (), done: int = 0, total: int = 0) -> None:
        """Write now. `entries` are the jobs at hand, `done` of their `total` pieces are spoken."""
        with self._lock:
            self._beat = replace(self._beat, state=state, entries=entries, pieces_done=done, pieces=total)
            self._write()

    def count_finished(self) -> None:
        """One more job has its result. Threads: any."""
        with self._lock:
            self._finished += 1

    @contextlib.contextmanager
    def repeated(self) -> Iterator[None]:
        """Write the last beat again whenever it grows old, as long as the context lasts."""
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(self._every_s):
                with self._lock, contextlib.suppress(SpoolUnusable):  # the main thread finds out and says so
                    if self._clock.monotonic() - self._last >= self._every_s:
                        self._write()

        thread = threading.Thread(target=repeat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _write(self) -> None:
        self._last = self._clock.monotonic()
        self._beat = replace(self._beat, at=self._clock.now(), finished=self._finished)
        self._spool.beat(self._beat)
