"""What the orchestrator and recovery do: see what follows, and repair what a crash left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.states import TaskState

_PAGE = 200


def settle_runs(ledger: PipelineLedger, *, everything: bool) -> list[str]:
    """Make ready what is ready in runs whose workers left that to the orchestrator; the runs that changed.

    With `everything` each run that has not ended is looked at, whatever its rows say of it.
    """
    changed: list[str] = []
    after = ""
    while True:
        page = ledger.look(partial(_page, everything=everything, after=after))
        stale = ledger.look(partial(_stale, runs=page)) if everything else page
        if stale:
            changed += ledger.change(partial(_settle, runs=stale))
        if len(page) < _PAGE:
            return changed
        after = page[-1]


def _page(transaction: Transaction, everything: bool, after: str) -> list[str]:
    if everything:
        return [row["id"] for row in transaction.all("not_ended", after=after, count=_PAGE)]
    return [row["id"] for row in transaction.all("unsettled", after=after, count=_PAGE)]


def _stale(transaction: Transaction, runs: Collection[str]) -> list[str]:
    """Of some runs those that a settling would change; none of them is locked for that."""
    boards = transaction.boards(runs, lock=False)
    for board in boards.values():
        board.settle()
    return [run for run, board in boards.items() if board.changed or board.events or not board.run.settled]


def _settle(transaction: Transaction, runs: Collection[str]) -> list[str]:
    boards = transaction.boards(runs, patient=False)  # whoever has one settles it, or the next round does
    transaction.write(boards.values())
    return list(boards)


def recover(ledger: PipelineLedger, *, count: int = 200) -> list[tuple[str, str]]:
    """Take back tasks whose lease ran out; run and name of each."""

    def work(transaction: Transaction) -> list[tuple[str, str]]:
        runs = [row["run"] for row in transaction.all("expired", now=transaction.now, count=count)]
        boards = transaction.boards(runs, patient=False)  # a worker that stands still may have one
        taken = []
        for run, board in boards.items():
            for name, task in list(board.tasks.items()):
                over = task.lease_expires_at is not None and task.lease_expires_at < transaction.now
                if task.state is TaskState.PROCESSING and over:
                    board.expired(name)
                    taken.append((run, name))
        transaction.write(boards.values())
        return taken

    return ledger.change(work)


def skip_unknown(
    ledger: PipelineLedger, dag: str, stages: Sequence[str], *, snapshot_at: float, count: int = 200
) -> list[tuple[str, str]]:
    """Skip stages that the code does not have any more, in runs bound to a snapshot older than `snapshot_at`.

    `stages` are what the code has now. Run and name of each that was skipped.
    """

    def work(transaction: Transaction) -> list[tuple[str, str]]:
        rows = transaction.all(
            "unknown_to_code", dag=dag, names=list(stages), created_at=snapshot_at, count=count
        )
        boards = transaction.boards({row["run"] for row in rows})
        gone = []
        for run, board in boards.items():
            for name, task in list(board.tasks.items()):
                if name not in stages and task.ready_at is not None:
                    board.skipped(name, "the code does not have it any more")
                    gone.append((run, name))
        transaction.write(boards.values())
        return gone

    return ledger.change(work)
