"""The states of tasks and runs, and the one table of each that says what may follow what.

docs/explanation/ledger.md draws both; it is made from these tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class TaskState(StrEnum):
    """What a task of a run is doing. Stored as these words."""

    PENDING = "pending"  # waits on others, or is claimable once its `ready_at` has come
    PROCESSING = "processing"  # a worker holds its lease, or it is parked with the queue
    NEEDS_APPROVAL = "needs_approval"  # its work is done and a person decides
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # will be retried at its `ready_at`
    DEAD = "dead"  # out of attempts
    SKIPPED = "skipped"  # the code no longer has it; counts as met
    BLOCKED = "blocked"  # something above it is dead
    CANCELED = "canceled"


class RunState(StrEnum):
    """What a run is doing, derived from its tasks and from what a person decided."""

    QUEUED = "queued"  # nothing of it has begun
    RUNNING = "running"
    NEEDS_APPROVAL = "needs_approval"
    PAUSED = "paused"  # a gate was rejected; `advance` goes on
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class TaskEvent(StrEnum):
    """What happens to a task; each is one arrow, or several with the same meaning."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    ASK = "ask"  # the work is done and its gate opens
    FAIL = "fail"
    EXHAUST = "exhaust"  # it failed for the last time
    RELEASE = "release"  # its worker gives it back unharmed; no attempt is counted
    EXPIRE = "expire"  # its lease ran out; the attempt is counted
    APPROVE = "approve"
    REJECT = "reject"
    SKIP = "skip"
    BLOCK = "block"
    UNBLOCK = "unblock"
    RETRY = "retry"
    RERUN = "rerun"
    CANCEL = "cancel"


_T, _E = TaskState, TaskEvent

#: (state, event) to the state that follows. What is not here is refused.
TASK_TRANSITIONS: Final[Mapping[tuple[TaskState, TaskEvent], TaskState]] = MappingProxyType(
    {
        (_T.PENDING, _E.CLAIM): _T.PROCESSING,
        (_T.FAILED, _E.CLAIM): _T.PROCESSING,
        (_T.PROCESSING, _E.SUCCEED): _T.SUCCEEDED,
        (_T.PROCESSING, _E.ASK): _T.NEEDS_APPROVAL,
        (_T.PROCESSING, _E.FAIL): _T.FAILED,
        (_T.PROCESSING, _E.EXHAUST): _T.DEAD,
        (_T.PROCESSING, _E.RELEASE): _T.PENDING,
        (_T.PROCESSING, _E.EXPIRE): _T.PENDING,
        (_T.NEEDS_APPROVAL, _E.APPROVE): _T.SUCCEEDED,
        (_T.NEEDS_APPROVAL, _E.REJECT): _T.PENDING,
        (_T.PENDING, _E.SKIP): _T.SKIPPED,
        (_T.FAILED, _E.SKIP): _T.SKIPPED,
        (_T.DEAD, _E.SKIP): _T.SKIPPED,
        (_T.PENDING, _E.BLOCK): _T.BLOCKED,
        (_T.BLOCKED, _E.UNBLOCK): _T.PENDING,
        (_T.FAILED, _E.RETRY): _T.PENDING,
        (_T.DEAD, _E.RETRY): _T.PENDING,
        (_T.SUCCEEDED, _E.RERUN): _T.PENDING,
        (_T.NEEDS_APPROVAL, _E.RERUN): _T.PENDING,
        (_T.FAILED, _E.RERUN): _T.PENDING,
        (_T.DEAD, _E.RERUN): _T.PENDING,
        (_T.CANCELED, _E.RERUN): _T.PENDING,
        (_T.PENDING, _E.CANCEL): _T.CANCELED,
        (_T.PROCESSING, _E.CANCEL): _T.CANCELED,
        (_T.NEEDS_APPROVAL, _E.CANCEL): _T.CANCELED,
        (_T.FAILED, _E.CANCEL): _T.CANCELED,
        (_T.BLOCKED, _E.CANCEL): _T.CANCELED,
    }
)

_R = RunState

#: What may follow each state of a run. The state itself is derived (`derive_run_state`).
RUN_TRANSITIONS: Final[Mapping[RunState, frozenset[RunState]]] = MappingProxyType(
    {
        _R.QUEUED: frozenset({_R.RUNNING, _R.COMPLETED, _R.CANCELED, _R.FAILED}),
        _R.RUNNING: frozenset({_R.NEEDS_APPROVAL, _R.PAUSED, _R.COMPLETED, _R.FAILED, _R.CANCELED}),
        _R.NEEDS_APPROVAL: frozenset({_R.RUNNING, _R.PAUSED, _R.COMPLETED, _R.FAILED, _R.CANCELED}),
        _R.PAUSED: frozenset({_R.RUNNING, _R.NEEDS_APPROVAL, _R.FAILED, _R.CANCELED}),
        _R.COMPLETED: frozenset({_R.RUNNING}),  # a stage is run anew
        _R.FAILED: frozenset({_R.RUNNING, _R.NEEDS_APPROVAL, _R.PAUSED, _R.COMPLETED, _R.CANCELED}),
        _R.CANCELED: frozenset({_R.RUNNING, _R.QUEUED}),  # `resume`
    }
)

#: A requirement in one of these is met.
MET: Final = frozenset({_T.SUCCEEDED, _T.SKIPPED})
#: A task in one of these can still bring its run forward without a person.
MOVING: Final = frozenset({_T.PENDING, _T.PROCESSING, _T.FAILED})
#: A run in one of these needs nothing more.
ENDED: Final = frozenset({_R.COMPLETED, _R.FAILED, _R.CANCELED})


class Hold(StrEnum):
    """What a person decided about a whole run; nothing of it is claimed while one stands."""

    NONE = ""
    PAUSED = "paused"
    CANCELED = "canceled"


def derive_run_state(hold: Hold, tasks: Iterable[TaskState], *, began: bool) -> RunState:
    """The state of a run from its hold and the states of its tasks; `began`: something was ever claimed."""
    states = set(tasks)
    if hold is Hold.CANCELED:
        return RunState.CANCELED
    if hold is Hold.PAUSED:
        return RunState.PAUSED
    if states <= MET:
        return RunState.COMPLETED
    if TaskState.NEEDS_APPROVAL in states:
        return RunState.NEEDS_APPROVAL
    if states & MOVING:
        return RunState.RUNNING if began else RunState.QUEUED
    return RunState.FAILED
