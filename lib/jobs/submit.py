"""Enqueues the jobs of a file, for `enqueue` and `up`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.errors import BadInput, ExitStatus, JobRunnerError, TryAgain
from lib.jobqueue import Changed, EnqueueOutcome, JobQueue, Outcome
from lib.jobs.admin import required_admin
from lib.jobs.changes import changes_told
from lib.jobspec import JobFile


class Conflict(BadInput):
    """A request id of the file is known with other content."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The outcome of each job of a file, in its order."""

    outcomes: Sequence[EnqueueOutcome]
    kept: str | None = None  # where what was accepted is known to be, in words; None: nobody asked
    changes: str = ""  # the changed jobs in words, a line each, where something conflicts

    @property
    def sentence(self) -> str:
        """The counts in words: "3 created, 2 already known"."""
        words = {Outcome.DUPLICATE.value: "already known", Outcome.REPLACED.value: "to be spoken anew"}
        return (
            ", ".join(f"{count} {words.get(name, name)}" for name, count in self.counts().items()) or "none"
        )

    def counts(self) -> dict[str, int]:
        """How many jobs had each outcome."""
        counted = Counter(outcome.outcome for outcome in self.outcomes)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    def to_json(self) -> dict[str, Any]:
        """The value of `enqueue --json` (docs/reference/json/enqueue.json)."""
        return {"jobs": [outcome.to_json() for outcome in self.outcomes], "counts": self.counts()}

    @property
    def refusal(self) -> JobRunnerError | None:
        """Why nothing (or with skipped conflicts, not everything) was enqueued; None when all went well."""
        if any(o.outcome is Outcome.REJECTED for o in self.outcomes):
            return TryAgain(
                "The queue is full (JOBS_MAX_DEPTH); nothing was enqueued. Try again when some jobs are done."
            )
        conflicts = [o.request_id for o in self.outcomes if o.outcome is Outcome.CONFLICT]
        if conflicts:
            many = len(conflicts) > 1
            return Conflict(
                f"{len(conflicts)} of {len(self.outcomes)} jobs {'are' if many else 'is'} known with other "
                f"content:\n{self.changes}\nSpeak {'them' if many else 'it'} anew with --replace, or give "
                f"{'each' if many else 'it'} a request_id of its own."
            )
        return None


def without_known(queue: JobQueue, file: JobFile, ids: Sequence[str]) -> JobFile:
    """The file without jobs of these ids that the queue knows in whatever form: they are left so."""
    if not ids:
        return file
    known = {record.request_id for record in queue.jobs(ids) if record is not None}
    kept = [each for each in zip(file.specs, file.lines, strict=True) if each[0].request_id not in known]
    specs, lines = tuple(spec for spec, _ in kept), tuple(line for _, line in kept)
    return replace(file, specs=specs, lines=lines)


def submit(
    queue: JobQueue,
    file: JobFile,
    *,
    changed: Changed = Changed.REFUSE,
    dry_run: bool = False,
    durable: bool = False,
) -> Submission:
    """Enqueue the jobs, all or none; `durable`: return once they are on the server's disk.

    Raises:
        BadConfiguration: `durable`, and the server cannot tell what is on its disk; nothing was enqueued.
        NotDurable: `durable`, and the server did not say so in time; the jobs are accepted.
    """
    if dry_run or not durable:
        return _submission(queue, file, queue.enqueue(file.specs, changed=changed, dry_run=dry_run))
    durability = required_admin(queue).durability
    durability.require()
    outcomes = queue.enqueue(file.specs, changed=changed)
    return _submission(queue, file, outcomes, durability.wait())


def _submission(
    queue: JobQueue, file: JobFile, outcomes: Sequence[EnqueueOutcome], kept: str | None = None
) -> Submission:
    return Submission(outcomes, kept, changes_told(queue, file, outcomes))


ACCEPTED = frozenset({Outcome.CREATED, Outcome.DUPLICATE, Outcome.REPLACED, Outcome.UPDATED})


def exit_status(submission: Submission, changed: Changed) -> ExitStatus:
    """0 unless something was refused; skipped conflicts are what the caller asked for."""
    refusal = submission.refusal
    if refusal is None or (changed is Changed.SKIP and isinstance(refusal, Conflict)):
        return ExitStatus.OK
    return refusal.exit_status
