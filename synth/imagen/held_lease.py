"""Holds the lease of a row while its picture is drawn, however long that takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from lib.errors import JobRunnerError


class HeldLease(contextlib.AbstractContextManager["HeldLease"]):
    """Renews every `every_s` seconds, in a thread of its own, until the block ends.

    `renew` says whether the row is still ours. A database that does not answer is asked again: meanwhile
    the lease may run out, and whoever claims the row then is safe, for what we write later is void.
    """

    def __init__(self, renew: Callable[[], bool], every_s: float) -> None:
        self._renew, self._every_s = renew, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hold the lease", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it still renews."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until it renews no more, at most so long."""
        self._thread.join(seconds)

    def __enter__(self) -> HeldLease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            with contextlib.suppress(JobRunnerError):
                if not self._renew():
                    return
