"""A job's row in the hash `state`, as Python reads it. The prelude of the scripts names the same places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.jobqueue.model import TERMINAL, JobRecord, JobState

STAGED: Final = "staged"
_NEVER_CLAIMED: Final = (0, 0, 0, 0, 0, "", "", "", 0)  # what a stored row of a waiting job leaves out


@dataclass(frozen=True, slots=True)
class Row:
    """The places of a row, in order. A staged one holds its batch in `entry`, its due time in `lease_no`."""

    state: str
    fingerprint: str
    priority: str
    max_attempts: int
    enqueued_ms: float
    since_ms: float
    entry: str
    lease_no: int
    attempt: int
    excused: int
    lost: int
    poisoned: int
    fence: str
    phase: str
    consumer: str
    started_ms: float

    @classmethod
    def parse(cls, raw: str | None) -> Row | None:
        """Read a stored row; None for none."""
        if raw is None:
            return None
        places: list[Any] = json.loads(raw)
        return cls(*places, *_NEVER_CLAIMED[len(places) - 7 :])


def record_of(
    request_id: str,
    row: Row | None,
    *,
    ttl_ms: int,
    expiry_ms: float | None = None,
    due_ms: float | None = None,
    progress: Mapping[str, Any] | None = None,
    last_error: Mapping[str, Any] | None = None,
    committed: frozenset[str] = frozenset(),
) -> JobRecord | None:
    """The public record; None for no row, or one that is staged in a batch not yet `committed`."""
    if row is None:
        return None
    if row.state == STAGED:
        return _accepted(request_id, row) if row.entry in committed else None
    state = JobState(row.state)
    return JobRecord(
        request_id=request_id,
        state=state,
        priority=row.priority,
        fingerprint=row.fingerprint,
        max_attempts=row.max_attempts,
        attempt=row.attempt,
        excused=row.excused,
        lost=row.lost,
        poisoned=row.poisoned,
        lease_no=row.lease_no,
        enqueued_at=row.enqueued_ms / 1000,
        since=row.since_ms / 1000,
        consumer=row.consumer or None,
        expires_at=expiry_ms / 1000 if expiry_ms and state is JobState.RUNNING else None,
        due_at=None if due_ms is None else due_ms / 1000,
        dedup_until=(row.since_ms + ttl_ms) / 1000 if state in TERMINAL else None,
        progress=progress,
        last_error=last_error,
    )


def _accepted(request_id: str, row: Row) -> JobRecord:
    due = str(row.lease_no)
    return JobRecord(
        request_id=request_id,
        state=JobState.DELAYED if due else JobState.WAITING,
        priority=row.priority,
        fingerprint=row.fingerprint,
        max_attempts=row.max_attempts,
        attempt=0,
        excused=0,
        lost=0,
        poisoned=0,
        lease_no=0,
        enqueued_at=row.enqueued_ms / 1000,
        since=row.since_ms / 1000,
        due_at=float(due) / 1000 if due else None,
    )
