"""Speaks the jobs of a manifest here, through resident workers, and can be killed at any moment.

Whatever is finished stays: results lie at their places, or in a spool that the next execution takes them
from. One loop in one thread; the workers are processes of their own.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from job_runner.execution_slots import Slot, Slots, WorkerMaker
from job_runner.execution_tasks import FINAL, ExecutionRecord, Task, TaskState
from lib.clock import Clock
from lib.errors import BadConfiguration, ExitStatus, Unavailable
from lib.manifest import Inputs, Manifest, OutFolder, deliver, finished_result
from lib.providers import WorkerDeath
from lib.spool import ErrorClass, InvalidSpoolData, Phase, ResultError, SpoolResult

_AHEAD: Final = 4  # jobs a worker holds, so that its engine never waits for us
_LOOK_EVERY: Final = 0.25  # seconds without news
_TELL_EVERY: Final = 0.1
_TIMEOUT_GRACE: Final = 10.0
_POISON: Final = 2  # deaths of workers that had one job at hand, after which it gets no other
_MOST_DEATHS: Final = 4  # of one worker in a row, without a job to blame
_STOP_GRACE: Final = 10.0  # seconds an idle worker gets
_PIECE_GRACE: Final = 90.0  # seconds a worker gets for the job at hand, more than it takes by itself


@dataclass(frozen=True, slots=True)
class Look:
    """What the one who watches is told, several times a second."""

    todo: int  # jobs that were not done before
    settled: int  # of those
    failed: int
    skipped: int
    running: tuple[str, ...]  # request ids


@dataclass(frozen=True, slots=True)
class Setup:
    """What an execution is made of; wired in the commands, or by a test."""

    folder: OutFolder
    manifest: Manifest
    inputs: Sequence[Inputs]
    engine: str
    make_worker: WorkerMaker
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
        self.tasks = [Task.of(inputs) for inputs in setup.inputs]
        self.record = ExecutionRecord(
            setup.folder, setup.manifest, self.tasks, engine=setup.engine, clock=setup.clock
        )
        self._by_entry = {task.entry: task for task in self.tasks}
        self._waiting: deque[Task] = deque()
        self._slots = Slots(setup.folder, setup.make_worker)
        self._open = 0  # jobs that are not settled
        self._next_tell = 0.0

    def run(self) -> dict[str, Any]:
        """Speak what is not done; returns what `execution.json` holds at the end.

        Its `state` is done, failed (some job is), or interrupted (`stop_requested` said so).

        Raises:
            BadConfiguration: the worker cannot run here.
            Unavailable: the worker keeps ending before it speaks anything.
        """
        settled = False
        try:
            self._slots.find_left()
            if not self._setup.force:
                self._skip_finished()
            self._waiting.extend(task for task in self.tasks if task.state is TaskState.WAITING)
            self._open = len(self._waiting)
            self.record.save("running")
            self._setup.started(self.record.path)
            self._take_what_is_left()
            self._work()
            settled = True
        finally:
            self._slots.close(remove=settled)
            if not settled:
                self._take_back(self.tasks)
                with contextlib.suppress(OSError):  # a full disk is what the caller hears of already
                    self.record.save("interrupted")
        return self.record.save(self._end_state())

    def _end_state(self) -> str:
        counts = self.record.counts()
        if counts[TaskState.WAITING] or counts[TaskState.RUNNING]:
            return "interrupted"
        return "failed" if counts[TaskState.FAILED] else "done"

    def _skip_finished(self) -> None:
        for task in self.tasks:
            finished = finished_result(self._setup.folder, task.inputs)
            if finished is not None:
                task.finish(TaskState.SKIPPED, finished, finished.work_seconds)

    # --- the loop ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._open:
            self._slots.open(min(self._setup.workers, self._open))
        try:
            while self._open and not self._setup.stop_requested():
                self._pass()
                self._tell()
                self._wait()
            stopped = self._open > 0
        except Exception:
            self._stop_workers(grace=_STOP_GRACE)
            raise
        self._leave() if stopped else self._stop_workers(grace=_STOP_GRACE)
        self._tell(at_once=True)

    def _pass(self) -> None:
        for slot in self._slots.ours:
            if slot.worker is not None:
                death = slot.worker.tend()
                if death is not None:
                    self._bury(slot, death)
        self._take_what_is_left()
        for slot in self._slots.ours:
            self._look_into(slot)
        self._hand_out()
        self._stop_overdue()
        self.record.save_if_due()

    def _look_into(self, slot: Slot) -> None:
        """Settle what is finished, note what is being worked on."""
        for entry, phase in slot.phases().items():
            task = slot.held.get(entry) or self._by_entry.get(entry)
            if phase is Phase.OUTBOX:
                self._settle(slot, entry, task)
            elif phase is Phase.WORK and task is not None and task.state is TaskState.WAITING:
                task.state, task.running_since = TaskState.RUNNING, self._clock.monotonic()
                slot.held[entry] = task

    def _hand_out(self) -> None:
        """Fill the workers evenly, so that none holds the last jobs while another is idle."""
        for depth in range(1, _AHEAD + 1):
            for slot in self._slots.ours:
                while len(slot.held) < depth and (task := self._next()) is not None:
                    slot.held[task.entry] = task
                    slot.spool.submit(task.spool_job())

    def _next(self) -> Task | None:
        """The next job that nobody has, neither a worker of ours nor one that was left."""
        while self._waiting:
            task = self._waiting.popleft()
            held = any(task.entry in slot.held for slot in self._slots)
            if task.state is TaskState.WAITING and not held:
                return task
        return None

    def _wait(self) -> None:
        """Until a worker has something; with several, each is listened to in turn."""
        slots = list(self._slots)
        for slot in slots if self._open else ():
            slot.spool.wait(_LOOK_EVERY / max(1, len(slots) * (4 if len(slots) > 1 else 1)))

    def _tell(self, *, at_once: bool = False) -> None:
        now = self._clock.monotonic()
        if now < self._next_tell and not at_once:
            return
        self._next_tell = now + _TELL_EVERY
        counts = self.record.counts()
        skipped = counts[TaskState.SKIPPED]
        failed = counts[TaskState.FAILED]
        running = tuple(task.name for task in self.tasks if task.state is TaskState.RUNNING)
        settled = counts[TaskState.DONE] + failed
        self._setup.on_look(Look(len(self.tasks) - skipped, settled, failed, skipped, running))

    # --- results -----------------------------------------------------------------------------------------

    def _settle(self, slot: Slot, entry: str, task: Task | None) -> None:
        """Bring a result to its place. The spool keeps it until it is there."""
        slot.held.pop(entry, None)
        slot.deaths = 0
        if task is not None and task.state not in FINAL:
            try:
                self._accept(slot, entry, task)
            except InvalidSpoolData as error:
                task.attempts += 1
                task.refuse(ErrorClass.ENGINE, error.message)
            self._open -= task.state in FINAL
        slot.spool.acknowledge(entry)
        if task is not None and task.state is TaskState.WAITING:
            self._waiting.appendleft(task)

    def _accept(self, slot: Slot, entry: str, task: Task) -> None:
        result = slot.spool.result(entry)
        if result is None:
            raise InvalidSpoolData("The worker's result vanished from the spool.")
        if result.error is None:
            finished = deliver(self._setup.folder, task.inputs, slot.spool, result)
            task.attempts += 1
            task.finish(TaskState.DONE, finished, _seconds(result))
        else:
            self._refuse(task, result, result.error)

    def _refuse(self, task: Task, result: SpoolResult, error: ResultError) -> None:
        task.seconds = _seconds(result)
        task.attempts += error.error_class is not ErrorClass.POISON  # its deaths were counted
        if error.error_class is ErrorClass.CANCELED:  # only `_stop_overdue` does that
            task.refuse(ErrorClass.TIMEOUT, "The job ran over its timeout_s and its worker hung.")
        else:
            task.refuse(error.error_class, error.message, error.log or task.log)

    # --- what killed executions left ---------------------------------------------------------------------

    def _take_what_is_left(self) -> None:
        """Take finished work, let a worker that is still at a piece finish it, take back the rest."""
        for slot in list(self._slots.left):
            served = slot.is_served()  # before the outbox is read: then nothing comes after
            self._take_back(slot.withdraw())
            if served or not self._setup.force:
                self._look_into(slot)
            if not served:
                self._take_back(slot.held.values())
                self._slots.drop(slot)

    def _take_back(self, tasks: Iterable[Task]) -> None:
        """Another worker ended without finishing these."""
        for task in tasks:
            if task.state not in FINAL:
                task.state, task.running_since = TaskState.WAITING, None
                self._waiting.appendleft(task)

    # --- trouble -----------------------------------------------------------------------------------------

    def _bury(self, slot: Slot, death: WorkerDeath) -> None:
        """The worker died; the next one takes the job at hand up again, but not a third time."""
        last = " ".join(death.log_tail[-1:])
        if death.status == ExitStatus.BAD_CONFIGURATION:
            raise BadConfiguration(f"The speech worker cannot run here: {last}")
        task = slot.held.get(slot.at_hand() or "")
        if death.blames_the_job and task is not None:
            task.error = f"The speech worker died ({death.sentence}) while it worked on this job."
            task.log = death.log_tail
            task.attempts += 1
            task.deaths += 1
            if task.deaths >= _POISON:
                task.refuse(ErrorClass.POISON, task.error, task.log)
                self._open -= 1
                slot.spool.cancel(task.entry)  # so that the next worker gives it back unspoken
                del slot.held[task.entry]
            return
        slot.deaths += 1
        if slot.deaths > _MOST_DEATHS:
            raise Unavailable(
                f"The speech worker ended {slot.deaths} times in a row ({death.sentence}) before it spoke "
                f"anything. Its last line: {last}"
            )

    def _stop_overdue(self) -> None:
        """A worker ends a job over its `timeout_s` itself; one that hangs too long to do so is restarted."""
        now = self._clock.monotonic()
        for slot in self._slots.ours:
            for entry, task in slot.held.items():
                limit = task.inputs.order.spec.timeout_s
                if limit is None or task.running_since is None or slot.worker is None:
                    continue
                if now - task.running_since > limit + _TIMEOUT_GRACE:
                    task.running_since = None
                    slot.spool.cancel(entry)  # so that the next worker gives it back
                    slot.worker.restart()

    # --- endings -----------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """Stop because somebody asked: the piece at hand is finished, the rest is left for the next time."""
        for slot in self._slots.ours:
            self._take_back(slot.withdraw())
        for slot in self._slots.ours:
            slot.stop(grace=_PIECE_GRACE)
            self._look_into(slot)
            self._take_back(slot.held.values())

    def _stop_workers(self, grace: float) -> None:
        for slot in self._slots.ours:
            slot.stop(grace)


def _seconds(result: SpoolResult) -> float:
    return max(0.0, result.finished_at - result.started_at)
