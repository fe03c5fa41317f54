"""A job's row in the hash `state`, as Python reads it. The prelude of the scripts names the same places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.jobqueue.errors import DamagedRow
from lib.jobqueue.model import TERMINAL, JobRecord, JobState

STAGED: Final = "staged"
DAMAGED: Final = "damaged"  # in place of a state: the row cannot be read
# What a stored row leaves out at its end: all of it when the job was never claimed, or the last four places
# when none of them says anything.
_LEFT_OUT: Final = (0, 0, 0, 0, 0, "", "", "", 0, "", "", "", 0)


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
    host: str
    spool_entry: str
    killed: list[str] | str  # "" for none
    alone: int

    @classmethod
    def parse(cls, raw: str | None, request_id: str) -> Row | None:
        """Read a stored row; None for none.

        Raises:
            DamagedRow: it is none of ours.
        """
        if raw is None:
            return None
        places = _places(raw)
        if places is None:
            raise DamagedRow(request_id)
        return cls(*places, *_LEFT_OUT[len(places) - _SHORTEST :])


_STATES: Final = frozenset((STAGED, *JobState))
_NUMBER: Final = (int, float)
_KINDS: Final[tuple[type | tuple[type, ...], ...]] = (
    *(str, str, str, _NUMBER, _NUMBER, _NUMBER, str),
    *(_NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, str, str, str, _NUMBER),
    *(str, str, (str, list), _NUMBER),
)
_SHORTEST: Final = 7
_WITHOUT_PLACE: Final = 16
_LENGTHS: Final = {STAGED: (8,)}


def _places(raw: str) -> list[Any] | None:
    """The places of a row; None when it is none of ours."""
    try:
        places = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(places, list) or not places or places[0] not in _STATES:
        return None
    if len(places) not in _LENGTHS.get(places[0], (_SHORTEST, _WITHOUT_PLACE, len(_KINDS))):
        return None
    kinds = (*_KINDS[:_SHORTEST], str) if places[0] == STAGED else _KINDS
    fits = all(isinstance(place, kind) for place, kind in zip(places, kinds, strict=False))
    return places if fits else None


def state_in(raw: str) -> str:
    """The state that a stored row names, `staged` included; `DAMAGED` when it cannot be read."""
    places = _places(raw)
    return DAMAGED if places is None else str(places[0])


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
        host=row.host,
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
