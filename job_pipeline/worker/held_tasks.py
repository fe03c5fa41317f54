"""The tasks that a worker holds, and the thread that keeps their leases from running out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from job_pipeline.database_trouble import DatabaseTrouble
from lib.errors import JobRunnerError
from lib.pipeline.claims import renew
from lib.pipeline.ledger import Ledger
from lib.pipeline.work import ClaimedTask

log = logging.getLogger(__name__)


class HeldTasks:
    """What was claimed and of which it is not yet known that its end is written.

    Threads: any.
    Raises: nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, str, int], ClaimedTask] = {}

    def add(self, tasks: Iterable[ClaimedTask]) -> None:
        """These were claimed."""
        with self._lock:
            self._tasks.update((_key(task), task) for task in tasks)

    def drop(self, tasks: Iterable[ClaimedTask]) -> None:
        """The ledger knows how these ended, or that they are somebody else's."""
        with self._lock:
            for task in tasks:
                self._tasks.pop(_key(task), None)

    def all(self) -> list[ClaimedTask]:
        """The tasks as they are now."""
        with self._lock:
            return list(self._tasks.values())

    def __contains__(self, task: ClaimedTask) -> bool:
        with self._lock:
            return _key(task) in self._tasks

    def __len__(self) -> int:
        with self._lock:
            return len(self._tasks)


def _key(task: ClaimedTask) -> tuple[str, str, int]:
    return task.run, task.name, task.lease_no


class LeaseHeartbeat:
    """Renews all leases in one call, three times in the time of one, on a connection of its own.

    `lost` hears of each task whose lease is gone, in this thread: its work must stop. While the database is
    away the work goes on, for it may be back before the leases run out.

    Threads: any.
    Raises: nothing.
    """

    def __init__(
        self,
        ledger: Ledger,
        held: HeldTasks,
        lost: Callable[[ClaimedTask], None],
        *,
        owner: str,
        lease_s: float,
        chance: Callable[[], float],
    ) -> None:
        self._ledger, self._held, self._lost = ledger, held, lost
        self._owner, self._lease_s = owner, lease_s
        self._trouble = DatabaseTrouble(log, "stage", "the renewal of leases", chance)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause = self._lease_s / 3
        while not self._stopped.wait(pause):
            try:
                gone = renew(self._ledger, self._held.all(), owner=self._owner, lease_s=self._lease_s)
            except JobRunnerError as error:
                pause = min(self._lease_s / 3, self._trouble.failed(error))
                continue
            self._trouble.over()
            pause = self._lease_s / 3
            for task in gone:
                if task in self._held:  # else its end was written meanwhile
                    self._lost(task)

    def close(self) -> None:
        """Renew nothing any more."""
        self._stopped.set()
        self._thread.join()
