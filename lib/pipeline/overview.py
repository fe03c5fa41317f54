"""All runs together: how many tasks are in each state, what fails most, what waits for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from lib.clock import rfc3339
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.rows import artifact_of, gate_of
from lib.pipeline.views import artifact_json, gate_json, newest_reason

#: Different stages that can have failed: no more are looked at.
_MOST_STAGES: Final = 1000


class _OfPipeline(Protocol):
    @property
    def dag(self) -> str: ...


P = TypeVar("P", bound=_OfPipeline)


def of_pipelines(found: Sequence[P], dags: Collection[str] | None) -> list[P]:
    """Of what was found that of some pipelines; None: of all."""
    return [each for each in found if dags is None or each.dag in dags]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many tasks of a pipeline are in each state; `ready` of them can be claimed now."""

    dag: str
    states: Mapping[str, int]
    ready: int

    def to_json(self) -> dict[str, Any]:
        """The three."""
        return {"dag": self.dag, "states": dict(self.states), "ready": self.ready}


def queue_depth(ledger: PipelineLedger) -> list[Depth]:
    """How many tasks of each pipeline are in each state."""

    def work(transaction: Transaction) -> list[Depth]:
        states: dict[str, dict[str, int]] = {}
        ready: dict[str, int] = {}
        for row in transaction.all("depth", now=transaction.now):
            states.setdefault(row["dag"], {})[row["state"]] = int(row["tasks"])
            ready[row["dag"]] = ready.get(row["dag"], 0) + int(row["ready"])
        return [Depth(dag, counts, ready[dag]) for dag, counts in states.items()]

    return ledger.look(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleLease:
    """A lease that ran out `age_s` ago and that nobody took back yet."""

    run: str
    stage: str
    dag: str
    owner: str
    attempt: int
    expired_at: float
    age_s: float

    def to_json(self) -> dict[str, Any]:
        """With the times as RFC 3339 and seconds."""
        return {
            "run": self.run,
            "stage": self.stage,
            "dag": self.dag,
            "attempt": self.attempt,
            "lease_owner": self.owner,
            "lease_expires_at": rfc3339(self.expired_at),
            "age_seconds": round(self.age_s, 3),
        }


def stale_leases(ledger: PipelineLedger) -> list[StaleLease]:
    """Leases that ran out, the oldest first."""

    def work(transaction: Transaction) -> list[StaleLease]:
        return [
            StaleLease(
                run=row["run"],
                stage=row["name"],
                dag=row["dag"],
                owner=row["lease_owner"],
                attempt=row["attempt"],
                expired_at=row["lease_expires_at"],
                age_s=transaction.now - row["lease_expires_at"],
            )
            for row in transaction.all("stale_leases", now=transaction.now)
        ]

    return ledger.look(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingStage:
    """A stage of a pipeline that failed, how often since a time, and what it said the last time."""

    dag: str
    stage: str
    failures: int
    last_at: float
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "dag": self.dag,
            "stage": self.stage,
            "failures": self.failures,
            "last_at": rfc3339(self.last_at),
            "reason": self.reason,
        }


def top_failures(
    ledger: PipelineLedger, *, since: float, count: int = 20, dags: Sequence[str] | None = None
) -> list[FailingStage]:
    """The stages that failed most since a time, with the newest reason; of some pipelines (None: of all)."""

    def work(transaction: Transaction) -> list[FailingStage]:
        rows = transaction.all("failures", since=since, count=_MOST_STAGES)
        return [
            FailingStage(
                dag=row["dag"],
                stage=row["task"],
                failures=row["failures"],
                last_at=row["last_at"],
                reason=newest_reason(transaction, row["last_id"]),
            )
            for row in [row for row in rows if dags is None or row["dag"] in dags][:count]
        ]

    return ledger.look(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingGate:
    """A gate that waits for a person: what it is about, and what was decided about that stage before."""

    gate: GateRow
    dag: str
    age_s: float
    artifacts: Sequence[Artifact]
    before: Sequence[GateRow]

    def to_json(self) -> dict[str, Any]:
        """The gate with its files and its story."""
        return {
            **gate_json(self.gate),
            "dag": self.dag,
            "age_seconds": round(self.age_s, 3),
            "artifacts": [artifact_json(artifact) for artifact in self.artifacts],
            "before": [gate_json(gate) for gate in self.before],
        }


def gates_inbox(ledger: PipelineLedger, *, run: str | None = None) -> list[WaitingGate]:
    """Every gate that waits for a person, of one run or of all, the oldest first."""

    def work(transaction: Transaction) -> list[WaitingGate]:
        gates = [gate_of(row) for row in transaction.all("open_gates")]
        gates = [gate for gate in gates if run in (None, gate.run)]
        runs = sorted({gate.run for gate in gates})
        if not runs:
            return []
        dags = {row["id"]: row["dag"] for row in transaction.all("runs_by_id", runs=runs)}
        files: dict[tuple[str, str], list[Artifact]] = {}
        for row in transaction.all("artifacts_of_runs", runs=runs):
            files.setdefault((row["run"], row["task"]), []).append(artifact_of(row))
        story: dict[tuple[str, str], list[GateRow]] = {}
        for row in transaction.all("gates_of_runs", runs=runs):
            if row["decision"] is not None:
                story.setdefault((row["run"], row["task"]), []).append(gate_of(row))
        return [
            WaitingGate(
                gate=gate,
                dag=dags[gate.run],
                age_s=transaction.now - gate.opened_at,
                artifacts=files.get((gate.run, gate.task), []),
                before=story.get((gate.run, gate.task), []),
            )
            for gate in gates
        ]

    return ledger.look(work)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryableStage:
    """A stage that failed or is dead and can be given its attempts anew."""

    run: str
    stage: str
    dag: str
    state: str
    failures: int

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "run": self.run,
            "stage": self.stage,
            "dag": self.dag,
            "state": self.state,
            "failures": self.failures,
        }


def retryable_stages(
    ledger: PipelineLedger, *, since: float = 0.0, min_failures: int = 0
) -> list[RetryableStage]:
    """Failed and dead stages whose last failure was since a time, after at least so many failures."""

    def work(transaction: Transaction) -> list[RetryableStage]:
        return [
            RetryableStage(
                run=row["run"],
                stage=row["name"],
                dag=row["dag"],
                state=row["state"],
                failures=row["failures"],
            )
            for row in transaction.all("retryable", since=since, min_failures=min_failures)
        ]

    return ledger.look(work)
