"""Runs and one worker beside them, until nothing moves any more."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from job_pipeline.orchestrator import orchestrate
from job_pipeline.wiring import PipelineRoom
from job_pipeline.worker.program import PipelineWorker
from lib.cli import output
from lib.errors import ExitStatus, JobRunnerError
from lib.pipeline.states import RunState, TaskState
from lib.pipeline.views import RunView, get_job_status
from lib.pipeline.wait_reasons import WORKER
from lib.watcher_process import WatcherProcess

_EVERY_S: Final = 0.1
_MOVES: Final = frozenset({RunState.QUEUED, RunState.RUNNING})
_TOLD: Final = {
    TaskState.PROCESSING: "is at work",
    TaskState.SUCCEEDED: "is done",
    TaskState.NEEDS_APPROVAL: "is done, and waits for a decision",
    TaskState.FAILED: "failed, and is tried again",
    TaskState.DEAD: "failed",
}
_BAD: Final = frozenset({TaskState.FAILED, TaskState.DEAD})


@dataclass(frozen=True, slots=True)
class RunsEnd:
    """How the runs stand."""

    runs: Sequence[RunView]

    @property
    def exit_status(self) -> int:
        """0 when all are completed, 75 when one waits for a person, else 1."""
        states = {view.line.run.state for view in self.runs}
        if states == {RunState.COMPLETED}:
            return ExitStatus.OK
        failed = states & {RunState.FAILED, RunState.CANCELED}
        return ExitStatus.JOB_FAILED if failed else ExitStatus.TRY_AGAIN

    def to_json(self) -> dict[str, Any]:
        """Each run as `list-jobs` has it, and why it waits where it does."""
        waits = {view.line.run.id: [wait.to_json() for wait in view.waits] for view in self.runs}
        return {"runs": [view.line.to_json() for view in self.runs], "waits": waits}


class AttendedRuns:
    """Runs that somebody waits for; `run` lets a worker do them."""

    def __init__(self, room: PipelineRoom, ids: Sequence[str], *, tells: bool = False) -> None:
        """`tells`: each stage that begins or ends is said on stderr."""
        self._room, self._ids, self._tells = room, ids, tells
        self._seen = dict[tuple[str, str], tuple[TaskState, int]]()
        self._told = False
        self._watcher: WatcherProcess | None = None
        self._failure: JobRunnerError | None = None

    def run(self, worker: PipelineWorker) -> RunsEnd:
        """Let `worker` work until no run moves, or until somebody stops it.

        Where all that is left is the queue's and no watcher lives, a watcher is started beside it.

        Raises: what the worker raises, and what `WatcherProcess.check` raises.
        """
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(worker, over), name="attend", daemon=True)
        watch.start()
        try:
            worker.run()
        finally:
            over.set()
            watch.join()
            if self._watcher is not None:
                self._watcher.stop()
        if self._failure is not None:
            raise self._failure
        return RunsEnd(self._views())

    def _watch(self, worker: PipelineWorker, over: threading.Event) -> None:
        try:
            self._let_move(worker, over)
        except JobRunnerError as error:
            self._failure = error
            worker.drain()

    def _let_move(self, worker: PipelineWorker, over: threading.Event) -> None:
        while not over.wait(_EVERY_S):
            orchestrate(self._room.ledger)
            views = self._views()
            if self._tells:
                self._tell_changes(views)
            moving = [view for view in views if view.line.run.state in _MOVES]
            if not moving:
                worker.drain()
                return
            if self._watcher is not None:
                self._watcher.check()
            elif not self._told and all(_is_parked(view) for view in moving):
                self._told = True
                self._see_them_spoken()

    def _tell_changes(self, views: Sequence[RunView]) -> None:
        for view in views:
            for task in view.line.tasks:
                key, now = (task.run, task.name), (task.state, task.attempt)
                before = self._seen.get(key)
                self._seen[key] = now
                if before not in (None, now) and task.state in _TOLD:
                    why = f" ({task.error})" if task.error and task.state in _BAD else ""
                    of = "" if len(self._ids) == 1 else f" of {task.run}"
                    output.note(f"{task.name}{of}: {_TOLD[task.state]}{why}")

    def _see_them_spoken(self) -> None:
        """Start a watcher where none lives, unless that could cost money; say what is waited for."""
        if not self._room.lacks_watcher():
            output.note("the queue has their jobs, which takes its time; Ctrl-C ends this")
        elif self._room.found.provider == "local":
            output.note("the queue has their jobs and no watcher lives: one is started until this ends")
            self._watcher = self._room.start_watcher()
        else:
            where = f"PROVIDER is {self._room.found.provider}, so start job-watcher run yourself"
            output.note(f"the queue has their jobs and no watcher lives; {where}; Ctrl-C ends this")

    def _views(self) -> list[RunView]:
        return [get_job_status(self._room.ledger, run) for run in self._ids]


def _is_parked(view: RunView) -> bool:
    """Whether all that a run still does is to wait for the queue."""
    open_ones = [task for task in view.line.tasks if task.ready_at or task.state is TaskState.PROCESSING]
    return bool(open_ones) and all(task.parked_at is not None for task in open_ones)


def show_runs(found: RunsEnd, again: str | None = None) -> None:
    """Each run on a line, and what helps where one waits. `again`: the command that goes on with them."""
    for view in found.runs:
        output.say(view.line.text())
        for wait in view.waits:
            if wait.command:
                helps = again if again is not None and wait.command == WORKER else wait.command
                output.note(f"{wait.stage or view.line.run.id} {wait.sentence}; {helps}")
        if again is not None and any(gate.decision is None for gate in view.gates):
            output.note(f"then {again} goes on")
