"""The rows of the ledger as values. Times are seconds since the epoch, as the database's clock tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from lib.pipeline.states import Hold, RunState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """How the gate of a stage behaves, frozen with its run.

    `timeout_s` counts from the opening of the gate; `on_timeout` is what happens then. `auto_approve`: the
    gate opens and is approved at once, and the trail says that nobody looked.
    """

    auto_approve: bool = False
    timeout_s: float | None = None
    on_timeout: str = "wait"  # wait, remind, reject, approve


class RunRow(NamedTuple):
    """A run, without its inputs.

    `began`: something of it was claimed at least once. `settled`: no worker left it to the orchestrator to
    see what follows from what it finished.
    """

    # A tuple, as TaskRow is: a frozen dataclass takes many times as long to be made, and to be changed.
    id: str
    dag: str
    snapshot: str
    state: RunState
    created_at: float
    updated_at: float
    finished_at: float | None = None
    hold: Hold = Hold.NONE
    began: bool = False
    settled: bool = True


class TaskRow(NamedTuple):
    """One task of one run, without its result.

    `ready_at`: when it may be claimed; None: not now. `attempt` is the number of the attempt at hand or the
    last one and only rises; `failures` counts those that failed since a person last intervened. `lease_no`
    and `lease_owner` fence every write of a worker. `parked_at` is set while the queue has its work;
    `jobs_attempt` is the attempt whose jobs the queue has done, 0 where none is waiting to be collected.
    """

    run: str
    name: str
    dag: str
    place: int
    state: TaskState
    max_attempts: int
    timeout_s: float
    since: float
    ready_at: float | None = None
    attempt: int = 0
    failures: int = 0
    lane: str | None = None
    executor: str = "worker"
    gate: GateRule | None = None
    lease_no: int = 0
    lease_owner: str | None = None
    lease_expires_at: float | None = None
    parked_at: float | None = None
    deadline_at: float | None = None
    jobs_attempt: int = 0
    input_hash: str | None = None
    instruction: str | None = None
    error: str | None = None
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has it, so that it holds its lane."""
        return self.state is TaskState.PROCESSING and self.parked_at is None


class EventKind(StrEnum):
    """What the trail of a run tells."""

    JOB_STARTED = "job_started"
    STAGE_STARTED = "stage_started"
    STAGE_COMPLETED = "stage_completed"
    STAGE_FAILED = "stage_failed"
    GATE_PAUSE = "gate_pause"
    GATE_APPROVED = "gate_approved"
    GATE_REJECTED = "gate_rejected"
    JOB_RESUMED = "job_resumed"
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    JOB_CANCELED = "job_canceled"
    # Beside those that tell a run's story: what else happened to a stage.
    STAGE_PARKED = "stage_parked"
    STAGE_UNPARKED = "stage_unparked"
    STAGE_COLLECTING = "stage_collecting"
    STAGE_RELEASED = "stage_released"
    STAGE_BLOCKED = "stage_blocked"
    STAGE_UNBLOCKED = "stage_unblocked"
    STAGE_SKIPPED = "stage_skipped"
    STAGE_RETRIED = "stage_retried"
    STAGE_STALE = "stage_stale"
    STAGE_CANCELED = "stage_canceled"
    GATE_REMINDED = "gate_reminded"
    GATE_VOIDED = "gate_voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """One line of the trail. `position` is its place in the order of all events; 0: not yet placed."""

    run: str
    kind: EventKind
    at: float
    task: str | None = None
    attempt: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a stage made. `path` is relative to the run's folder, with '/' between its parts.

    `measures` are numbers by name, like words, scenes or seconds. A placeholder stands where a real part
    could not be made and says so wherever it is shown.
    """

    path: str
    type: str
    sha256: str
    size: int
    measures: Mapping[str, float] = field(default_factory=dict)
    placeholder: bool = False
    task: str = ""
    attempt: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One opening of a gate. `seen` is the digest of the artifacts and the result that it is about.

    `decision` is None while it is open, else approved, rejected or voided; `operator` is who decided, and
    `auto` or `timeout` where nobody did.
    """

    number: int
    run: str
    task: str
    attempt: int
    seen: str
    opened_at: float
    due_at: float | None = None
    reminded_at: float | None = None
    decision: str | None = None
    operator: str | None = None
    notes: str | None = None
    decided_at: float | None = None
