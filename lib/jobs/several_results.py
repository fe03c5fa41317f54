"""How several jobs ended, or where they are: what `result` says of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.clock import rfc3339
from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState
from lib.jobs.advice import RECORD_GONE
from lib.storage import Storage, files_of


@dataclass(frozen=True, slots=True)
class Ending:
    """One job: the record of its ending with where its takes can be read, or what else is known of it."""

    known: FinishedJob | JobRecord
    files: tuple[str, ...] = ()

    @property
    def state(self) -> JobState:
        """The state it is in."""
        return self.known.state

    @property
    def why(self) -> str | None:
        """The chosen take of a done job, or why there is none; None while it is not finished."""
        if isinstance(self.known, JobRecord):
            return f"its record is lost; {RECORD_GONE}" if self.state in TERMINAL else None
        failure = self.known.failure()
        if failure is not None:
            return f"{failure.error_class}: {failure.message}"
        return (self.files[0] if self.files else None) or "gone from the store; see: job-runner report"

    def to_json(self) -> dict[str, Any]:
        """One job of `result --json` (docs/reference/json/result.json)."""
        if isinstance(self.known, JobRecord):
            since = rfc3339(self.known.since)
            return {"request_id": self.known.request_id, "state": self.state.value, "since": since}
        return {**self.known.to_json(), "files": list(self.files)}


def endings_of(queue: JobQueue, storage: Storage, request_ids: Sequence[str]) -> list[Ending]:
    """How the jobs ended, or where they are; in the order given. Reads in bulk, and changes nothing.

    One that is forgotten meanwhile is left out.
    """
    records = queue.jobs(request_ids)
    ended = [record.request_id for record in records if record and record.state in TERMINAL]
    finished = dict(zip(ended, queue.results(ended), strict=True))
    return [_ending(finished.get(record.request_id) or record, storage) for record in records if record]


def _ending(known: FinishedJob | JobRecord, storage: Storage) -> Ending:
    done = known.done() if isinstance(known, FinishedJob) else None
    return Ending(known, tuple(files_of(storage, done.takes)) if done else ())


def exit_status(endings: Sequence[Ending]) -> ExitStatus:
    """1 when a job failed, was canceled or lost its record, else 75 while one is not finished, else 0."""
    bad = any(
        each.state in TERMINAL and (each.state is not JobState.DONE or isinstance(each.known, JobRecord))
        for each in endings
    )
    if bad:
        return ExitStatus.JOB_FAILED
    unfinished = any(each.state not in TERMINAL for each in endings)
    return ExitStatus.TRY_AGAIN if unfinished else ExitStatus.OK
