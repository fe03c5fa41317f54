"""Says what a file changed in jobs that the queue knows: for a conflict, and before they are spoken anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from lib.jobqueue import EnqueueOutcome, FinishedJob, JobQueue, JobState, Outcome
from lib.jobspec import JobFile, JobSpec, printable, take_name
from lib.records import SpokenRecord

_NAMED_AT_MOST: Final = 5
_NEVER_DECIDES: Final = frozenset(
    {"request_id", "priority", "not_before", "max_attempts", "timeout_s", "callback_data", "batch"}
)


@dataclass(frozen=True, slots=True)
class ChangedJob:
    """A job of a file that is known with other content. `line` is from 1, `what` names fields."""

    request_id: str
    line: int | None
    state: JobState | None
    what: tuple[str, ...]

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        state = f" ({self.state.value})" if self.state else ""
        differs = "differs" if len(self.what) == 1 else "differ"
        return f"{where}{self.request_id}{state}: {', '.join(self.what)} {differs}"


def changed_jobs(queue: JobQueue, file: JobFile, outcomes: Sequence[EnqueueOutcome]) -> list[ChangedJob]:
    """The jobs of the file that conflict, each with what is not as the queue knows it."""
    found = [
        (spec, line, outcome)
        for spec, line, outcome in zip(file.specs, file.lines, outcomes, strict=True)
        if outcome.outcome is Outcome.CONFLICT
    ]
    ids = [spec.request_id for spec, _, _ in found]
    pairs = zip(queue.specs(ids), queue.results(ids), strict=True)
    return [
        ChangedJob(spec.request_id, line, outcome.state, _differences(spec, asked, finished))
        for (spec, line, outcome), (asked, finished) in zip(found, pairs, strict=True)
    ]


def listed(file: JobFile, jobs: Sequence[ChangedJob]) -> str:
    """The changed jobs in words, a line each, under the file's name; the first few of many."""
    more = [f"  and {len(jobs) - _NAMED_AT_MOST} more"] if len(jobs) > _NAMED_AT_MOST else []
    return "\n".join([printable(str(file.path)), *(f"  {job}" for job in jobs[:_NAMED_AT_MOST]), *more])


def _differences(spec: JobSpec, asked: JobSpec | None, finished: FinishedJob | None) -> tuple[str, ...]:
    if asked is not None:
        names = (entry.name for entry in fields(spec) if entry.name not in _NEVER_DECIDES)
        return tuple(name for name in names if getattr(spec, name) != getattr(asked, name)) or ("content",)
    record = finished.done() if finished else None
    if record is None:
        return ("content",)
    return _unlike_record(spec, record.spoken) or ("text or how it is read",)


def _unlike_record(spec: JobSpec, spoken: SpokenRecord) -> tuple[str, ...]:
    """Of a done job only the record is kept: what it tells, and the text where it tells nothing."""
    pairs: dict[str, tuple[Any, Any]] = {
        "language": (spec.language, spoken.language),
        "profile": (spec.profile, spoken.profile),
        "variants": (spec.variants, len(spoken.takes)),
        "output_name or format": (
            take_name(spec.output_name, 1, spec.format),
            spoken.chosen.audio.file,
        ),
    }
    for name in ("voice", "speaker"):
        if getattr(spec, name) is not None:
            pairs[name] = (getattr(spec, name), getattr(spoken, name))
    return tuple(name for name, (asked, made) in pairs.items() if asked != made)
