"""Job specifications and records as they are stored: compact JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.errors import BadInput
from lib.jobqueue.model import EnqueueOutcome, Outcome
from lib.jobspec import JobSpec, from_payload, payload_and_fingerprint

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False
).encode


@dataclass(frozen=True, slots=True)
class Intake:
    """A specification as the enqueue scripts take it. `due_ms` is empty for a job without `not_before`."""

    request_id: str
    fingerprint: str
    priority: str
    max_attempts: int
    due_ms: int | str
    payload: str
    callback_data: str = "{}"  # of the payload, as a record holds it
    batch: str = ""

    def arguments(self, *, replacing: bool = False) -> tuple[str | int, ...]:
        """In the order of the scripts' headers; what only a replacement needs, if it is one."""
        always = (
            self.request_id,
            self.fingerprint,
            self.priority,
            self.max_attempts,
            self.due_ms,
            self.payload,
        )
        return (*always, self.callback_data) if replacing else always


def intake(spec: JobSpec) -> Intake:
    """Encode one specification for enqueueing."""
    due: int | str = "" if spec.not_before is None else round(spec.not_before * 1000)
    payload, fingerprint = payload_and_fingerprint(spec)
    callback = to_json(spec.callback_data) if spec.callback_data else "{}"
    return Intake(
        spec.request_id,
        fingerprint,
        spec.priority,
        spec.max_attempts,
        due,
        payload,
        callback,
        spec.batch or "",
    )


def spec_of(payload: str) -> JobSpec:
    """Decode a stored specification.

    Raises:
        BadInput: it was written by another version and this one cannot read it.
    """
    return from_payload(json.loads(payload))


def to_json(value: Mapping[str, Any]) -> str:
    """Encode a result, progress or error.

    Raises:
        BadInput: it holds something that JSON cannot.
    """
    try:
        return _encode(dict(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"a record for the queue must be JSON, and this one is not: {error}") from None


def refused(outcome: EnqueueOutcome, instead: Outcome) -> EnqueueOutcome:
    """A new job of a call that is not carried out."""
    if outcome.outcome is Outcome.CONFLICT:
        return replace(outcome, state=None)
    return replace(outcome, outcome=instead, state=None)
