"""Explains in one sentence why a job is where it is, and what would move it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lib.clock import rfc3339
from lib.jobqueue import TERMINAL, ErrorClass, FinishedJob, JobRecord, JobState, Snapshot
from lib.jobqueue.admin.observed import PlaceInLine
from lib.jobs.advice import A_WATCHER, AUDIO_GONE, RECORD_GONE, reclaiming, trying_again
from lib.jobs.names import StrangeName, Strangeness
from lib.jobs.overview import trouble_of
from lib.jobs.watchers import without_machines
from lib.records import FailedRecord
from lib.units import seconds_text


class Reason(StrEnum):
    """Why, in a word that scripts can rely on."""

    NO_WATCHER = "no_watcher"  # it could run, and nobody works
    NO_MACHINE = "no_machine"  # watchers run, and no machine of theirs can be used
    PAUSED = "paused"
    IN_LINE = "in_line"  # others come first
    HANDED_BACK = "handed_back"  # goes to whoever asks next
    MISPLACED = "misplaced"  # no worker would be given it
    NOT_BEFORE = "not_before"
    BACKOFF = "backoff"  # failed, and is tried again later
    UNSPECIFIED = "unspecified"  # what should be spoken is gone
    DUE = "due"  # its time has come; the next worker that asks takes it up
    RUNNING = "running"
    NOT_BEGUN = "not_begun"  # leased, and the work has not begun
    WORKER_SILENT = "worker_silent"  # leased to a watcher that has not been seen lately
    LEASE_EXPIRED = "lease_expired"
    DONE = "done"
    ARTIFACT_GONE = "artifact_gone"
    REPLACED = "replaced"  # done, and a job that was asked for later has its name
    ANOTHER_ONES = (
        "another_ones"  # done, and the audio of a job that was asked for before lies under its name
    )
    EDITED = "edited"  # done, and a person's file lies under its name
    UNPUBLISHED = "unpublished"  # done, and its published file is missing
    RECORD_GONE = "record_gone"  # finished, with neither result nor error
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a job is where it is. `frees` is what would move it; None when nothing has to."""

    request_id: str
    state: JobState
    reason: Reason
    why: str
    frees: str | None
    since: float
    details: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """Why, and what would free it."""
        return f"{self.request_id} {self.why}{f'; {self.frees}' if self.frees else ''}."

    def to_json(self) -> dict[str, Any]:
        """The value of `explain --json` (docs/reference/json/explain.json)."""
        return {
            "request_id": self.request_id,
            "state": self.state.value,
            "reason": self.reason.value,
            "sentence": self.sentence,
            "why": self.why,
            "frees": self.frees,
            "since": rfc3339(self.since),
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is looked at. `finished` and `artifact_there` are for finished jobs, `place` for waiting ones,
    `specified` (what should be spoken is known) for waiting and delayed ones.

    `strange` is what of a done job's names holds something else than its audio.
    `live` are the names of the watchers seen lately, `ended` of those whose processes have ended.
    """

    record: JobRecord
    snapshot: Snapshot
    live: frozenset[str] = frozenset()
    place: PlaceInLine | None = None
    finished: FinishedJob | None = None
    artifact_there: bool = True
    specified: bool = True
    ended: frozenset[str] = frozenset()
    strange: StrangeName | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    reason: Reason
    why: str
    frees: str | None
    details: Mapping[str, Any]


def explain(seen: Evidence) -> Explanation:
    """Explain one job. Pure."""
    record = seen.record
    said = _lost(seen) or _BY_STATE[record.state](seen)
    return Explanation(
        record.request_id, record.state, said.reason, said.why, said.frees, record.since, said.details
    )


def _lost(seen: Evidence) -> _Said | None:
    """Why it can go no way at all: something of it is gone from the server."""
    record = seen.record
    if record.state in TERMINAL and seen.finished is None:
        why = f"is {record.state.value} since {rfc3339(record.since)}, and its record is lost"
        return _Said(Reason.RECORD_GONE, why, RECORD_GONE, {})
    if not seen.specified:
        passed = seconds_text(max(0.0, seen.snapshot.server_time - record.since))
        why = f"is {record.state.value} for {passed}, and its specification is gone, so it cannot be spoken"
        frees = "job-runner reconcile --apply ends it as failed, then enqueue it with --replace"
        return _Said(Reason.UNSPECIFIED, why, frees, {})
    return None


def _waiting(seen: Evidence) -> _Said:
    record, place = seen.record, seen.place
    passed = seconds_text(max(0.0, seen.snapshot.server_time - record.since))
    if place is not None and not place.reachable:
        why = f"has waited for {passed} and lost its place in the stream, so no worker would be given it"
        return _Said(Reason.MISPLACED, why, "job-runner reconcile --apply gives it a new one", {})
    details = {"ahead": place.ahead, "ahead_at_least": place.more} if place else {}
    stop = _stopped(seen)
    if stop is not None:
        return _Said(stop[0], f"has waited for {passed} because {stop[1]}", stop[2], details)
    if place is not None and place.handed_back:
        why = f"was handed back by a worker {passed} ago and goes out before all others"
        return _Said(Reason.HANDED_BACK, why, "the next free slot of a watcher takes it", details)
    why = f"has waited for {passed}: {_in_front(record, place)}, and {_jobs(seen.snapshot.pending)} running"
    frees = "it starts when a watcher has a free slot and its turn comes"
    trouble = trouble_of(seen.snapshot.watchers)
    return _Said(Reason.IN_LINE, why, f"{frees}, but {trouble.rstrip('.')}" if trouble else frees, details)


def _in_front(record: JobRecord, place: PlaceInLine | None) -> str:
    if place is None:
        return "its place in the line is being made"
    count = f"more than {place.ahead}" if place.more else str(place.ahead) if place.ahead else "no"
    noun = "job" if place.ahead == 1 and not place.more else "jobs"
    return f"{count} {noun} of {record.priority} priority ahead of it"


def _stopped(seen: Evidence) -> tuple[Reason, str, str] | None:
    """Why nothing is given out at all."""
    paused, idle = seen.snapshot.paused, not seen.live
    if paused and idle:
        return (
            Reason.PAUSED,
            "the queue is paused and no watcher runs",
            f"job-runner resume, and start a watcher ({A_WATCHER})",
        )
    if paused:
        return Reason.PAUSED, "the queue is paused", "job-runner resume lets it go on"
    if idle:
        return Reason.NO_WATCHER, "no watcher runs", f"start one with {A_WATCHER}"
    if (out := without_machines(seen.snapshot.watchers)) is not None:
        frees = "it goes on by itself when one can be used, and job-watcher machines shows each"
        return Reason.NO_MACHINE, f"the watcher says: {out.rstrip('.')}", frees
    return None


def _delayed(seen: Evidence) -> _Said:
    record, now = seen.record, seen.snapshot.server_time
    due = record.due_at
    details = {
        "due_at": None if due is None else rfc3339(due),
        "attempt": record.attempt,
        "max_attempts": record.max_attempts,
    }
    if due is None:
        why = "is delayed without a time, so it would never be due"
        return _Said(Reason.MISPLACED, why, "job-runner reconcile --apply gives it one", details)
    error = record.last_failure()
    if due <= now:
        stop = _stopped(seen)
        because = f" and still waits because {stop[1]}" if stop else ""
        why = f"has been due for {seconds_text(now - due)}{because}"
        return _Said(Reason.DUE, why, stop[2] if stop else "the next watcher that asks takes it up", details)
    left = f"{rfc3339(due)}, in {seconds_text(due - now)}"
    if error is None:
        why = f"is not to start before {left}"
        return _Said(Reason.NOT_BEFORE, why, "it starts by itself then, when a watcher runs", details)
    tries = f"{_times(record.attempt - record.excused)} of at most {record.max_attempts}"
    why = f"failed {tries} ({_error(error)}) and is tried again at {left}"
    return _Said(Reason.BACKOFF, why, "it goes on by itself then, when a watcher runs", details)


def _running(seen: Evidence) -> _Said:
    record, now = seen.record, seen.snapshot.server_time
    who, passed = record.consumer or "a watcher", seconds_text(max(0.0, now - record.since))
    ends = record.expires_at
    details = {
        "consumer": record.consumer,
        "attempt": record.attempt,
        "lease_no": record.lease_no,
        "lease_until": None if ends is None else rfc3339(ends),
        "progress": None if record.progress is None else dict(record.progress),
    }
    if ends is None:
        why = f"is said to run at {who}, but holds no lease, so nobody would take it back"
        return _Said(Reason.MISPLACED, why, "job-runner reconcile --apply frees it", details)
    if ends <= now:
        why = f"was leased to {who} {passed} ago, and the lease ran out {seconds_text(now - ends)} ago"
        frees = reclaiming(paused=seen.snapshot.paused, watched=bool(seen.live))
        return _Said(Reason.LEASE_EXPIRED, why, frees, details)
    if record.consumer not in seen.live:
        gone = "has ended" if record.consumer in seen.ended else "has not been seen lately"
        why = f"has been leased to {who} for {passed}, and that watcher {gone}"
        frees = f"it goes to another watcher when the lease runs out, in {seconds_text(ends - now)}"
        if seen.snapshot.paused:
            frees += ", once job-runner resume ended the pause"
        return _Said(Reason.WORKER_SILENT, why, frees, details)
    if record.attempt == 0 and record.progress is None:
        why = f"has been in the hands of {who} for {passed} and is not begun yet"
        return _Said(Reason.NOT_BEGUN, why, "it begins when that watcher's worker is free", details)
    why = f"has been worked on by {who} for {passed} (attempt {record.attempt}{_progress(record)})"
    theirs = [watcher for watcher in seen.snapshot.watchers if watcher.name == record.consumer]
    return _Said(Reason.RUNNING, why, trouble_of(theirs), details)


def _progress(record: JobRecord) -> str:
    if not record.progress:
        return ""
    return ": " + ", ".join(f"{name} {value}" for name, value in record.progress.items())


def _done(seen: Evidence) -> _Said:
    at = rfc3339(seen.record.since)
    done = seen.finished.done() if seen.finished else None
    details = {"output": done.output if done else None}
    if not seen.artifact_there:
        why = f"was done at {at}, and its audio is not in the store any more"
        return _Said(Reason.ARTIFACT_GONE, why, AUDIO_GONE, details)
    if seen.strange is not None:
        return _strange(seen.strange, at, details)
    return _Said(Reason.DONE, f"was done at {at}", None, details)


def _strange(strange: StrangeName, at: str, details: Mapping[str, Any]) -> _Said:
    """A done job whose name holds something else."""
    path, back = strange.path, "job-runner up FILE, with the file of the job, puts its own there"
    match strange.kind:
        case Strangeness.REPLACED:
            what, frees = f"{path} holds the audio of {strange.owner}, which was asked for later", back
        case Strangeness.ANOTHER_ONES:
            what = f"{path} holds the audio of another job, which was asked for before"
            frees = "job-runner reconcile --apply puts its own there"
        case Strangeness.EDITED:
            what = f"what lies at {path} no job made: it was edited or put there by a person and stays"
            frees = f"move it away, and {back}; job-runner result tells where that is kept"
        case _:
            what = f"its published file {path} is missing"
            frees = "job-runner reconcile --apply puts it back"
    found = {**details, "path": path, "owner": strange.owner}
    return _Said(Reason(strange.kind.value), f"was done at {at}, and {what}", frees, found)


def _failed(seen: Evidence) -> _Said:
    record, error = seen.record, _error_of(seen)
    name = error.error_class if error else "unknown"
    details = {"class": name, "attempts": record.attempt, "lost": record.lost}
    why = f"failed at {rfc3339(record.since)} after {_times(record.attempt, 'attempt')} ({_error(error)})"
    return _Said(Reason.FAILED, why, trying_again(record.request_id, name), details)


def _canceled(seen: Evidence) -> _Said:
    error = _error_of(seen)
    message = (error.message if error else "") or "canceled"
    why = f"was withdrawn at {rfc3339(seen.record.since)} ({message.rstrip('.')})"
    frees = trying_again(seen.record.request_id, ErrorClass.CANCELED)
    return _Said(Reason.CANCELED, why, frees, {})


def _error_of(seen: Evidence) -> FailedRecord | None:
    return seen.finished.failure() if seen.finished else None


def _error(error: FailedRecord | None) -> str:
    return f"{error.error_class}: {error.message.rstrip('.')}" if error else "unknown: no reason was recorded"


def _times(count: int, noun: str = "time") -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _jobs(count: int) -> str:
    return "1 job is" if count == 1 else f"{count} jobs are"


_BY_STATE: Final[Mapping[JobState, Callable[[Evidence], _Said]]] = {
    JobState.WAITING: _waiting,
    JobState.DELAYED: _delayed,
    JobState.RUNNING: _running,
    JobState.DONE: _done,
    JobState.FAILED: _failed,
    JobState.CANCELED: _canceled,
}
