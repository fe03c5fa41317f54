"""Says what a file changed in jobs that the queue knows: for a conflict, and before they are spoken anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from lib.jobqueue import EnqueueOutcome, FinishedJob, JobQueue, JobRecord, JobState, Outcome
from lib.jobs.changes_since_done import unlike_drawn, unlike_record
from lib.jobspec import JobFile, JobSpec, printable

_NAMED_AT_MOST: Final = 5
_NEVER_DECIDES: Final = frozenset(
    {"request_id", "priority", "not_before", "max_attempts", "timeout_s", "callback_data", "batch"}
)
_UNKNOWN: Final = ("content, of which no record is kept,",)


@dataclass(frozen=True, slots=True)
class ChangedJob:
    """A job of a file that is known with other content. `line` is from 1, `what` names fields."""

    request_id: str
    line: int | None
    state: JobState | None
    what: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """One entry of `stale` in what `POST /queue/plan` answers."""
        state = self.state.value if self.state else None
        return {"request_id": self.request_id, "line": self.line, "state": state, "what": list(self.what)}

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        state = f" ({self.state.value})" if self.state else ""
        differs = "differs" if len(self.what) == 1 else "differ"
        return f"{where}{self.request_id}{state}: {', '.join(self.what)} {differs}"


def changes_told(queue: JobQueue, file: JobFile, outcomes: Sequence[EnqueueOutcome]) -> str:
    """The jobs of the file that conflict, in words, a line each under the file's name; the first few of many.

    Each with what is not as the queue knows it. "" where nothing conflicts.
    """
    found = [
        (spec, line, outcome)
        for spec, line, outcome in zip(file.specs, file.lines, outcomes, strict=True)
        if outcome.outcome is Outcome.CONFLICT
    ]
    if not found:
        return ""
    more = [f"  and {len(found) - _NAMED_AT_MOST} more"] if len(found) > _NAMED_AT_MOST else []
    told = _changed_jobs(queue, found[:_NAMED_AT_MOST])
    return "\n".join([printable(str(file.path)), *(f"  {job}" for job in told), *more])


def jobs_spoken_anew(queue: JobQueue, file: JobFile, outcomes: Sequence[EnqueueOutcome]) -> list[ChangedJob]:
    """The jobs that were, or with `dry_run` would be, replaced; each with what is not as the queue knew it.

    After they were, the queue knows them as the file has them: ask it before.
    """
    found = [
        (spec, line, outcome)
        for spec, line, outcome in zip(file.specs, file.lines, outcomes, strict=True)
        if outcome.outcome is Outcome.REPLACED
    ]
    return _changed_jobs(queue, found)


def _changed_jobs(queue: JobQueue, found: Sequence[tuple[JobSpec, int, EnqueueOutcome]]) -> list[ChangedJob]:
    ids = [spec.request_id for spec, _, _ in found]
    known = zip(queue.specs(ids), queue.results(ids), queue.jobs(ids), strict=True)
    return [
        ChangedJob(spec.request_id, line, outcome.state, _differences(spec, asked, finished, record))
        for (spec, line, outcome), (asked, finished, record) in zip(found, known, strict=True)
    ]


def _differences(
    spec: JobSpec, asked: JobSpec | None, finished: FinishedJob | None, record: JobRecord | None
) -> tuple[str, ...]:
    if asked is not None:
        names = (entry.name for entry in fields(spec) if entry.name not in _NEVER_DECIDES)
        return tuple(name for name in names if getattr(spec, name) != getattr(asked, name)) or _UNKNOWN
    done = finished.done() if finished else None
    if done is None:
        return _UNKNOWN
    if done.drawn is not None or spec.is_picture:
        return unlike_drawn(spec, done)
    assert done.spoken is not None, "a record is of a picture or of speech"
    return unlike_record(spec, done.spoken, record.fingerprint if record else None) or _UNKNOWN
