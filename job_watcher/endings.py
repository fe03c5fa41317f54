"""How a job leaves the watcher: failed, handed back, or dropped because it is not ours any more."""

from __future__ import annotations

import logging

from job_watcher.holdings import Holding
from job_watcher.parts import Parts
from lib.errors import JobRunnerError
from lib.jobqueue import Failure, JobState, LeaseLost
from lib.spool import Phase

log = logging.getLogger(__name__)


class Endings:
    """Says to the queue what was decided, then forgets the job. Every step may be repeated."""

    def __init__(self, parts: Parts) -> None:
        self._queue, self._spool = parts.queue, parts.spool
        self._journal, self._holdings = parts.journal, parts.holdings
        self.settled = 0  # jobs that got a result or failed for good

    def carry_out(self) -> None:
        """End the jobs whose `ending` is decided. What the queue does not hear now it hears next time."""
        for holding in self._holdings.all():
            if isinstance(holding.ending, Failure):
                self.fail(holding, holding.ending)
            elif holding.ending is not None:
                self.release(holding, holding.ending)

    def fail(self, holding: Holding, failure: Failure) -> None:
        """Record the failure and let the worker drop the job."""
        try:
            state = self._queue.fail(holding.lease, failure)
            log.warning("%s is %s: %s", holding.lease.request_id, state.value, failure.message)
            self.settled += state is JobState.FAILED
        except LeaseLost as error:
            log.warning("%s", error)
        self.leave(holding)

    def release(self, holding: Holding, reason: str) -> None:
        """Hand the job back and let the worker drop it."""
        try:
            self._queue.release(holding.lease, reason)
        except LeaseLost as error:
            log.warning("%s", error)
        self.leave(holding)

    def leave(self, holding: Holding) -> None:
        """The job is not ours any more."""
        self.forget(holding)
        self.abandon(holding.entry)

    def forget(self, holding: Holding) -> None:
        """Strike it from the books."""
        self._holdings.drop(holding.entry)
        self._journal.forget(holding.entry)

    def abandon(self, entry: str) -> None:
        """Let the worker drop the entry, wherever it is; its remains are removed when they come out."""
        self._journal.forget(entry)
        phase = self._spool.entries().get(entry)
        if phase is Phase.OUTBOX:
            self._spool.acknowledge(entry)
        elif phase is not None and not self._spool.withdraw(entry):
            self._spool.cancel(entry)

    def release_rest(self) -> None:
        """On the way out after an error: hand back what can be; the rest waits in the journal.

        Finished audio stays in the spool with its lease, for the next watcher here to settle. Never raises.
        """
        try:
            phases = self._spool.entries()
            for holding in self._holdings.all():
                if phases.get(holding.entry) is not Phase.OUTBOX:
                    self.release(holding, "the watcher ends")
        except JobRunnerError as error:
            log.warning("not every job was handed back, their leases run out by themselves: %s", error)
