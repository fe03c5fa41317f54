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
_NEVER_CLAIMED: Final = (0, 0, 0, 0, 0, "", "", "", 0)
_FIRST: Final = (0, 1)  # order and revision where the version before wrote the row
_NOWHERE: Final = ("", "", "", 0)


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
    order: int
    revision: int
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
        return cls(*_filled(places))


_STATES: Final = frozenset((STAGED, *JobState))
_NUMBER: Final = (int, float)
_Kinds = tuple[type | tuple[type, ...], ...]
_HEAD: Final[_Kinds] = (str, str, str, _NUMBER, _NUMBER, _NUMBER, str)
_CLAIM: Final[_Kinds] = (_NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, str, str, str, _NUMBER)
_ASKED: Final[_Kinds] = (_NUMBER, _NUMBER)
_PLACE: Final[_Kinds] = (str, str, (str, list), _NUMBER)
_STAGED_KINDS: Final[_Kinds] = (*_HEAD, str)
# A stored row leaves out what says nothing: the claim's places when the job was never claimed, the last four
# when none of them says anything. The version before knew neither order nor revision.
_SHAPES: Final[Mapping[int, _Kinds]] = {
    len(kinds): kinds
    for kinds in (
        _HEAD,
        (*_HEAD, *_ASKED),
        (*_HEAD, *_CLAIM),
        (*_HEAD, *_CLAIM, *_ASKED),
        (*_HEAD, *_CLAIM, *_PLACE),
        (*_HEAD, *_CLAIM, *_ASKED, *_PLACE),
    )
}


def _filled(places: list[Any]) -> tuple[Any, ...]:
    """All places of a stored row, in order."""
    head, rest = places[: len(_HEAD)], places[len(_HEAD) :]
    if places[0] == STAGED:
        return (*head, *rest, *_NEVER_CLAIMED[1:], *_FIRST, *_NOWHERE)
    claim = rest[: len(_CLAIM)] if len(rest) >= len(_CLAIM) else _NEVER_CLAIMED
    rest = rest[len(_CLAIM) :] if len(rest) >= len(_CLAIM) else rest
    asked = rest[:2] if len(rest) in (len(_ASKED), len(_ASKED) + len(_PLACE)) else _FIRST
    return (*head, *claim, *asked, *(rest[-len(_PLACE) :] if len(rest) >= len(_PLACE) else _NOWHERE))


def _places(raw: str) -> list[Any] | None:
    """The places of a row; None when it is none of ours."""
    try:
        places = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(places, list) or not places or places[0] not in _STATES:
        return None
    kinds = _SHAPES.get(len(places))
    if places[0] == STAGED:
        kinds = _STAGED_KINDS if len(places) == len(_STAGED_KINDS) else None
    fits = kinds is not None and all(map(isinstance, places, kinds))
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
        order=row.order,
        revision=row.revision,
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
