"""The connections to one database: some kept open, more while there is work for them, never above a bound."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import exc
from sqlalchemy.pool import ConnectionPoolEntry, Pool

_IDLE_S: Final = 60.0


class BoundedPool(Pool):
    """At most `most` connections; one that was not needed for a minute is closed down to `kept`.

    The library's own pool either keeps every connection for ever or opens those above its size anew for
    each transaction. Those in use longest ago are closed when another is given back. With `kept` 0 each is
    closed after use. `clock` gives seconds that never go back.

    Threads: any. Raises `sqlalchemy.exc.TimeoutError` when all are in use for `wait_s` seconds.
    """

    def __init__(
        self,
        creator: Any,
        kept: int = 1,
        most: int = 10,
        wait_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        **kw: Any,
    ) -> None:
        super().__init__(creator, **kw)
        self._kept, self._most, self._wait_s, self._clock = kept, most, wait_s, clock
        self._idle_s = _IDLE_S if kept else 0.0
        self._idle: deque[tuple[float, ConnectionPoolEntry]] = deque()  # the one used last at the right
        self._open = 0
        self._disposed = False
        # Reentrant: a connection that nobody gave back comes home while memory is collected, at any line.
        self._returned = threading.Condition(threading.RLock())

    def _do_get(self) -> ConnectionPoolEntry:
        with self._returned:
            if not self._returned.wait_for(lambda: self._idle or self._open < self._most, self._wait_s):
                raise exc.TimeoutError(f"all {self._most} connections are in use")
            if self._idle:
                return self._idle.pop()[1]
            self._open += 1
        try:
            return self._create_connection()
        except BaseException:
            with self._returned:
                self._open -= 1
                self._returned.notify()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        with self._returned:
            now = self._clock()
            self._idle.append((now, record))
            kept = 0 if self._disposed else self._kept
            stale = []
            while (
                self._idle
                and self._open > kept
                and (self._disposed or now - self._idle[0][0] >= self._idle_s)
            ):
                stale.append(self._idle.popleft()[1])
                self._open -= 1
            self._returned.notify()
        for each in stale:
            each.close()

    def recreate(self) -> BoundedPool:
        """An empty one with the same bounds."""
        return BoundedPool(
            self._creator,
            self._kept,
            self._most,
            self._wait_s,
            self._clock,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            pre_ping=self._pre_ping,
            dialect=self._dialect,
            _dispatch=self.dispatch,
        )

    def dispose(self) -> None:
        """Close what is not in use now, and the rest when it is given back."""
        with self._returned:
            self._disposed = True
            stale = [record for _, record in self._idle]
            self._idle.clear()
            self._open -= len(stale)
        for each in stale:
            each.close()

    def status(self) -> str:
        """One line for whoever debugs."""
        with self._returned:
            return f"{self._open} of at most {self._most} connections open, {len(self._idle)} of them idle"
