"""Looks on while a rehearsal runs: has ordered faults happen, and tells of what the company's machines do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from job_watcher.rehearsal.ordered_faults import FAULTS, OrderedFault
from job_watcher.rehearsal.vast import FakeVast
from job_watcher.rehearsal.vast.instances import RentedInstance
from lib.events import TRANSITION
from lib.jobqueue import JobQueue, JobState
from lib.machines.labels import parse_label

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2
_JOBS_S: Final = 0.5
_ENDED: Final = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


class Stoppable(Protocol):
    """What an onlooker needs of a watcher.

    Threads: any.
    Raises: nothing.
    """

    def drain(self) -> None:
        """End soon; the second call at once."""
        ...


def tell(sentence: str, event: str, **fields: object) -> None:
    """Put something that the rehearsal itself does among what the watcher tells of."""
    log.info("%s", sentence, extra={TRANSITION: {"event": event, **fields}})


def end(watcher: Stoppable) -> None:
    """Have a watcher end now: what it has at hand is handed back."""
    watcher.drain()
    watcher.drain()


class Onlooker:
    """A thread beside the watcher, from `start` to `stop`. When its time is over the watcher is ended.

    Threads: one; `stop` waits for the thread that it starts, after which everything may be read.
    Raises: nothing; what goes wrong in its thread is in the log.
    """

    def __init__(
        self,
        ids: Sequence[str],
        fake: FakeVast,
        queue: JobQueue,
        watcher: Stoppable,
        faults: Sequence[OrderedFault],
        *,
        limit_s: float,
    ) -> None:
        self._ids, self._fake, self._queue, self._watcher = ids, fake, queue, watcher
        self._faults, self._limit_s = list(faults), limit_s
        self._began = self._looked = 0.0
        self._seen: dict[int, int] = {}
        self._gone: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rehearsal onlooker", daemon=True)
        self.first_audio_s: float | None = None
        self.happened = list[str]()
        self.too_late = False

    @property
    def missed(self) -> tuple[str, ...]:
        """The kinds of the faults that were ordered and did not happen yet."""
        return tuple(fault.kind for fault in tuple(self._faults))

    def start(self) -> None:
        """Look on from now."""
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> float:
        """Look once more, and no more; the seconds since the beginning."""
        self._over.set()
        self._thread.join()
        self._watch_instances()
        return time.monotonic() - self._began

    def count(self, *states: JobState) -> int:
        """How many of the jobs are in one of these states. Raises Unavailable."""
        return sum(job is not None and job.state in states for job in self._queue.jobs(self._ids))

    # --- its thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over.wait(_LOOK_S):
            try:
                self._look()
            except Exception:  # a rehearsal goes on without what it shows
                log.exception("something of the rehearsal is not shown")
            if time.monotonic() - self._began > self._limit_s:
                self.too_late = True
                end(self._watcher)
                return

    def _look(self) -> None:
        now = time.monotonic()
        self._watch_instances()
        if self.first_audio_s is None and now - self._looked > _JOBS_S:
            self._looked = now
            if self.count(JobState.DONE):
                self.first_audio_s = now - self._began
        for fault in tuple(self._faults):
            if fault.due(now - self._began, self.first_audio_s is not None):
                self._have_happen(fault)

    def _have_happen(self, fault: OrderedFault) -> None:
        act: Callable[[FakeVast], str | None] = FAULTS[fault.kind]
        sentence = act(self._fake)
        if sentence is not None:
            self._faults.remove(fault)
            self.happened.append(fault.kind)
            tell(f"as ordered, {sentence}", "fault", kind=fault.kind)

    def _watch_instances(self) -> None:
        for each in self._fake.instances():
            steps = [text for _, text in each.history]
            for step in steps[self._seen.get(each.id, 0) :]:
                _tell_of(each, step.removeprefix("None: "))
            self._seen[each.id] = len(steps)
            if each.destroyed_at is not None and each.id not in self._gone:
                self._gone.add(each.id)
                _tell_of(each, "destroyed")


def _tell_of(instance: RentedInstance, step: str) -> None:
    label = parse_label(instance.label)
    status = step.partition(":")[0]
    tell(
        f"instance {instance.id} ({instance.host.gpu_name}) is {step.rstrip(': ')}",
        "instance",
        instance=str(instance.id),
        status=status,
        **({} if label is None else {"machine": label.token}),
    )
