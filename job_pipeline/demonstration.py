"""Three runs of a pipeline and one worker, until nothing moves any more."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from job_pipeline.new_runs import start_run
from job_pipeline.orchestrator import orchestrate
from job_pipeline.samples import sample_inputs
from job_pipeline.wiring import PipelineRoom
from job_pipeline.worker.program import PipelineWorker
from lib.cli import output
from lib.errors import ExitStatus
from lib.pipeline.runs import NewRun
from lib.pipeline.states import RunState, TaskState
from lib.pipeline.views import RunView, get_job_status

_EVERY_S: Final = 0.1
_MOVES: Final = frozenset({RunState.QUEUED, RunState.RUNNING})
#: What the three runs are about.
_TEXTS: Final = (
    "The sea comes back twice a day.\nNobody has to call it.",
    "A drop falls on the roof.\nIt wants to go to the sea.\nThe roof is in its way.",
    "The moon pulls.\nThe water follows, a little late.",
)


@dataclass(frozen=True, slots=True)
class DemonstrationEnd:
    """How the three runs stand."""

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


class Demonstration:
    """Starts the runs as it is made; `run` lets a worker do them."""

    def __init__(self, room: PipelineRoom, dag: str) -> None:
        """Raises: as `start_run`."""
        self._room = room
        self._told = False
        self._ids = [start_run(room, dag, NewRun(inputs=inputs)).started.id for inputs in _inputs(dag)]

    def run(self, worker: PipelineWorker) -> DemonstrationEnd:
        """Let `worker` work until no run moves, or until somebody stops it. Raises what the worker raises."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(worker, over), name="demo", daemon=True)
        watch.start()
        try:
            worker.run()
        finally:
            over.set()
            watch.join()
        return DemonstrationEnd(self._views())

    def _watch(self, worker: PipelineWorker, over: threading.Event) -> None:
        while not over.wait(_EVERY_S):
            orchestrate(self._room.ledger)
            moving = [view for view in self._views() if view.line.run.state in _MOVES]
            if not moving:
                worker.drain()
                return
            if not self._told and all(_is_parked(view) for view in moving):
                self._told = True
                output.note("the queue has their jobs: job-watcher run speaks them, Ctrl-C ends this demo")

    def _views(self) -> list[RunView]:
        return [get_job_status(self._room.ledger, run) for run in self._ids]


def _is_parked(view: RunView) -> bool:
    """Whether all that a run still does is to wait for the queue."""
    open_ones = [task for task in view.line.tasks if task.ready_at or task.state is TaskState.PROCESSING]
    return bool(open_ones) and all(task.parked_at is not None for task in open_ones)


def _inputs(dag: str) -> list[Mapping[str, Any]]:
    if dag == "demo":
        return [{"text": text} for text in _TEXTS]
    return [{**sample_inputs(), "title": f"Demo {number}"} for number in range(1, len(_TEXTS) + 1)]


def show_demonstration(found: DemonstrationEnd) -> None:
    """Each run on a line, and what helps where one waits."""
    for view in found.runs:
        output.say(view.line.text())
        for wait in view.waits:
            if wait.command:
                output.note(f"{wait.stage or view.line.run.id} {wait.sentence}; {wait.command}")
