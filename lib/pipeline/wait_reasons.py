"""Why nothing of a run moves, or what does: a sentence for each stage that has not ended, and what helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.pipeline.graph import Graph
from lib.pipeline.model import GateRow, RunRow, TaskRow
from lib.pipeline.states import MET, RunState, TaskState

#: What helps a stage that nobody has taken.
WORKER: Final = "job-pipeline worker"


@dataclass(frozen=True, slots=True)
class WaitReason:
    """One reason. `stage` None: of the whole run. `command` is what brings it forward; None: time does."""

    stage: str | None
    sentence: str
    command: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """The three."""
        return {"stage": self.stage, "sentence": self.sentence, "command": self.command}


def waits_of(
    run: RunRow,
    tasks: Sequence[TaskRow],
    graph: Graph,
    rejected: Sequence[GateRow],
    jobs: Sequence[Mapping[str, Any]],
    busy: Mapping[str, str],
    now: float,
) -> list[WaitReason]:
    """The reasons of one run, in the order of its stages; none for a run that is completed.

    `rejected` are the rejections that stand, `jobs` are the queue's for it, `busy` who is at work in each
    lane, as `run/stage`.
    """
    if run.state is RunState.COMPLETED:
        return []
    found = [*_of_run(run, rejected)]
    states = {task.name: task.state for task in tasks}
    for task in tasks:
        if wait := _of_task(run, task, jobs, busy, now) or _above(run, task, graph, states):
            found.append(wait)
    return found


def _of_run(run: RunRow, rejected: Sequence[GateRow]) -> list[WaitReason]:
    found = []
    for gate in rejected if run.state is RunState.PAUSED else ():
        said = f": {gate.notes}" if gate.notes else ""
        sentence = f"{gate.task} was rejected by {gate.operator} at {_time(gate.decided_at)}{said}"
        found.append(WaitReason(None, sentence, f"job-pipeline advance {run.id} --with-note"))
    if run.state is RunState.CANCELED:
        found.append(WaitReason(None, "the run was canceled", f"job-pipeline resume {run.id}"))
    if not run.settled:
        sentence = "a worker left it to the orchestrator what follows from what it finished"
        found.append(WaitReason(None, sentence, "job-pipeline orchestrator"))
    return found


def _of_task(
    run: RunRow, task: TaskRow, jobs: Sequence[Mapping[str, Any]], busy: Mapping[str, str], now: float
) -> WaitReason | None:
    match task.state:
        case TaskState.NEEDS_APPROVAL:
            return WaitReason(
                task.name,
                f"waits for somebody to decide, since {_time(task.since)}",
                f"job-pipeline approve {run.id} {task.name}",
            )
        case TaskState.DEAD:
            return WaitReason(
                task.name,
                f"is dead after {_attempts(task.failures)}: {task.error}",
                f"job-pipeline retry-dead --run {run.id}",
            )
        case TaskState.PROCESSING:
            return _at_work(task, jobs, now)
        case TaskState.FAILED | TaskState.PENDING if task.ready_at is not None:
            return _claimable(task, busy, now)
    return None


def _at_work(task: TaskRow, jobs: Sequence[Mapping[str, Any]], now: float) -> WaitReason:
    if task.parked_at is not None:
        mine = [job for job in jobs if job["task"] == task.name and job["attempt"] == task.attempt]
        done = sum(job["state"] == "done" for job in mine)
        sentence = f"waits for the queue, which has done {done} of its {len(mine)} jobs"
        command = f"job-runner explain {next(j['request_id'] for j in mine if j['state'] != 'done')}"
        return WaitReason(task.name, sentence, command if done < len(mine) else "job-pipeline orchestrator")
    if task.lease_expires_at is not None and task.lease_expires_at < now:
        sentence = f"was at work at {task.lease_owner}, whose lease ran out at {_time(task.lease_expires_at)}"
        return WaitReason(task.name, sentence, "job-pipeline recovery")
    return WaitReason(task.name, f"is at work at {task.lease_owner} since {_time(task.started_at)}")


def _claimable(task: TaskRow, busy: Mapping[str, str], now: float) -> WaitReason:
    assert task.ready_at is not None
    before = "" if task.error is None else f"failed in attempt {task.attempt} ({task.error}) and "
    if task.ready_at > now:
        return WaitReason(task.name, f"{before}is tried again at {_time(task.ready_at)}")
    if task.lane is not None and task.lane in busy:
        return WaitReason(
            task.name, f"{before}waits for the lane {task.lane}, in which {busy[task.lane]} is at work"
        )
    sentence = f"{before}is ready since {_time(task.ready_at)}, and no worker has taken it"
    return WaitReason(task.name, sentence, WORKER)


def _above(run: RunRow, task: TaskRow, graph: Graph, states: Mapping[str, TaskState]) -> WaitReason | None:
    if task.state not in (TaskState.PENDING, TaskState.BLOCKED):
        return None
    missing = [name for name in graph.by_name[task.name].requires if states[name] not in MET]
    if missing:
        said = ", ".join(f"{name} ({states[name]})" for name in missing)
        return WaitReason(task.name, f"waits for {said}")
    if run.hold:
        return WaitReason(task.name, f"waits because the run is {run.state}")
    return WaitReason(task.name, "could begin, and nobody has seen that yet", "job-pipeline orchestrator")


def _attempts(count: int) -> str:
    return "1 failure" if count == 1 else f"{count} failures"


def _time(at: float | None) -> str:
    return "?" if at is None else f"{rfc3339(at)[:19]}Z"
