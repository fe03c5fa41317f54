"""Renews every lease the watcher holds, from a thread that no slow store and no engine can stall."""

from __future__ import annotations

import logging
import threading

from job_watcher.holdings import Holdings
from lib.errors import JobRunnerError
from lib.jobqueue import JobQueue

log = logging.getLogger(__name__)


class Renewal:
    """One batched renew per tick, a third of the lease apart, over the thread's own connection."""

    def __init__(self, queue: JobQueue, holdings: Holdings, *, lease_ms: int) -> None:
        self._queue, self._holdings, self._lease_ms = queue, holdings, lease_ms
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-renewal", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Leases still held run out by themselves, or are released by the caller."""
        self._ended.set()
        self._thread.join(timeout=10.0)

    def tick(self) -> None:
        """Renew all leases once; mark those that are lost.

        A server that does not answer is no loss yet: the next tick asks again, and if it stays away the
        queue's fence refuses what we would write.
        """
        leases = [holding.lease for holding in self._holdings.all()]
        if not leases:
            return
        try:
            self._holdings.mark_lost(self._queue.renew(leases, lease_ms=self._lease_ms))
        except JobRunnerError as error:
            log.warning("leases not renewed, trying again: %s", error)
        except Exception:  # whatever it is, a thread that ends silently would lose every lease
            log.exception("leases not renewed, trying again")

    def _run(self) -> None:
        while not self._ended.wait(self._lease_ms / 3000):
            self.tick()
