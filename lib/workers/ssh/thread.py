"""One thread that drives the connections of all machines, and the door into it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_CLOSING_S: Final = 5.0


class Overdue(Exception):
    """What was asked of the thread did not come about in time; it was called off."""


class SshThread:
    """An event loop in a thread of its own, started by the first call. A context manager.

    Threads: any.
    Raises: RuntimeError from calls after `close`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._closers: list[Callable[[], Coroutine[Any, Any, None]]] = []

    def __enter__(self) -> SshThread:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Have `work` done in the thread, and wait for nothing."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._running())
        except RuntimeError:
            work.close()
            raise

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Have `work` done in the thread and wait for it.

        Raises:
            Overdue: it took longer than `timeout_s` seconds.
            Whatever `work` raises.
        """
        future = self.begin(work)
        try:
            return future.result(timeout_s)
        except concurrent.futures.TimeoutError:
            if future.done() and not future.cancelled():
                return future.result()  # it raised that itself, or came about at the last moment
            future.cancel()
            raise Overdue from None
        except concurrent.futures.CancelledError:
            raise Overdue from None

    def at_end(self, closer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have `closer` done in the thread before it ends."""
        with self._lock:
            self._closers.append(closer)

    def close(self) -> None:
        """End the thread, and with it every connection. Repeatable."""
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(self._end(), loop)
        with contextlib.suppress(concurrent.futures.TimeoutError):
            ending.result(_CLOSING_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10.0)

    async def _end(self) -> None:
        await asyncio.gather(*(closer() for closer in self._closers), return_exceptions=True)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the thread of the SSH connections has been closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_drive, args=(self._loop,), name="ssh", daemon=True)
                self._thread.start()
            return self._loop


def _drive(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped, then end what still goes on in it."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=5.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
