"""Renews the leases of every host that vouches, from a thread that no slow store and no engine can stall."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from lib.dispatch.hosts import HostRoster
from lib.dispatch.inflight import InFlightJob, InFlightJobs
from lib.errors import JobRunnerError
from lib.jobqueue import JobQueue

log = logging.getLogger(__name__)


class LeaseRenewer:
    """Sends one batched renew per tick, a third of the lease apart, over a connection of its own.

    A lease whose host was not heard of within the limit is not renewed: it runs out, and the job goes on
    elsewhere. The thread listens to the hosts itself, since the loop may be held up by a long upload.

    Threads: `start` and `stop` are the loop's; `tick` any: a claimer that was cut off renews, then claims.
    Raises: only `tick`, as it says; its own thread logs that and goes on.
    """

    def __init__(self, queue: JobQueue, roster: HostRoster, jobs: InFlightJobs, *, lease_ms: int) -> None:
        self._queue, self._roster, self._jobs, self._lease_ms = queue, roster, jobs, lease_ms
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def every_s(self) -> float:
        """Seconds between two ticks."""
        return self._lease_ms / 3000

    @property
    def threaded(self) -> bool:
        """Whether a thread renews."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to renew in a thread."""
        self._thread = threading.Thread(target=self._run, name="lease-renewal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Leases still held run out by themselves, or are released by the caller."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def tick(self) -> None:
        """Renew all leases whose hosts vouch; mark those that are lost.

        A server that does not answer is no loss yet: the next tick asks again, and if it stays away the
        queue's fence refuses what we would write.

        Raises:
            Unavailable, TryAgain: the queue does not answer, or this watcher does not lead.
        """
        jobs = self._jobs.all()
        troubled = {job.host for job in jobs if self._roster.in_trouble(job.host)}
        self._renew([job for job in jobs if job.host not in troubled], listen=True)
        # Each of these may take long to answer, or not to: it must not cost the others their leases, and a
        # loop that renews by itself asks them in its own pass.
        self._renew([job for job in jobs if job.host in troubled], listen=self.threaded)

    def _renew(self, jobs: Sequence[InFlightJob], *, listen: bool) -> None:
        if listen:
            for name in {job.host for job in jobs}:
                self._roster.listen(name)
        leases = [job.lease for job in jobs if self._roster.vouches(job)]
        if leases:
            self._jobs.mark_lost(self._queue.renew(leases, lease_ms=self._lease_ms))

    def _run(self) -> None:
        while not self._ended.wait(self.every_s):
            try:
                self.tick()
            except JobRunnerError as error:
                log.warning("leases not renewed, trying again: %s", error)
            except Exception:  # whatever it is, a thread that ends silently would lose every lease
                log.exception("leases not renewed, trying again")
