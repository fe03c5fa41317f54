"""Every job of a file held against the queue and the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lib.clock import rfc3339
from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState
from lib.jobs.advice import AUDIO_GONE, HERE, RECORD_GONE, AskingAgain
from lib.jobs.extra_audio import BesideJob, published_beside
from lib.jobs.names import newer_owner, strange_file
from lib.jobspec import JobSpec
from lib.records import Made
from lib.storage import Storage, StoredArtifact
from lib.units import seconds_text

_CLOSER: Final = 200  # jobs


class Standing(StrEnum):
    """The state of a job of the file, held against queue and store."""

    MISSING = "missing"  # the queue does not know its request id
    CHANGED = "changed"  # the queue knows the id with other content
    DELAYED = "delayed"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # and its audio is in the store
    FAILED = "failed"
    CANCELED = "canceled"
    ARTIFACT_GONE = "artifact_gone"  # done, but its audio is not in the store any more
    REPLACED = "replaced"  # done, but a job that was asked for later has its name


#: Waiting mends these: the file is not through yet.
UNFINISHED: Final = frozenset({Standing.MISSING, Standing.DELAYED, Standing.WAITING, Standing.RUNNING})
#: Waiting does not mend these: somebody must do something.
WRONG: Final = frozenset(
    {Standing.CHANGED, Standing.FAILED, Standing.CANCELED, Standing.ARTIFACT_GONE, Standing.REPLACED}
)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One job of the file. `reason` is a sentence for people, None when there is nothing to explain."""

    spec: JobSpec
    standing: Standing
    reason: str | None = None
    file: str | None = None  # the chosen take, when it is done

    def to_json(self) -> dict[str, Any]:
        """One entry of `jobs` in `report --json`."""
        return {
            "request_id": self.spec.request_id,
            "output_name": self.spec.output_name,
            "state": self.standing.value,
            "reason": self.reason,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All jobs of a file, in its order; `extra` is the audio beside theirs, None where nobody asked."""

    rows: tuple[ReportRow, ...]
    extra: tuple[BesideJob, ...] | None = None

    def totals(self) -> dict[str, int]:
        """How many jobs there are, and how many stand how."""
        counted = Counter(row.standing for row in self.rows)
        return {"jobs": len(self.rows), **{standing.value: counted[standing] for standing in Standing}}

    @property
    def exit_status(self) -> ExitStatus:
        """1 when a job needs somebody, else 75 while one is unfinished, else 0."""
        standings = {row.standing for row in self.rows}
        if standings & WRONG:
            return ExitStatus.JOB_FAILED
        return ExitStatus.TRY_AGAIN if standings & UNFINISHED else ExitStatus.OK

    def to_json(self) -> dict[str, Any]:
        """The value of `report --json` (docs/reference/json/report.json)."""
        value = {"jobs": [row.to_json() for row in self.rows], "totals": self.totals()}
        return value if self.extra is None else {**value, "extra": [job.to_json() for job in self.extra]}


def report_on(
    queue: JobQueue,
    specs: Sequence[JobSpec],
    storage: Storage,
    now: float,
    *,
    extra: bool = False,
    again: AskingAgain = HERE,
) -> Report:
    """Hold the jobs against the queue and the store. Reads in bulk; changes nothing.

    `now` is in seconds since the epoch. With `extra` it also looks for audio in their folders that none of
    them asks for, as `published_beside`. `again` is what is advised where a job has to be asked for again.
    """
    ids = [spec.request_id for spec in specs]
    records = queue.jobs(ids)
    _look_closer(queue, records)
    # only of those that had ended when they were looked at: a row must not mix two moments
    ended = [record.request_id for record in records if record and record.state in TERMINAL]
    finished = dict(zip(ended, queue.results(ended), strict=True))
    return Report(
        tuple(
            _changed(spec, record, again)
            or _row(spec, record, finished.get(spec.request_id), storage, now, again)
            for spec, record in zip(specs, records, strict=True)
        ),
        published_beside(queue, storage, specs) if extra else None,
    )


def _look_closer(queue: JobQueue, records: list[JobRecord | None]) -> None:
    """When a delayed job is due, and what failed before, is not read in bulk: of the first ones only."""
    delayed = [
        (at, record.request_id)
        for at, record in enumerate(records)
        if record and record.state is JobState.DELAYED
    ]
    for at, request_id in delayed[:_CLOSER]:
        records[at] = queue.job(request_id)


def _changed(spec: JobSpec, record: JobRecord | None, again: AskingAgain) -> ReportRow | None:
    """Of a job that the queue knows with other content than the file has."""
    if record is None or record.fingerprint == spec.fingerprint:
        return None
    reason = f"known with other content, which is {record.state.value}; speak it anew: {again.replaced}"
    return ReportRow(spec, Standing.CHANGED, reason)


def _row(
    spec: JobSpec,
    record: JobRecord | None,
    finished: FinishedJob | None,
    storage: Storage,
    now: float,
    again: AskingAgain,
) -> ReportRow:
    if record is None:
        return ReportRow(spec, Standing.MISSING, "not in the queue; enqueue the file")
    if record.state is JobState.DONE:
        return _done(spec, finished, storage, again)
    reason = _ended_badly(spec, finished, storage) if finished else _unfinished(record, now)
    return ReportRow(spec, Standing(record.state.value), reason)


def _done(spec: JobSpec, finished: FinishedJob | None, storage: Storage, again: AskingAgain) -> ReportRow:
    record = finished.done() if finished else None
    takes = record.takes if record else ()
    gone = [take for take in takes if not storage.has(StoredArtifact.of(take.main))]
    if finished is None:
        return ReportRow(spec, Standing.ARTIFACT_GONE, f"its record is lost; {RECORD_GONE}")
    if not takes:
        return ReportRow(spec, Standing.ARTIFACT_GONE, "its result record names no audio")
    if gone:
        which = "" if len(takes) == 1 else f" of take {gone[0].take}"
        reason = f"the audio{which} is not in the store; {AUDIO_GONE}"
        return ReportRow(spec, Standing.ARTIFACT_GONE, reason)
    return _named(spec, finished, takes, storage, again)


def _named(
    spec: JobSpec, finished: FinishedJob, takes: Sequence[Made], storage: Storage, again: AskingAgain
) -> ReportRow:
    """Of a done job whose audio is in the store: what lies under its name."""
    newer = newer_owner(storage, finished, takes)
    if newer is not None:
        whose = (
            f"its name holds the audio of {newer.request_id}, which was asked for later; it is published "
            f"again by: {again.published}"
        )
        return ReportRow(spec, Standing.REPLACED, whose, storage.blob(StoredArtifact.of(takes[0].main)))
    reason: str | None = None
    if not all(storage.published(take.main.file) for take in takes):
        reason = "its published file is missing; put it back with: job-runner reconcile --apply"
    elif strange := strange_file(storage, finished, takes):
        reason = (
            f"{strange} holds the audio of another job, which was asked for before; put this one's there "
            "with: job-runner reconcile --apply"
        )
    return ReportRow(spec, Standing.DONE, reason, storage.location(takes[0].main.file))


def _ended_badly(spec: JobSpec, finished: FinishedJob, storage: Storage) -> str:
    error = finished.failure()
    reason = f"{error.error_class}: {error.message}" if error else "unknown: no reason was recorded"
    return reason + _still_there(spec, finished, storage)


def _still_there(spec: JobSpec, finished: FinishedJob, storage: Storage) -> str:
    """Whose audio a job that ended without any left under its name, as half a sentence."""
    owner = storage.owner(spec.output_name)
    if owner is None:
        return ""
    whose = "an earlier revision of it" if owner.request_id == spec.request_id else owner.request_id
    when = "later" if owner.order > finished.order else "before"
    return f"; {spec.output_name} holds the audio of {whose}, asked for {when}"


def _unfinished(record: JobRecord, now: float) -> str:
    passed = seconds_text(max(0.0, now - record.since))
    match record.state:
        case JobState.DELAYED if record.last_error is not None:
            return f"waits to be tried again; attempt {record.attempt} of {record.max_attempts} failed"
        case JobState.DELAYED:  # by the queue's record: the file may say otherwise by now
            if record.due_at is None:
                return f"until when, says: job-runner explain {record.request_id}"
            return f"not before {rfc3339(record.due_at)}"
        case JobState.RUNNING:
            return f"attempt {record.attempt} at {record.consumer or 'a watcher'} for {passed}"
        case _:
            return f"for {passed}"
