"""What is shown of pipelines: one read model for the commands, REST and pages.

Each value has `to_json`, whose keys are a contract (docs/reference/json). Times in it are RFC 3339.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.pipeline.failures import unknown_run
from lib.pipeline.gates import standing_rejections
from lib.pipeline.graph import Graph
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact, GateRow, RunRow, TaskRow, TrailEvent
from lib.pipeline.rows import artifact_of, event_of, gate_of, run_of
from lib.pipeline.states import ENDED, RunState, TaskState
from lib.pipeline.wait_reasons import WaitReason, waits_of

_WORDS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "NEW",
    TaskState.PROCESSING: "RUNNING",
    TaskState.NEEDS_APPROVAL: "GATE",
    TaskState.SUCCEEDED: "DONE",
    TaskState.FAILED: "FAILED",
    TaskState.DEAD: "DEAD",
    TaskState.SKIPPED: "SKIPPED",
    TaskState.BLOCKED: "BLOCKED",
    TaskState.CANCELED: "CANCELED",
}
#: A time behind that of every run.
_AFTER_ALL: Final = 1e15
#: The owner of a stage whose work the queue has.
QUEUE: Final = "queue"


def word_of(task: TaskRow, now: float) -> str:
    """The word of lists for a stage: NEW waits on others, READY can be claimed, DONE has succeeded."""
    if task.state is TaskState.PENDING and task.ready_at is not None and task.ready_at <= now:
        return "READY"
    return _WORDS[task.state]


def moment_of(at: float | None) -> str | None:
    """A time as JSON has it; None where there is none."""
    return None if at is None else rfc3339(at)


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as a line of a list: its stages in their order, as they were at `now`."""

    run: RunRow
    tasks: Sequence[TaskRow]
    now: float
    slug: str | None = None
    intent: str | None = None

    @property
    def attempts(self) -> int:
        """The highest attempt of any stage: 1 where nothing had to be done twice."""
        return max((task.attempt for task in self.tasks), default=0)

    def text(self) -> str:
        """`<id>  audio=RUNNING(<host:pid>)  visuals=NEW(None)  attempts=1`."""
        stages = (f"{task.name}={word_of(task, self.now)}({_owner(task)})" for task in self.tasks)
        return "  ".join((self.run.id, *stages, f"attempts={self.attempts}"))

    def to_json(self) -> dict[str, Any]:
        """Of each stage `<stage>_state`, `<stage>_attempt` and its lease beside what is of the run."""
        told = {**_run_json(self.run), "slug": self.slug, "intent": self.intent}
        told |= {"attempts": self.attempts, "stages": [task.name for task in self.tasks]}
        for task in self.tasks:
            told |= {
                f"{task.name}_state": word_of(task, self.now),
                f"{task.name}_attempt": task.attempt,
                f"{task.name}_lease_owner": task.lease_owner,
                f"{task.name}_lease_expires_at": moment_of(task.lease_expires_at),
            }
        return told


def _owner(task: TaskRow) -> str | None:
    return QUEUE if task.parked_at is not None else task.lease_owner


def _run_json(run: RunRow) -> dict[str, Any]:
    return {
        "id": run.id,
        "dag": run.dag,
        "state": str(run.state),
        "created_at": rfc3339(run.created_at),
        "updated_at": rfc3339(run.updated_at),
        "finished_at": moment_of(run.finished_at),
    }


def task_json(task: TaskRow, now: float) -> dict[str, Any]:
    """A stage with all that is known of it but its result."""
    return {
        "name": task.name,
        "state": str(task.state),
        "shown": word_of(task, now),
        "attempt": task.attempt,
        "failures": task.failures,
        "max_attempts": task.max_attempts,
        "timeout_seconds": task.timeout_s,
        "executor": task.executor,
        "lane": task.lane,
        "gate": task.gate is not None,
        "parked": task.parked_at is not None,
        "lease_owner": task.lease_owner,
        "lease_expires_at": moment_of(task.lease_expires_at),
        "ready_at": moment_of(task.ready_at),
        "since": rfc3339(task.since),
        "started_at": moment_of(task.started_at),
        "finished_at": moment_of(task.finished_at),
        "instruction": task.instruction,
        "error": task.error,
    }


def artifact_json(artifact: Artifact) -> dict[str, Any]:
    """A file that a stage made."""
    return {
        "path": artifact.path,
        "stage": artifact.task,
        "attempt": artifact.attempt,
        "type": artifact.type,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "measures": dict(artifact.measures),
        "placeholder": artifact.placeholder,
        "at": rfc3339(artifact.at),
    }


def gate_json(gate: GateRow) -> dict[str, Any]:
    """One opening of a gate; `decision` is null while it waits for a person."""
    return {
        "run": gate.run,
        "stage": gate.task,
        "attempt": gate.attempt,
        "seen": gate.seen,
        "opened_at": rfc3339(gate.opened_at),
        "due_at": moment_of(gate.due_at),
        "reminded_at": moment_of(gate.reminded_at),
        "decision": gate.decision,
        "operator": gate.operator,
        "notes": gate.notes,
        "decided_at": moment_of(gate.decided_at),
    }


def event_json(event: TrailEvent) -> dict[str, Any]:
    """A line of the trail, as `events` shows it and its files have it."""
    return {
        "position": event.position,
        "at": rfc3339(event.at),
        "run": event.run,
        "event": str(event.kind),
        "stage": event.task,
        "attempt": event.attempt,
        "data": dict(event.data),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run with everything that is known of it, as it was at `now`.

    `graph` is the snapshot it is bound to, `rejected` are the rejections at which it is paused. `waits` say
    why nothing moves, or what moves now.
    """

    line: RunLine
    graph: Graph
    inputs: Mapping[str, Any]
    metadata: Mapping[str, Any]
    config: Mapping[str, Any]
    results: Mapping[str, Any]
    gates: Sequence[GateRow]
    artifacts: Sequence[Artifact]
    jobs: Sequence[Mapping[str, Any]]
    rejected: Sequence[GateRow] = ()
    waits: Sequence[WaitReason] = ()

    def to_json(self) -> dict[str, Any]:
        """The whole."""
        line = self.line
        stages = [
            {
                **task_json(task, line.now),
                "requires": list(self.graph.by_name[task.name].requires),
                "result": self.results.get(task.name),
            }
            for task in line.tasks
        ]
        return {
            **_run_json(line.run),
            "slug": line.slug,
            "intent": line.intent,
            "snapshot": line.run.snapshot,
            "attempts": line.attempts,
            "inputs": dict(self.inputs),
            "metadata": dict(self.metadata),
            "config": dict(self.config),
            "stages": stages,
            "gates": [gate_json(gate) for gate in self.gates],
            "artifacts": [artifact_json(artifact) for artifact in self.artifacts],
            "jobs": [{**job, "updated_at": rfc3339(job["updated_at"])} for job in self.jobs],
            "waits": [wait.to_json() for wait in self.waits],
        }


def list_runs(
    ledger: PipelineLedger,
    *,
    count: int = 20,
    active: bool = False,
    dags: Sequence[str] | None = None,
    states: Collection[RunState] | None = None,
    behind: str | None = None,
) -> list[RunLine]:
    """The newest runs, or with `active` those that have not ended; of some pipelines and states (None: all).

    To read on, give the id of the last one as `behind`: runs that come meanwhile neither repeat nor hide any.

    Raises:
        UnknownRun: there is no run `behind`.
    """
    of: dict[str, Any] = {} if dags is None else {"dags": list(dags)}
    statement = "newest_open_runs" if active else "newest_runs"
    if states is not None:
        statement, of["states"] = "newest_runs_in", sorted({*states} - (ENDED if active else set()))
        if not of["states"]:
            return []
    name = statement if dags is None else f"{statement}_of"

    def work(transaction: Transaction) -> list[RunLine]:
        place = {"at": _AFTER_ALL, "id": ""}
        if behind is not None:
            found = transaction.all("runs_by_id", runs=[behind])
            if not found:
                raise unknown_run(behind)
            place = {"at": found[0]["created_at"], "id": behind}
        return _lines(transaction, transaction.all(name, count=count, **place, **of))

    return ledger.look(work)


def list_active_jobs(ledger: PipelineLedger, *, count: int = 1000) -> list[RunLine]:
    """The newest runs that have not ended."""
    return list_runs(ledger, count=count, active=True)


def _lines(transaction: Transaction, rows: Sequence[Any]) -> list[RunLine]:
    if not rows:
        return []
    tasks = transaction.tasks_of([row["id"] for row in rows])
    return [
        RunLine(run_of(row), tasks[row["id"]], transaction.now, row["slug"], row["intent"]) for row in rows
    ]


def get_job_status(ledger: PipelineLedger, run: str) -> RunView:
    """Everything about one run.

    Raises:
        UnknownRun: there is none.
    """

    def work(transaction: Transaction) -> RunView:
        row = transaction.one("run", run=run)
        if row is None:
            raise unknown_run(run)
        (line,) = _lines(transaction, [row])
        texts = {r["name"]: r["result"] for r in transaction.all("tasks_of", run=run)}
        gates = [gate_of(gate) for gate in transaction.all("gates_of", run=run)]
        rejected = standing_rejections(transaction, [run]) if line.run.state is RunState.PAUSED else []
        jobs = [dict(job) for job in transaction.all("jobs_of_run", run=run)]
        graph = ledger.graph(row["snapshot"], transaction)
        lanes = {task.lane for task in line.tasks if task.lane and word_of(task, line.now) == "READY"}
        busy = {
            lane: f"{found['run']}/{found['name']}"
            for lane in lanes
            if lane and (found := transaction.one("busy_in_lane", lane=lane))
        }
        return RunView(
            line=line,
            graph=graph,
            inputs=json.loads(row["inputs"]),
            metadata=json.loads(row["metadata"]),
            config=json.loads(row["config"]),
            results={name: json.loads(text) for name, text in texts.items() if text is not None},
            gates=gates,
            artifacts=[artifact_of(found) for found in transaction.all("artifacts_of", run=run)],
            jobs=jobs,
            rejected=rejected,
            waits=waits_of(line.run, line.tasks, graph, rejected, jobs, busy, line.now),
        )

    return ledger.look(work)


def run_states(ledger: PipelineLedger, runs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What `state.json` of each of some runs holds."""

    def work(transaction: Transaction) -> dict[str, dict[str, Any]]:
        gates: dict[str, list[Any]] = {run: [] for run in runs}
        artifacts: dict[str, list[Any]] = {run: [] for run in runs}
        for row in transaction.all("gates_of_runs", runs=list(runs)):
            gates[row["run"]].append(gate_json(gate_of(row)))
        for row in transaction.all("artifacts_of_runs", runs=list(runs)):
            artifacts[row["run"]].append(artifact_json(artifact_of(row)))
        return {
            line.run.id: {
                **_run_json(line.run),
                "slug": line.slug,
                "intent": line.intent,
                "snapshot": line.run.snapshot,
                "stages": [task_json(task, line.now) for task in line.tasks],
                "gates": gates[line.run.id],
                "artifacts": artifacts[line.run.id],
            }
            for line in _lines(transaction, transaction.all("runs_by_id", runs=list(runs)))
        }

    return ledger.look(work) if runs else {}


def list_artifacts(ledger: PipelineLedger, run: str) -> list[Artifact]:
    """The files of a run, in the order of its stages.

    Raises:
        UnknownRun: there is none.
    """

    def work(transaction: Transaction) -> list[Artifact]:
        found = [artifact_of(row) for row in transaction.all("artifacts_of", run=run)]
        if not found and not transaction.all("runs_by_id", runs=[run]):
            raise unknown_run(run)
        return found

    return ledger.look(work)


def newest_reason(transaction: Transaction, event_id: int) -> str | None:
    """What an event of a failure says, in words."""
    row = transaction.one("event_by_id", id=event_id)
    return None if row is None else event_of(row).data.get("error")
