"""A worker of the history test: claims, renews, completes, and writes down what it did, until it is killed.

    python -m tests.integration.jobqueue.history_worker URL NAME LOG LEASE_MS

A line per fact, in one write each, so that a kill leaves whole lines: what, job, revision, lease number, own
clock.
"done" is written when the server has accepted the result; the effect is the record, which names this lease.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from lib.errors import Unavailable
from lib.jobqueue import ErrorClass, Failure, JobQueue, Lease, LeaseLost, QueueOptions, connect


class Worker:
    """One process's life."""

    def __init__(self, queue: JobQueue, name: str, log: int, chance: random.Random) -> None:
        self._queue = queue
        self._name = name
        self._log = log
        self._chance = chance

    def run(self) -> None:
        """Work until killed; an unreachable server is waited for."""
        while True:
            try:
                for lease in self._queue.claim(self._name, count=4, block_s=1.0):
                    self._work(lease)
            except Unavailable:
                time.sleep(0.05)

    def _work(self, lease: Lease) -> None:
        try:
            self._tell("claimed", lease)
            lease = self._queue.begin(lease)
            time.sleep(self._chance.uniform(0, 0.004))
            if self._queue.renew([lease]):
                self._tell("lost", lease)
                return
            if self._chance.random() < 0.02:
                self._queue.fail(lease, Failure(ErrorClass.LOST_MACHINE, "drawn"))
                self._tell("failed", lease)
                return
            result = {"by": self._name, "lease_no": lease.lease_no, "text": lease.spec.text}
            # As a real one: asked for again with the same, a job that is done is a duplicate.
            result["callback_data"] = dict(lease.spec.callback_data)
            self._queue.complete(lease, result)
            self._tell("done", lease)
        except LeaseLost:
            self._tell("lost", lease)

    def _tell(self, what: str, lease: Lease) -> None:
        facts = (what, lease.request_id, lease.revision, lease.lease_no, time.monotonic())
        os.write(self._log, f"{' '.join(map(str, facts))}\n".encode())


def patient(url: str, options: QueueOptions) -> JobQueue:
    """The queue, as soon as the server is there."""
    while True:
        try:
            return connect(url, options, patience_s=30)
        except Unavailable:
            time.sleep(0.05)


def main() -> None:
    """Begin."""
    url, name, log, lease_ms = sys.argv[1:]
    queue = patient(url, QueueOptions(lease_ms=int(lease_ms), lost_limit=1000, events_max=10_000_000))
    descriptor = os.open(Path(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    Worker(queue, name, descriptor, random.Random(name)).run()


if __name__ == "__main__":
    main()
