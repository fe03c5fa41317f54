"""One run on the table: every change of it, as pure steps over its rows.

The ledger reads a run under its lock, makes a `Board`, lets it take steps, and writes what changed with the
events, in one transaction. Nothing here knows of a database, and time is passed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.pipeline.graph import Graph
from lib.pipeline.model import EventKind, RunRow, TaskRow, TrailEvent
from lib.pipeline.states import (
    MET,
    RUN_TRANSITIONS,
    TASK_TRANSITIONS,
    Hold,
    RunState,
    TaskEvent,
    TaskState,
    derive_run_state,
)

_TOLD = {
    RunState.COMPLETED: EventKind.JOB_COMPLETED,
    RunState.FAILED: EventKind.JOB_FAILED,
    RunState.CANCELED: EventKind.JOB_CANCELED,
}
_STOPPED = frozenset({RunState.PAUSED, RunState.FAILED, RunState.CANCELED, RunState.COMPLETED})
_NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_expires_at": None, "parked_at": None}


class IllegalTransition(RuntimeError):
    """The tables of `states` do not know this step: a mistake of ours, never of a user."""


class Board:
    """A run's rows while a transaction works on them.

    `tasks` are all of its tasks. After the steps, `run`, `changed`, `results` (JSON texts by task) and
    `events` are what is to be written.
    """

    def __init__(self, run: RunRow, tasks: Iterable[TaskRow], graph: Graph, now: float) -> None:
        self.run = self._before = run
        self.tasks = {task.name: task for task in tasks}
        self.graph = graph
        self.now = now
        self.changed: set[str] = set()
        self.results: dict[str, str] = {}
        self.frees_lane = False  # a task of a lane is no longer at work
        self.events: list[TrailEvent] = []
        self._told_by: Mapping[str, Any] = {}  # who brought the run out of its state, for the event of that

    @property
    def has_ready(self) -> bool:
        """Whether somebody could claim something of it, now or after a pause."""
        return any(task.ready_at is not None for task in self.tasks.values())

    @property
    def run_changed(self) -> bool:
        """Whether the run's own row is to be written."""
        return self.run != self._before

    def move(self, name: str, event: TaskEvent, **columns: Any) -> TaskRow:
        """Carry one task along one arrow of the table; `columns` change with it.

        Raises:
            IllegalTransition: there is no such arrow.
        """
        task = self.tasks[name]
        after = TASK_TRANSITIONS.get((task.state, event))
        if after is None:
            raise IllegalTransition(f"{self.run.id}/{name} is {task.state}; {event} is no step from there")
        if after is not TaskState.PROCESSING:
            columns = {**_NO_LEASE, "ready_at": None, "deadline_at": None, **columns}
        return self.set(name, state=after, since=self.now, **columns)

    def set(self, name: str, **columns: Any) -> TaskRow:
        """Change columns of a task without a step."""
        before = self.tasks[name]
        self.tasks[name] = task = before._replace(**columns)
        if before.lane is not None and before.is_at_work and not task.is_at_work:
            self.frees_lane = True
        self.changed.add(name)
        return task

    def tell(self, kind: EventKind, name: str | None = None, **data: Any) -> None:
        """Write an event, of a task if one is named; empty values are left out."""
        attempt = self.tasks[name].attempt if name else None
        told = {key: value for key, value in data.items() if value is not None}
        self.events.append(
            TrailEvent(run=self.run.id, kind=kind, at=self.now, task=name, attempt=attempt, data=told)
        )

    def hold(self, hold: Hold) -> None:
        """Pause or cancel the run, or let it go on."""
        self.run = self.run._replace(hold=hold)

    # What a worker reports

    def finished(self, name: str, *, input_hash: str | None) -> None:
        """The work of a task is done: it succeeded, or its gate opens."""
        task = self.tasks[name]
        about = {"error": None, "failures": 0, "input_hash": input_hash, "finished_at": self.now}
        about["jobs_attempt"] = 0
        seconds = None if task.started_at is None else round(max(0.0, self.now - task.started_at), 3)
        if task.gate is None:
            self.move(name, TaskEvent.SUCCEED, **about)
            self.tell(EventKind.STAGE_COMPLETED, name, seconds=seconds)
        else:
            self.move(name, TaskEvent.ASK, **about)
            self.tell(EventKind.STAGE_COMPLETED, name, seconds=seconds)
            self.tell(EventKind.GATE_PAUSE, name)

    def reused(self, name: str) -> None:
        """The inputs of a task are those of its last success: its result stands."""
        self.move(name, TaskEvent.SUCCEED, failures=0, finished_at=self.now)
        self.tell(EventKind.STAGE_COMPLETED, name, reused=True)

    def approved(self, name: str, operator: str, notes: str | None = None) -> None:
        """The gate of a task was opened to what follows."""
        self.move(name, TaskEvent.APPROVE)
        self.tell(EventKind.GATE_APPROVED, name, operator=operator, notes=notes)

    def rejected(self, name: str, operator: str, notes: str | None = None) -> None:
        """The gate of a task stays closed; the run waits until somebody lets the stage run anew."""
        self.move(name, TaskEvent.REJECT, input_hash=None)
        self.tell(EventKind.GATE_REJECTED, name, operator=operator, notes=notes)
        self.hold(Hold.PAUSED)

    def failed(self, name: str, error: str, *, retry_in_s: float, for_good: bool = False) -> None:
        """An attempt failed; the task waits `retry_in_s`, or is dead if that was its last one."""
        task = self.tasks[name]
        failures = task.failures + 1
        last = for_good or failures >= task.max_attempts
        about: dict[str, Any] = {"failures": failures, "error": error}
        if last:
            self.move(name, TaskEvent.EXHAUST, finished_at=self.now, **about)
        else:
            self.move(name, TaskEvent.FAIL, ready_at=self.now + retry_in_s, **about)
        retry = None if last else round(retry_in_s, 3)
        self.tell(EventKind.STAGE_FAILED, name, error=error, retry_in_s=retry, dead=last or None)

    def expired(self, name: str) -> None:
        """The lease of a task ran out: its worker is gone or asleep. The attempt counts."""
        task = self.tasks[name]
        error = f"the worker {task.lease_owner} let its lease run out"
        failures = task.failures + 1
        last = failures >= task.max_attempts
        event = TaskEvent.EXHAUST if last else TaskEvent.EXPIRE
        self.move(name, event, failures=failures, error=error, **({"finished_at": self.now} if last else {}))
        self.tell(EventKind.STAGE_FAILED, name, error=error, expired=True, dead=last or None)

    def released(self, name: str, why: str) -> None:
        """A worker gives a task back that it did not carry out; the attempt does not count."""
        self.move(name, TaskEvent.RELEASE)
        self.tell(EventKind.STAGE_RELEASED, name, why=why)

    def parked(self, name: str, jobs: int) -> None:
        """The queue has the work of a task; it holds no lease and no lane until the queue is done."""
        self.set(name, **{**_NO_LEASE, "parked_at": self.now})
        self.tell(EventKind.STAGE_PARKED, name, jobs=jobs)

    def unparked(self, name: str) -> None:
        """The queue has done the work of a parked task; a worker is to collect it in the same attempt."""
        task = self.move(name, TaskEvent.RELEASE)
        self.set(name, jobs_attempt=task.attempt)
        self.tell(EventKind.STAGE_UNPARKED, name)

    # What a person decides

    def retried(self, name: str, operator: str) -> None:
        """Give a failed or dead task its attempts anew."""
        self.move(name, TaskEvent.RETRY, failures=0, finished_at=None)
        self.tell(EventKind.STAGE_RETRIED, name, operator=operator)

    def skipped(self, name: str, why: str) -> None:
        """A task that the code no longer has counts as met."""
        self.move(name, TaskEvent.SKIP, finished_at=self.now)
        self.tell(EventKind.STAGE_SKIPPED, name, why=why)

    def canceled(self, operator: str, notes: str | None) -> None:
        """Stop everything of the run that has not ended."""
        for name, task in list(self.tasks.items()):
            if (task.state, TaskEvent.CANCEL) in TASK_TRANSITIONS:
                self.move(name, TaskEvent.CANCEL, finished_at=self.now)
                self.tell(EventKind.STAGE_CANCELED, name)
        self.hold(Hold.CANCELED)
        self._told_by = {"operator": operator, "notes": notes}

    def resumed(self, operator: str, notes: str | None = None) -> None:
        """Let a paused, canceled or failed run go on."""
        self.hold(Hold.NONE)
        self._told_by = {"operator": operator, "notes": notes}

    def rerun(self, name: str, *, operator: str, instruction: str | None) -> None:
        """Run a stage anew, and after it those below it whose inputs are then other ones.

        What lies below keeps its result and its input hash, so that whoever claims it can see whether there
        is anything to do. Jobs that were done for it were made from what is now run anew: it orders its own.

        Raises:
            IllegalTransition: the stage is at work or was skipped.
        """
        if self.tasks[name].state is TaskState.PENDING:
            self.set(name, input_hash=None, failures=0, jobs_attempt=0, instruction=instruction)
        else:
            self.move(
                name,
                TaskEvent.RERUN,
                input_hash=None,
                failures=0,
                jobs_attempt=0,
                instruction=instruction,
            )
        self.tell(EventKind.STAGE_RETRIED, name, operator=operator, instruction=instruction)
        for other in self.graph.below(name):
            if self.tasks[other].state is TaskState.PROCESSING:
                self.released(other, f"{name} is run anew")  # whoever is at it loses the lease
            elif (self.tasks[other].state, TaskEvent.RERUN) in TASK_TRANSITIONS:
                self.move(other, TaskEvent.RERUN, failures=0)
                self.tell(EventKind.STAGE_STALE, other)
            if self.tasks[other].jobs_attempt:
                self.set(other, jobs_attempt=0)

    # What follows by itself

    def settle(self) -> None:
        """Make ready, block and unblock what its requirements say, and derive the run's state.

        The one place where a task becomes ready. Idempotent: on a settled run it changes nothing.
        """
        for stage in self.graph.stages:  # requirements come first, so that one pass is enough
            self._settle_task(stage.name)
        self._settle_run()

    def _settle_task(self, name: str) -> None:
        task = self.tasks[name]
        above = [self.tasks[other].state for other in self.graph.by_name[name].requires]
        doomed = any(state in (TaskState.DEAD, TaskState.BLOCKED) for state in above)
        if task.state is TaskState.BLOCKED and not doomed:
            task = self.move(name, TaskEvent.UNBLOCK)
            self.tell(EventKind.STAGE_UNBLOCKED, name)
        elif task.state is TaskState.PENDING and doomed:
            task = self.move(name, TaskEvent.BLOCK)
            self.tell(EventKind.STAGE_BLOCKED, name)
        if task.state not in (TaskState.PENDING, TaskState.FAILED):
            return
        free = not self.run.hold and all(state in MET for state in above)
        if free and task.ready_at is None:
            self.set(name, ready_at=self.now)
        elif not free and task.ready_at is not None:
            self.set(name, ready_at=None)

    def _settle_run(self) -> None:
        before = self.run.state
        after = derive_run_state(
            self.run.hold, (task.state for task in self.tasks.values()), began=self.run.began
        )
        if after is before:
            return
        if after not in RUN_TRANSITIONS[before]:
            raise IllegalTransition(f"the run {self.run.id} is {before}; {after} cannot follow")
        ended = self.now if after in _TOLD else None
        self.run = self.run._replace(state=after, finished_at=ended)
        if kind := _TOLD.get(after):
            self.tell(kind, **self._told_by)
        elif before in _STOPPED and after is not RunState.PAUSED:
            self.tell(EventKind.JOB_RESUMED, **self._told_by)
