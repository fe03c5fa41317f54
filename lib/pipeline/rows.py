"""The ledger's rows as the database has them, and as values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from lib.pipeline.context import ExternalJob
from lib.pipeline.model import Artifact, EventKind, GateRow, GateRule, RunRow, TaskRow, TrailEvent
from lib.pipeline.states import Hold, RunState, TaskState
from lib.pipeline.work import to_json

#: A run of five stages is read five times in its life: no look is dear, but all of them together are.
_TASK_STATES: Final = {str(state): state for state in TaskState}
_STATE, _RULE = TaskRow._fields.index("state"), TaskRow._fields.index("gate")
_GATE: Final = tuple(field.name for field in fields(GateRow))


def run_of(row: Mapping[str, Any]) -> RunRow:
    """A run without what it was started with."""
    columns = {name: row[name] for name in RunRow._fields}
    flags = {name: bool(row[name]) for name in ("began", "settled")}
    return RunRow(**{**columns, **flags, "state": RunState(row["state"]), "hold": Hold(row["hold"])})


def task_of(columns: Sequence[Any]) -> TaskRow:
    """A task of `tasks_unlocked`, whose columns stand in the order of the fields."""
    values = list(columns)
    values[_STATE] = _TASK_STATES[values[_STATE]]
    if values[_RULE] is not None:
        values[_RULE] = GateRule(**json.loads(values[_RULE]))
    return TaskRow._make(values)


def columns_of(row: RunRow | TaskRow) -> dict[str, Any]:
    """What `change_run` and `change_task` write."""
    columns = row._asdict()
    columns["state"] = str(row.state)
    if isinstance(row, RunRow):
        columns["hold"] = str(row.hold)
    return columns


def gate_text(rule: GateRule | None) -> str | None:
    """A gate's rule as its column holds it."""
    return None if rule is None else to_json(asdict(rule))


def event_of(row: Mapping[str, Any]) -> TrailEvent:
    """A line of the trail."""
    return TrailEvent(
        run=row["run"],
        kind=EventKind(row["kind"]),
        at=row["at"],
        task=row["task"],
        attempt=row["attempt"],
        data=json.loads(row["data"]),
        position=row["position"] or 0,
    )


def event_columns(event: TrailEvent) -> dict[str, Any]:
    """What `tell` writes."""
    return {
        "run": event.run,
        "task": event.task,
        "attempt": event.attempt,
        "kind": str(event.kind),
        "at": event.at,
        "data": to_json(event.data) if event.data else "{}",
    }


def gate_of(row: Mapping[str, Any]) -> GateRow:
    """One opening of a gate."""
    return GateRow(**{name: row[name] for name in _GATE})


def artifact_of(row: Mapping[str, Any]) -> Artifact:
    """A file that a stage made."""
    columns: Mapping[str, Any] = {
        key: row[key] for key in ("path", "type", "sha256", "size", "task", "attempt", "at")
    }
    return Artifact(**columns, measures=json.loads(row["measures"]), placeholder=bool(row["placeholder"]))


def artifact_columns(run: str, artifact: Artifact) -> dict[str, Any]:
    """What `record_artifact` writes."""
    return {"run": run, **asdict(artifact), "measures": to_json(dict(artifact.measures))}


def job_of(row: Mapping[str, Any]) -> ExternalJob:
    """One job that the queue does for a task."""
    return ExternalJob(
        request_id=row["request_id"],
        spec=json.loads(row["spec"]),
        state=row["state"],
        result=None if row["result"] is None else json.loads(row["result"]),
    )
