"""Tasks whose work somebody else does: parked here, done by a queue, and taken up again when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lib.pipeline.context import ExternalJob
from lib.pipeline.ledger import Ledger
from lib.pipeline.rows import job_of


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

    def ask(self, request_ids: list[str]) -> Mapping[str, ExternalJob]:
        """What became of jobs; those that are unknown are not in the answer."""
        ...

    def cancel(self, request_ids: list[str]) -> None:
        """Stop jobs that have not ended."""
        ...


def parked_tasks(ledger: Ledger) -> list[ParkedTask]:
    """Every parked task, the longest parked first."""
    names = ("run", "name", "dag", "attempt", "parked_at", "timeout_s", "deadline_at")
    return ledger.look(
        lambda transaction: [
            ParkedTask(**{name: row[name] for name in names}) for row in transaction.all("parked")
        ]
    )


def external_jobs(ledger: Ledger, task: ParkedTask) -> list[ExternalJob]:
    """The jobs of the attempt at hand of a task, in the order in which it returned them."""
    values = {"run": task.run, "task": task.name, "attempt": task.attempt}
    return ledger.look(
        lambda transaction: [job_of(row) for row in transaction.all("external_jobs", **values)]
    )
