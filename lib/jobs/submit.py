"""Enqueues the jobs of a file, for `enqueue` and `up`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import BadInput, ExitStatus, JobRunnerError, TryAgain
from lib.jobqueue import EnqueueOutcome, JobQueue, Outcome
from lib.jobs.admin import required_admin
from lib.jobspec import JobSpec


class Conflict(BadInput):
    """A request id of the file is known with other content."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The outcome of each job of a file, in its order.

    `skips` says whether the command has --skip-conflicts, so that only such a command proposes it.
    """

    outcomes: Sequence[EnqueueOutcome]
    kept: str | None = None  # where what was accepted is known to be, in words; None: nobody asked
    skips: bool = False

    @property
    def sentence(self) -> str:
        """The counts in words: "3 created, 2 already known"."""
        words = {Outcome.DUPLICATE.value: "already known"}
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
            named = ", ".join(conflicts[:5]) + (" and more" if len(conflicts) > 5 else "")
            leave = ", or leave them out with --skip-conflicts" if self.skips else ""
            return Conflict(
                f"{len(conflicts)} of {len(self.outcomes)} jobs have a request id that is known with other "
                f"content: {named}. Give the changed jobs a new request_id{leave}"
            )
        return None


def submit(
    queue: JobQueue,
    specs: Sequence[JobSpec],
    *,
    skip_conflicts: bool = False,
    dry_run: bool = False,
    durable: bool = False,
    skips: bool = False,
) -> Submission:
    """Enqueue the jobs, all or none; `durable`: return once they are on the server's disk.

    `skips`: the command has --skip-conflicts, which a refusal may propose.

    Raises:
        BadConfiguration: `durable`, and the server cannot tell what is on its disk; nothing was enqueued.
        NotDurable: `durable`, and the server did not say so in time; the jobs are accepted.
    """
    if dry_run or not durable:
        outcomes = queue.enqueue(specs, skip_conflicts=skip_conflicts, dry_run=dry_run)
        return Submission(outcomes, skips=skips)
    durability = required_admin(queue).durability
    durability.require()
    outcomes = queue.enqueue(specs, skip_conflicts=skip_conflicts)
    return Submission(outcomes, durability.wait(), skips)


ACCEPTED = frozenset({Outcome.CREATED, Outcome.DUPLICATE})


def exit_status(submission: Submission, *, skip_conflicts: bool) -> ExitStatus:
    """0 unless something was refused; skipped conflicts are what the caller asked for."""
    refusal = submission.refusal
    if refusal is None or (skip_conflicts and isinstance(refusal, Conflict)):
        return ExitStatus.OK
    return refusal.exit_status
