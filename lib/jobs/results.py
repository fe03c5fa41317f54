"""Reads how a job ended, and the endings of a file's jobs as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import BadInput, ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState, UnknownJob
from lib.jobs.advice import trying_again
from lib.jobs.follow import REPLACED, REPLACED_MEANWHILE, Batch
from lib.jobs.names import HeldName, kept_for_a_person, published_anew
from lib.jobspec import JobSpec
from lib.storage import Storage


def ending_or_record(
    queue: JobQueue, request_id: str, revision: int | None = None
) -> FinishedJob | JobRecord:
    """How the job ended; what is known of it while it has no ending, or lost the record of it.

    `revision` is the present one unless it is given.

    Raises:
        UnknownJob: the queue does not know the id.
        NoSuchRevision: there is no record of that revision.
    """
    if revision is not None:
        record = queue.job(request_id)
        if record is None:
            raise UnknownJob(request_id, queue.nearest(request_id))
        if revision != record.revision:
            return _earlier(queue, record, revision)
    if finished := queue.result(request_id):
        return finished
    record = queue.job(request_id)
    if record is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    # it may have ended between the two looks
    return (queue.result(request_id) if record.state in TERMINAL else None) or record


class NoSuchRevision(BadInput):
    """No record is kept of the revision that was asked for."""


def _earlier(queue: JobQueue, record: JobRecord, revision: int) -> FinishedJob:
    kept = {item.revision: item for item in queue.revisions(record.request_id)}
    if revision in kept:
        return kept[revision]
    if not 1 <= revision < record.revision:
        why = f"it has {record.revision}" if record.revision > 1 else "its content was never replaced"
        raise NoSuchRevision(f"{record.request_id} has no revision {revision}; {why}.")
    others = ", ".join(map(str, sorted(kept)))
    raise NoSuchRevision(
        f"There is no record of revision {revision} of {record.request_id}: it was replaced before it was "
        f"finished, or its record's time is over. Kept {f'are {others} and ' if others else 'is '}the "
        f"present one, {record.revision}."
    )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One job as `up` and `enqueue --wait` show it.

    Seconds of audio and integrated loudness (LUFS) are the engine's measures; `file` is where the chosen
    take can be played, None unless the job is done and its audio is there. `replaced_by` is the job that was
    asked for later and has the name of a take by now.
    """

    request_id: str
    output_name: str
    state: JobState | None
    file: str | None
    audio_seconds: float | None
    loudness_lufs: float | None
    attempts: int | None
    error: str | None
    warnings: tuple[str, ...]
    replaced_by: str | None = None
    replaced: bool = False  # other content was enqueued under its id while it was followed
    error_class: str | None = None  # of one that failed or was canceled
    edited: str | None = (
        None  # the published path where a person's file lies, so that the audio stays in the store
    )
    replaces: str | None = None  # the other job whose audio its name held when it was asked for

    @property
    def word(self) -> str | None:
        """Its state in a word, "replaced" included; None where it has none yet."""
        return REPLACED if self.replaced else self.state.value if self.state else None

    @property
    def again(self) -> str | None:
        """What puts a job that failed or was canceled back, as half a sentence; None for any other."""
        if self.replaced or self.state not in (JobState.FAILED, JobState.CANCELED):
            return None
        return trying_again(self.request_id, self.error_class)

    @property
    def is_gone(self) -> bool:
        """Whether the job is done and its audio is neither published nor in the store."""
        return self.state is JobState.DONE and self.file is None

    def to_json(self) -> dict[str, Any]:
        """One entry of `results` in `--json`."""
        return {
            "request_id": self.request_id,
            "output_name": self.output_name,
            "state": self.word,
            "file": self.file,
            "audio_seconds": self.audio_seconds,
            "loudness_lufs": self.loudness_lufs,
            "attempts": self.attempts,
            "error": self.error,
            "warnings": list(self.warnings),
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "edited": self.edited,
        }


def result_rows(batch: Batch, storage: Storage, held: Iterable[HeldName] = ()) -> list[ResultRow]:
    """One row per job. What is in the store is published again, as asked for latest.

    `held` are the names that held the audio of other jobs when these were asked for.

    Raises:
        StorageUnavailable: the store refuses.
    """
    pairs = zip(batch.specs, batch.results(), strict=True)
    owners = {name.request_id: name.owner for name in held}
    return [_row(batch, spec, finished, storage, owners.get(spec.request_id)) for spec, finished in pairs]


def _row(
    batch: Batch, spec: JobSpec, finished: FinishedJob | None, storage: Storage, owner: str | None
) -> ResultRow:
    done = finished.done() if finished else None
    failure = finished.failure() if finished else None
    published = published_anew(batch.queue, storage, finished, done.takes) if finished and done else None
    files = published.files if published else ()
    rival = published.rival if published else None
    edited = None
    if finished and done and published and not published.trouble:
        edited = kept_for_a_person(storage, finished, done.takes, files)
    replaced = spec.request_id in batch.replaced
    return ResultRow(
        request_id=spec.request_id,
        output_name=spec.output_name,
        state=finished.state if finished else None,
        file=files[0] or None if files else None,
        audio_seconds=done.audio_seconds if done else None,
        loudness_lufs=done.loudness_lufs if done else None,
        attempts=finished.attempt if finished else None,
        error=REPLACED_MEANWHILE if replaced else failure.message if failure else None,
        warnings=done.record.warnings if done else (),
        replaced_by=rival.request_id if rival else None,
        replaced=replaced,
        error_class=failure.error_class if failure else None,
        replaces=owner if done and not rival else None,
        edited=edited,
    )


def ending_of(batch: Batch, rows: Sequence[ResultRow]) -> ExitStatus:
    """The exit status of whoever followed the batch: its own, but 1 where audio of a done job is gone or
    replaced.
    """
    lacking = any(row.is_gone or row.replaced_by for row in rows)
    return ExitStatus.JOB_FAILED if lacking else batch.exit_status
