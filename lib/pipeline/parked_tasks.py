"""Tasks whose work somebody else does: parked here, done by a queue, and taken up again when it is done.

Between the two stores nothing is ever sure, so that every step here can be repeated: jobs are noted before
they are ordered, ordered under ids that are the same each time, and what became of them is written under the
run's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lib.backoff import backoff_s
from lib.errors import BadInput, TryAgain
from lib.pipeline.context import ExternalJob
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import TaskRow
from lib.pipeline.rows import job_of
from lib.pipeline.run_transitions import Board
from lib.pipeline.work import to_json

#: What follows these is not the queue's any more.
ENDED = frozenset({"done", "failed", "canceled"})
_PAGE = 200
_PORTION = 500  # jobs that are ordered in one call


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedTask:
    """A task that waits for its jobs."""

    run: str
    name: str
    dag: str
    attempt: int
    parked_at: float
    timeout_s: float
    deadline_at: float | None


class ExternalWork(Protocol):
    """Who does the work of parked tasks. Every method may be repeated after a crash, with the same effect."""

    def order(self, specs: Mapping[str, Mapping[str, Any]]) -> None:
        """Have jobs done, each once under its request id, however often this is called.

        Raises:
            BadInput: a specification is wrong; the sentence says which.
            Unavailable, TryAgain: not now.
        """
        ...

    def ask(self, request_ids: Sequence[str]) -> Mapping[str, tuple[str, Any]]:
        """What became of jobs: state (enqueued, running, done, failed, canceled) and result.

        Jobs that it does not know are left out; they are ordered again.

        Raises:
            Unavailable: not now.
        """
        ...

    def cancel(self, request_ids: Sequence[str]) -> None:
        """Stop jobs that have not ended. Raises as `ask`."""
        ...


def parked_tasks(ledger: PipelineLedger) -> list[ParkedTask]:
    """Every parked task, the longest parked first."""
    names = ("run", "name", "dag", "attempt", "parked_at", "timeout_s", "deadline_at")
    return ledger.look(
        lambda transaction: [ParkedTask(**{n: row[n] for n in names}) for row in transaction.all("parked")]
    )


def external_jobs(ledger: PipelineLedger, task: ParkedTask) -> list[ExternalJob]:
    """The jobs of the attempt at hand of a task, in the order in which it returned them."""
    return ledger.look(lambda transaction: _jobs(transaction, task))


def has_orphans(ledger: PipelineLedger) -> bool:
    """Whether the queue has jobs for which nobody waits any more."""
    return ledger.look(lambda transaction: bool(transaction.all("orphaned_jobs", count=1)))


def tend_parked(ledger: PipelineLedger, work: ExternalWork) -> list[tuple[str, str]]:
    """Bring every parked task as far as the queue is; run and name of those that changed.

    Any number of processes may do this at once. A task for whose jobs there is no room keeps
    no other one waiting.

    Raises:
        Unavailable, TryAgain: the queue is not there, or has no room; what was done until then stands.
    """
    _cancel_orphans(ledger, work)
    changed, refused = [], None
    for task in parked_tasks(ledger):
        try:
            if _tend(ledger, work, task):
                changed.append((task.run, task.name))
        except _NotNow as error:
            refused = error
    if refused is not None:
        raise refused
    return changed


class _NotNow(TryAgain):
    """The queue does not take the jobs of one task now; it may take those of another one."""


def _jobs(transaction: Transaction, task: ParkedTask) -> list[ExternalJob]:
    values = {"run": task.run, "task": task.name, "attempt": task.attempt}
    return [job_of(row) for row in transaction.all("external_jobs", **values)]


def _tend(ledger: PipelineLedger, work: ExternalWork, task: ParkedTask) -> bool:
    jobs = external_jobs(ledger, task)
    fresh = [job for job in jobs if job.state == "ordered"]
    refused = None
    if fresh:
        try:
            _order(ledger, work, task, fresh)
        except BadInput as error:
            return _fail(ledger, task, error.message, for_good=True)
        except _NotNow as error:  # what had room is followed all the same
            refused = error
        jobs = external_jobs(ledger, task)
    waiting = [job.request_id for job in jobs if job.state not in ENDED]
    news = dict(work.ask(waiting)) if waiting else {}
    news |= {request_id: ("ordered", None) for request_id in waiting if request_id not in news}
    changed = _write(ledger, task, news)
    if refused is not None and not changed:
        raise refused
    return changed


def _order(
    ledger: PipelineLedger, work: ExternalWork, task: ParkedTask, fresh: Sequence[ExternalJob]
) -> None:
    """Order jobs; what an earlier attempt of the task had done to the letter is not done again.

    In portions: a stage may want more jobs than the queue has room for at any time.

    Raises:
        _NotNow: there is no room for all of them; those that had room are ordered.
    """
    values = {"run": task.run, "task": task.name, "attempt": task.attempt}
    before = ledger.look(lambda transaction: transaction.all("done_before", **values))
    done = {row["spec"]: row["result"] for row in before}
    known = {
        job.request_id: ("done", done[text]) for job in fresh if (text := to_json(dict(job.spec))) in done
    }
    specs = {job.request_id: job.spec for job in fresh if job.request_id not in known}
    _note_alone(ledger, task, known)
    left, most = list(specs), _PORTION
    while left:
        portion = left[:most]
        try:
            work.order({request_id: specs[request_id] for request_id in portion})
        except TryAgain as error:
            most = len(portion) // 2
            if not most:
                raise _NotNow(error.message) from None
            continue
        _note_alone(ledger, task, {request_id: ("enqueued", None) for request_id in portion})
        left = left[most:]


def _note_alone(
    ledger: PipelineLedger, task: ParkedTask, states: Mapping[str, tuple[str, str | None]]
) -> None:
    if states:
        ledger.change(lambda transaction: _note(transaction, task, states))


def _note(transaction: Transaction, task: ParkedTask, states: Mapping[str, tuple[str, str | None]]) -> None:
    values = {"run": task.run, "task": task.name, "attempt": task.attempt, "now": transaction.now}
    transaction.run(
        "change_external_job",
        [
            {"request_id": request_id, "state": state, "result": result, **values}
            for request_id, (state, result) in states.items()
        ],
    )


def _write(ledger: PipelineLedger, task: ParkedTask, news: Mapping[str, tuple[str, Any]]) -> bool:
    def step(board: Board, transaction: Transaction) -> bool:
        row = board.tasks[task.name]
        if not _is_parked(row, task):
            return False
        known = {job.request_id: job.state for job in _jobs(transaction, task)}
        texts = {
            request_id: (state, None if result is None else to_json(result))
            for request_id, (state, result) in news.items()
            if known.get(request_id) != state
        }
        _note(transaction, task, texts)
        jobs = _jobs(transaction, task)
        return _follow(board, row, jobs) or bool(texts)

    return ledger.change_run(task.run, step)


def _is_parked(row: TaskRow, task: ParkedTask) -> bool:
    return row.parked_at is not None and row.attempt == task.attempt


def _follow(board: Board, row: TaskRow, jobs: Sequence[ExternalJob]) -> bool:
    """See what the states of its jobs mean for a parked task; whether it moved."""
    bad = next((job for job in jobs if job.state in ("failed", "canceled")), None)
    if bad is not None:
        about = bad.result if isinstance(bad.result, dict) else {}
        reason = about.get("error") or f"it was {bad.state}"
        for_good = about.get("failure_class") == "bad_input"
        board.failed(
            row.name, f"the job {bad.request_id}: {reason}", retry_in_s=_pause(row), for_good=for_good
        )
        return True
    if all(job.state == "done" for job in jobs):
        board.unparked(row.name)
        return True
    begun = any(job.state in ("running", "done") for job in jobs)
    if begun and row.deadline_at is None:  # waiting in line counts for nothing
        board.set(row.name, deadline_at=board.now + row.timeout_s)
        return True
    if row.deadline_at is not None and board.now > row.deadline_at:
        left = sum(job.state != "done" for job in jobs)
        reason = (
            f"{left} of its {len(jobs)} jobs were not done {row.timeout_s:g} seconds after the first began"
        )
        board.failed(row.name, reason, retry_in_s=_pause(row))
        return True
    return False


def _pause(row: TaskRow) -> float:
    """The queue has tried each job several times by itself: what failed there is not tried again at once."""
    return backoff_s(row.failures + 1, 1.0, base_s=10.0, cap_s=600.0)


def _fail(ledger: PipelineLedger, task: ParkedTask, reason: str, *, for_good: bool) -> bool:
    def step(board: Board, _: Transaction) -> bool:
        if not _is_parked(board.tasks[task.name], task):
            return False
        board.failed(task.name, reason, retry_in_s=0.0, for_good=for_good)
        return True

    return ledger.change_run(task.run, step)


def _cancel_orphans(ledger: PipelineLedger, work: ExternalWork) -> None:
    """Stop the jobs of tasks that were canceled, failed or begun anew."""
    rows = ledger.look(lambda transaction: transaction.all("orphaned_jobs", count=_PAGE))
    if not rows:
        return
    work.cancel([row["request_id"] for row in rows])

    def note(transaction: Transaction) -> None:
        transaction.run(
            "change_external_job",
            [{**row, "state": "canceled", "result": None, "now": transaction.now} for row in rows],
        )

    ledger.change(note)
