"""What waits, runs or is delayed, a page at a time: its cost does not grow with the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobqueue import JobQueue, JobRecord, JobSpec, JobState
from lib.jobs.cancel import CanceledMany, cancel_many
from lib.jobs.selection import Selection

UNFINISHED_STATES: Final = (JobState.WAITING, JobState.RUNNING, JobState.DELAYED)
#: What a page's `after` looks like.
PLACE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,239}$"
_MOST_LOOKS: Final = 40
_PREVIEW: Final = 90


@dataclass(frozen=True, slots=True)
class UnfinishedJob:
    """One job, and what was asked for under its id; None where that cannot be read."""

    record: JobRecord
    spec: JobSpec | None

    @property
    def preview(self) -> str:
        """The start of its text on one line."""
        words = " ".join(self.spec.words[: _PREVIEW * 4].split()) if self.spec else ""
        return words if len(words) <= _PREVIEW else words[: _PREVIEW - 1].rstrip() + "…"

    def to_json(self) -> dict[str, Any]:
        """One job of `GET /queue/jobs`."""
        record, spec = self.record, self.spec
        return {
            "request_id": record.request_id,
            "state": record.state.value,
            "since": rfc3339(record.since),
            "enqueued_at": rfc3339(record.enqueued_at),
            "priority": record.priority,
            "attempt": record.attempt,
            "max_attempts": record.max_attempts,
            "revision": record.revision,
            "due_at": None if record.due_at is None else rfc3339(record.due_at),
            "watcher": record.consumer,
            "host": record.host or None,
            "progress": None if record.progress is None else dict(record.progress),
            "last_error": None if record.last_error is None else dict(record.last_error),
            "voice": None if spec is None else spec.voice or spec.speaker,
            "text": self.preview,
        }


@dataclass(frozen=True, slots=True)
class UnfinishedPage:
    """Some of the jobs in one state; `after` reads on behind them, None: there are no more.

    Where few of many fit what is looked for, a page may hold few, and there is more all the same.
    """

    jobs: Sequence[UnfinishedJob]
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """The value of `GET /queue/jobs`."""
        return {"jobs": [job.to_json() for job in self.jobs], "after": self.after}


def unfinished_page(
    queue: JobQueue, state: JobState, *, limit: int, text: str = "", after: str | None = None
) -> UnfinishedPage:
    """The jobs in an unfinished state whose ids hold `text`, whatever its capitals.

    Raises:
        BadInput: `after` is not what a page of that state gave.
    """
    ids, cursor = _ids(queue, state, limit, text, after)
    # one by one what is not read in bulk: progress, when it is due, what failed before
    detailed = state is not JobState.WAITING
    records = [queue.job(name) for name in ids] if detailed else queue.jobs(ids)
    specs = queue.specs(ids)
    jobs = [
        UnfinishedJob(record, spec)
        for record, spec in zip(records, specs, strict=True)
        if record is not None and record.state is state
    ]
    return UnfinishedPage(jobs, cursor)


def _ids(
    queue: JobQueue, state: JobState, limit: int, text: str, after: str | None
) -> tuple[list[str], str | None]:
    found: list[str] = []
    wanted, behind = text.casefold(), after or ""
    for _ in range(_MOST_LOOKS):
        page = queue.listed(state, behind, count=limit - len(found))
        found += [name for name in page.ids if wanted in name.casefold()]
        behind = page.behind
        if not behind or len(found) >= limit:
            break
    return found, behind or None


@dataclass(frozen=True, slots=True)
class CanceledPage:
    """What one step of withdrawing many did, and where the next one begins; None: that was the last."""

    canceled: CanceledMany
    after: str | None

    def to_json(self) -> dict[str, Any]:
        """The value of `POST /queue/cancel`."""
        told = self.canceled.to_json()
        return {"canceled": told["canceled"], "jobs": told["jobs"], "after": self.after}


def cancel_named(queue: JobQueue, request_ids: Sequence[str]) -> CanceledPage:
    """Withdraw those of the jobs that are not finished; the others stay as they are."""
    known = zip(request_ids, queue.jobs(request_ids), strict=True)
    ids = tuple(dict.fromkeys(name for name, record in known if record is not None))
    return CanceledPage(cancel_many(queue, Selection(ids)), None)


def cancel_page(
    queue: JobQueue, state: JobState, *, limit: int, text: str = "", after: str | None = None
) -> CanceledPage:
    """Withdraw a page of the jobs in that state whose ids hold `text`. Raises as `unfinished_page`."""
    ids, cursor = _ids(queue, state, limit, text, after)
    return CanceledPage(cancel_many(queue, Selection(tuple(ids))), cursor)
