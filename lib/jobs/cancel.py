"""Withdrawing a job that is not finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.errors import ExitStatus
from lib.jobqueue import JobQueue, JobState, UnknownJob
from lib.jobs.retry import state_of


@dataclass(frozen=True, slots=True)
class Canceled:
    """The answer to one cancel. `canceled`: this call withdrew it; `before` is its state until then."""

    request_id: str
    canceled: bool
    before: JobState
    state: JobState

    @property
    def exit_status(self) -> ExitStatus:
        """0 when the job is canceled now, else 65."""
        return ExitStatus.OK if self.state is JobState.CANCELED else ExitStatus.BAD_INPUT

    def to_json(self) -> dict[str, Any]:
        """The value of `cancel --json` (docs/reference/json/cancel.json)."""
        return {"request_id": self.request_id, "canceled": self.canceled, "state": self.state.value}


def cancel(queue: JobQueue, request_id: str) -> Canceled:
    """Withdraw a job that waits, is delayed or runs; any other stays as it is.

    Raises:
        UnknownJob: no such job; with the nearest ids.
    """
    before = state_of(queue, request_id)
    outcome = queue.cancel(request_id)
    if outcome.state is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    return Canceled(request_id, outcome.canceled, before, outcome.state)
