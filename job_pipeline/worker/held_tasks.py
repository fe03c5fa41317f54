"""The tasks that a worker holds, and the thread that keeps their leases from running out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final

from job_pipeline.database_trouble import DatabaseTrouble
from lib.clock import Clock
from lib.errors import JobRunnerError
from lib.pipeline.claims import lost_leases, renew
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.work import ClaimedTask

log = logging.getLogger(__name__)

#: How soon it is noticed, at the latest, that a run was canceled whose task is at work.
_LOOK_S: Final = 2.0


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

    `lost` hears of each task whose lease is gone, in this thread: its work must stop. Between renewals it is
    looked every two seconds whether some are gone, so that the work of a run that is canceled ends soon.
    While the database is away the work goes on, for it may be back before the leases run out.

    Threads: any.
    Raises: nothing.
    """

    def __init__(
        self,
        ledger: PipelineLedger,
        held: HeldTasks,
        lost: Callable[[ClaimedTask], None],
        *,
        owner: str,
        lease_s: float,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._ledger, self._held, self._lost = ledger, held, lost
        self._owner, self._lease_s, self._clock = owner, lease_s, clock
        self._trouble = DatabaseTrouble(log, "stage", "the renewal of leases", chance)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        renew_at = self._clock.monotonic() + self._lease_s / 3
        pause = self._pause_s(renew_at)
        while not self._stopped.wait(pause):
            is_due = self._clock.monotonic() >= renew_at
            try:
                gone = self._gone(is_due)
            except JobRunnerError as error:
                pause = min(self._lease_s / 3, self._trouble.failed(error))
                continue
            except Exception:  # without this thread every lease would run out
                log.exception("leases were not renewed")
                pause = min(self._lease_s / 3, _LOOK_S)
                continue
            self._trouble.over()
            if is_due:
                renew_at = self._clock.monotonic() + self._lease_s / 3
            pause = self._pause_s(renew_at)
            for task in gone:
                if task in self._held:  # else its end was written meanwhile
                    self._lost(task)

    def _gone(self, is_due: bool) -> list[ClaimedTask]:
        held = self._held.all()
        if is_due:
            return renew(self._ledger, held, owner=self._owner, lease_s=self._lease_s)
        return lost_leases(self._ledger, held, owner=self._owner)

    def _pause_s(self, renew_at: float) -> float:
        return min(_LOOK_S, max(0.0, renew_at - self._clock.monotonic()))

    def close(self) -> None:
        """Renew nothing any more."""
        self._stopped.set()
        self._thread.join()
