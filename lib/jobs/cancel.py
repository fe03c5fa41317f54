"""Withdrawing a job that is not finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, JobQueue, JobState, UnknownJob
from lib.jobs.retry import state_of
from lib.jobs.selection import Selection


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


@dataclass(frozen=True, slots=True)
class CanceledMany:
    """The answers to one cancel of several jobs, in the order asked for."""

    answers: tuple[Canceled, ...]
    chosen: Selection

    @property
    def refused(self) -> tuple[Canceled, ...]:
        """Those asked for by their ids that are done or failed."""
        return tuple(
            each for each in self.answers if each.exit_status and each.request_id in self.chosen.named
        )

    @property
    def left(self) -> tuple[Canceled, ...]:
        """What of a topic or a file is done or failed: it is not meant, and no error."""
        return tuple(each for each in self.answers if each.exit_status and each not in self.refused)

    @property
    def exit_status(self) -> ExitStatus:
        """0 unless one that was asked for by its id cannot be withdrawn, then 65."""
        return ExitStatus.BAD_INPUT if self.refused else ExitStatus.OK

    def to_json(self) -> dict[str, Any]:
        """The value of `cancel --json` for several jobs (docs/reference/json/cancel.json)."""
        return {
            "canceled": sum(each.canceled for each in self.answers),
            "jobs": [each.to_json() for each in self.answers],
            "absent": list(self.chosen.absent),
        }


def cancel_many(queue: JobQueue, chosen: Selection) -> CanceledMany:
    """Withdraw those of the jobs that wait, are delayed or run; the others stay as they are.

    One that is forgotten meanwhile is withdrawn enough, and counts as canceled before.
    """
    answers = []
    for request_id, record in zip(chosen.ids, queue.jobs(chosen.ids), strict=True):
        before = record.state if record else JobState.CANCELED
        if before in TERMINAL:
            answers.append(Canceled(request_id, canceled=False, before=before, state=before))
            continue
        outcome = queue.cancel(request_id)
        answers.append(Canceled(request_id, outcome.canceled, before, outcome.state or JobState.CANCELED))
    return CanceledMany(tuple(answers), chosen)
