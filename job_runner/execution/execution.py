"""Speaks the jobs of a manifest here and can be killed at any moment: the dispatcher over a queue in memory.

Whatever is finished stays: results lie at their places, or in a spool that the next execution adopts them
from. One loop in one thread; the workers are processes of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from job_runner.execution.delivery import FolderDelivery
from job_runner.execution.task_tracking import ExecutionFile, TrackedState, TrackedTask, Tracker
from lib.clock import Clock
from lib.dispatch import Dispatcher, DispatchLimits, DispatchParts, LeftSpools, MemoryJournal
from lib.jobqueue import QueueOptions
from lib.jobqueue.memory.queue import MemoryQueue
from lib.jobspec import JobSpec
from lib.manifest import Inputs, Manifest, OutFolder, complete_captions, finished_result
from lib.manifest.folder import WORKROOM
from lib.records import ExecutionRecord
from lib.spool import SpoolFull
from lib.workers import SpoolRoom, WorkerHost

_LOOK_EVERY_S: Final = 0.25  # without news
_TELL_EVERY_S: Final = 0.1
_FOR_EVER_MS: Final = 10**10  # nobody else could take a job of a queue that only we know
_STOP_GRACE_S: Final = 10.0  # an idle worker gets
_PIECE_GRACE_S: Final = 90.0  # a worker gets for the job at hand, more than it takes by itself


@dataclass(frozen=True, slots=True)
class Look:
    """The progress of an execution, given to whoever displays it several times a second."""

    todo: int  # jobs that were not done before
    settled: int  # of those
    failed: int
    skipped: int
    running: tuple[str, ...]  # request ids


@dataclass(frozen=True, slots=True)
class Setup:
    """What an execution is made of; wired in the commands, or by a test.

    `make_hosts` makes that many hosts whose spools lie in `room`; `ahead` says how many jobs each of so many
    workers holds.
    """

    folder: OutFolder
    manifest: Manifest
    inputs: Sequence[Inputs]
    engine: str
    room: SpoolRoom
    make_hosts: Callable[[SpoolRoom, int], Sequence[WorkerHost]]
    ahead: Callable[[int], int]
    clock: Clock
    workers: int = 1
    force: bool = False
    on_look: Callable[[Look], None] = lambda look: None
    stop_requested: Callable[[], bool] = lambda: False
    started: Callable[[Path], None] = lambda record: None  # told where execution.json lies


class Execution:
    """One run over a manifest whose folder the caller has locked. Made once, run once."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._clock = setup, setup.clock
        self.tasks = [TrackedTask(inputs) for inputs in setup.inputs]
        self.file = ExecutionFile(
            setup.folder, setup.manifest, self.tasks, engine=setup.engine, clock=setup.clock
        )
        self._queue = MemoryQueue(_options(len(self.tasks)), now_ms=lambda: round(setup.clock.now() * 1000))
        self._tracker = Tracker(self._queue, self.tasks)
        self._dispatcher = Dispatcher(self._parts())
        self._left: LeftSpools | None = None
        self._next_tell = 0.0

    def run(self) -> ExecutionRecord:
        """Speak what is not done; returns what `execution.json` holds at the end.

        Its `state` is done, failed (some job is), or interrupted (`stop_requested` said so).

        Raises:
            BadConfiguration: the worker cannot run here.
            Unavailable: the worker keeps ending before it speaks anything.
            SpoolFull: the disk is full.
        """
        settled = False
        try:
            self._setup.folder.need_parents(f"{WORKROOM}/")
            if not self._setup.force:
                self._skip_finished()
            waiting = [task for task in self.tasks if task.state is TrackedState.WAITING]
            self._queue.enqueue([_as_queued(task.inputs.order.spec) for task in waiting])
            self.file.save("running")
            self._setup.started(self.file.path)
            if waiting:
                self._work(len(waiting))
            self._tell(at_once=True)
            settled = True
        finally:
            self._close(remove=settled)
            if not settled:
                self._tracker.interrupt()
                with contextlib.suppress(OSError):  # a full disk is what the caller hears of already
                    self.file.save("interrupted")
        return self.file.save(self._end_state())

    def _parts(self) -> DispatchParts:
        setup = self._setup
        work = {inputs.order.spec.request_id: inputs for inputs in setup.inputs}
        return DispatchParts(
            name="execution",
            provider="local",
            queue=self._queue,
            delivery=FolderDelivery(setup.folder, work, setup.clock),
            journal=MemoryJournal(),
            clock=setup.clock,
            limits=DispatchLimits(lease_ms=_FOR_EVER_MS, keep_s=float("inf")),
            fingerprint=lambda lease: work[lease.request_id].hash,
        )

    def _end_state(self) -> str:
        counts = self.file.counts()
        if counts[TrackedState.WAITING] or counts[TrackedState.RUNNING]:
            return "interrupted"
        return "failed" if counts[TrackedState.FAILED] else "done"

    def _skip_finished(self) -> None:
        for task in self.tasks:
            finished = finished_result(self._setup.folder, task.inputs)
            if finished is not None:
                complete_captions(self._setup.folder, task.inputs, finished)
                task.skip(finished)

    # --- the loop ----------------------------------------------------------------------------------------

    def _work(self, jobs: int) -> None:
        dispatcher, setup = self._dispatcher, self._setup
        # With `force` what a killed execution left is not wanted: it stays until nobody is at it any more.
        self._left = LeftSpools(dispatcher, () if setup.force else setup.room.left())
        workers = min(setup.workers, jobs)
        ahead = setup.ahead(workers)
        for host in setup.make_hosts(setup.room, workers):
            dispatcher.add(host, lambda: ahead)
        try:
            while not self._tracker.finished and not setup.stop_requested():
                self._pass()
                if not self._tracker.finished:
                    dispatcher.wait(_LOOK_EVERY_S)
            if not self._tracker.finished:
                self._leave()
        except Exception:  # who must leave at once is no Exception: workers end with their parent
            dispatcher.stop_workers(_STOP_GRACE_S)
            raise
        dispatcher.stop_workers(_STOP_GRACE_S)

    def _pass(self) -> None:
        assert self._left is not None, "set before the first pass"
        self._dispatcher.step()  # first: what a killed execution left is seen before its jobs are claimed
        self._left.look()
        self._dispatcher.claim()
        self._tracker.look()
        if self._dispatcher.trouble is not None and not self._tracker.finished:
            raise SpoolFull(self._dispatcher.trouble)
        self.file.save_if_due()
        self._tell()

    def _tell(self, *, at_once: bool = False) -> None:
        now = self._clock.monotonic()
        if now < self._next_tell and not at_once:
            return
        self._next_tell = now + _TELL_EVERY_S
        counts = self.file.counts()
        skipped, failed = counts[TrackedState.SKIPPED], counts[TrackedState.FAILED]
        running = tuple(task.name for task in self.tasks if task.state is TrackedState.RUNNING)
        settled = counts[TrackedState.DONE] + failed
        self._setup.on_look(Look(len(self.tasks) - skipped, settled, failed, skipped, running))

    # --- endings -----------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """Stop because somebody asked: the piece at hand is finished, the rest is left for the next time."""
        self._dispatcher.end()
        self._dispatcher.withdraw()
        self._dispatcher.stop_workers(_PIECE_GRACE_S)
        self._dispatcher.step()
        self._tracker.look()
        self._tracker.interrupt()

    def _close(self, *, remove: bool) -> None:
        """Let go of everything; `remove` leaves no trace in the folder, unless somebody is at work there."""
        left = self._left
        if remove and left is not None:
            left.look(last=True)
            left.look(last=True)
        self._dispatcher.close()
        if left is not None:
            left.close()
        served = any(spool.is_served() for spool in self._setup.room.left())
        if remove and not served:
            self._setup.folder.remove_tree(WORKROOM)


def _options(jobs: int) -> QueueOptions:
    """A queue that forgets nothing and tries again at once."""
    return QueueOptions(
        lease_ms=_FOR_EVER_MS,
        history_max=jobs + 1,
        max_depth=jobs + 1,
        events_max=50 * (jobs + 1),
        backoff_base_s=0.0,
        backoff_cap_s=0.0,
    )


def _as_queued(spec: JobSpec) -> JobSpec:
    """The job in the order of the manifest, now: whoever runs it here did not ask for another time."""
    return replace(spec, not_before=None, priority="normal")


__all__ = ["Execution", "Look", "Setup"]
