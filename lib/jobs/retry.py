"""Requeues failed and canceled jobs, and says of each whether it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import BadInput, ExitStatus
from lib.jobqueue import ErrorClass, FinishedJob, JobQueue, JobState, RetryOutcome, UnknownJob
from lib.jobs.history import history_page, read_history
from lib.jobs.selection import Selection

RETRIABLE = frozenset({JobState.FAILED, JobState.CANCELED})


class NotRetriable(BadInput):
    """The job is in a state that `retry` does not change."""


@dataclass(frozen=True, slots=True)
class Retried:
    """Which jobs were requeued and which were refused, in the order asked for."""

    outcomes: Sequence[RetryOutcome]

    @property
    def requeued(self) -> int:
        """How many this call requeued."""
        return sum(outcome.retried for outcome in self.outcomes)

    @property
    def exit_status(self) -> ExitStatus:
        """0 when every job asked for was requeued, else 65."""
        return ExitStatus.OK if self.requeued == len(self.outcomes) else ExitStatus.BAD_INPUT

    def to_json(self) -> dict[str, Any]:
        """The value of `retry --json` (docs/reference/json/retry.json)."""
        return {
            "requeued": self.requeued,
            "jobs": [
                {
                    "request_id": outcome.request_id,
                    "requeued": outcome.retried,
                    "state": outcome.state.value if outcome.state else None,
                }
                for outcome in self.outcomes
            ],
        }


def state_of(queue: JobQueue, request_id: str) -> JobState:
    """The job's state.

    Raises:
        UnknownJob: no such job; with the nearest ids.
    """
    record = queue.job(request_id)
    if record is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    return record.state


def failed_ids(
    queue: JobQueue, *, error_class: ErrorClass | None = None, since: float | None = None
) -> list[str]:
    """The failed jobs of that class that ended since then, most recent first.

    Canceled jobs are among them only where that is the class asked for: people withdrew them on purpose.
    `since` is in seconds since the epoch.
    """
    state = JobState.CANCELED if error_class is ErrorClass.CANCELED else JobState.FAILED
    failed = read_history(queue, status=state, since=since)
    wanted = None if error_class is None else error_class.value
    return [job.request_id for job in failed if wanted is None or _class_of(job) == wanted]


def _class_of(job: FinishedJob) -> str | None:
    failure = job.failure()
    return failure.error_class if failure else None


def retry(queue: JobQueue, request_ids: Sequence[str]) -> Retried:
    """Requeue failed and canceled jobs with fresh attempts; any other stays as it is."""
    return Retried(queue.retry(request_ids))


@dataclass(frozen=True, slots=True)
class RetriedPage:
    """What one step of requeueing many did, and where the next one begins; None: that was the last."""

    retried: Retried
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """The value of `POST /queue/retry`."""
        return {**self.retried.to_json(), "after": self.after}


def retry_page(
    queue: JobQueue,
    state: JobState,
    *,
    limit: int,
    since: float | None = None,
    text: str = "",
    signature: str | None = None,
    after: str | None = None,
) -> RetriedPage:
    """Requeue a page of what ended in that state; which, is said as for `history_page`. Raises as that."""
    page = history_page(
        queue, limit=limit, status=state, since=since, after=after, text=text, signature=signature
    )
    return RetriedPage(retry(queue, [job.request_id for job in page.jobs]), page.after)


@dataclass(frozen=True, slots=True)
class Retriable:
    """What of some jobs is asked to be requeued: all that are named, and what ended badly of the others."""

    chosen: Selection
    states: dict[str, JobState]  # of the chosen jobs

    @property
    def wanted(self) -> list[str]:
        """Those named, whatever their state, and those of a topic or file that failed or were canceled."""
        return [
            name
            for name in self.chosen.ids
            if name in self.chosen.named or self.states.get(name) in RETRIABLE
        ]

    @property
    def retriable(self) -> int:
        """How many of them are in a state that `retry` changes."""
        return sum(self.states.get(name) in RETRIABLE for name in self.wanted)

    @property
    def left(self) -> int:
        """How many of a topic or file did not end badly: they stay as they are, and that is no error."""
        return len(self.chosen.ids) - len(self.wanted)


def retriable_of(queue: JobQueue, chosen: Selection) -> Retriable:
    """Look at the states of the chosen jobs, in bulk."""
    records = zip(chosen.ids, queue.jobs(chosen.ids), strict=True)
    return Retriable(chosen, {name: record.state for name, record in records if record})


def refusal(outcome: RetryOutcome) -> NotRetriable:
    """Why that job was not requeued."""
    name, state = outcome.request_id, outcome.state
    if state is None:
        return NotRetriable(f"{name} is not known any more; nothing was changed")
    if state in RETRIABLE:  # its specification is gone: there is nothing to try again
        return NotRetriable(
            f"{name} is {state.value}, but its specification is gone from the server, so nothing was "
            "changed; enqueue its file again with --replace"
        )
    return NotRetriable(
        f"{name} is {state.value}, and only failed and canceled jobs are requeued; nothing was changed"
    )
