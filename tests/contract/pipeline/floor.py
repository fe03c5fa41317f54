"""A shop floor for tests: a ledger, its clock, and workers that do what they are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lib.clock import ManualClock
from lib.pipeline import Dag
from lib.pipeline.claims import ClaimedTask, Done, Failed, TaskReport, claim, finish
from lib.pipeline.gates import standing_rejections
from lib.pipeline.ledger import PipelineLedger
from lib.pipeline.model import Artifact, TaskRow
from lib.pipeline.run_transitions import Board
from lib.pipeline.runs import NewRun, StageRules, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.states import TaskState
from lib.pipeline.trail import events_after

LEASE_S = 30.0


def dag_of(name: str, **stages: dict[str, Any]) -> Dag:
    """A pipeline of stages that return their own name, each with the options of `Dag.task`."""
    dag = Dag(name)
    for stage, options in stages.items():
        dag.task(name=stage, **options)(_returns(stage))
    return dag


def _returns(stage: str) -> Any:
    def function(inputs: dict[str, Any]) -> str:
        return stage

    return function


def diamond() -> Dag:
    """`top`, then `left` and `right`, then `bottom`."""
    return dag_of(
        "diamond",
        top={},
        left={"requires": ["top"]},
        right={"requires": ["top"]},
        bottom={"requires": ["left", "right"]},
    )


@dataclass
class Floor:
    """What a test of the ledger has at hand."""

    ledger: PipelineLedger
    clock: ManualClock
    dags: dict[str, Dag] = field(default_factory=dict)

    def start(self, dag: Dag, run: str = "r1", rules: StageRules | None = None, **inputs: Any) -> str:
        """Start a run of a pipeline."""
        self.dags[dag.name] = dag
        snapshot = save_snapshot(self.ledger, dag.graph())
        return start_job(self.ledger, snapshot.id, NewRun(id=run, inputs=inputs), rules).id

    def claim(
        self, owner: str = "ann:1", count: int = 10, stages: Collection[str] | None = None
    ) -> list[ClaimedTask]:
        """Claim what is ready, by a worker that knows everything, or these stages."""
        known = {
            name: [stage for stage in dag.tasks if stages is None or stage in stages]
            for name, dag in self.dags.items()
        }
        return claim(self.ledger, known, owner=owner, count=count, lease_s=LEASE_S)

    def done(
        self,
        task: ClaimedTask,
        result: Any = None,
        *,
        owner: str = "ann:1",
        files: Collection[Artifact] = (),
        settle: bool = True,
    ) -> bool:
        """Finish a task; whether it counted."""
        outcome = Done(result=task.name if result is None else result, artifacts=tuple(files))
        return not finish(self.ledger, [TaskReport(task, outcome)], owner=owner, settle=settle)

    def fail(
        self,
        task: ClaimedTask,
        error: str = "it broke",
        *,
        owner: str = "ann:1",
        pause_s: float = 0.0,
        for_good: bool = False,
    ) -> bool:
        """Fail a task; whether it counted."""
        outcome = Failed(error=error, retry_in_s=pause_s, for_good=for_good)
        return not finish(self.ledger, [TaskReport(task, outcome)], owner=owner)

    def work(self, owner: str = "ann:1") -> list[str]:
        """Do all there is to do; the stages in the order in which they were handed out."""
        names: list[str] = []
        while tasks := self.claim(owner):
            for task in tasks:
                names.append(task.name)
                assert self.done(task, owner=owner)
        return names

    def task(self, name: str, run: str = "r1") -> TaskRow:
        """A task as it stands."""
        boards = self.ledger.look(lambda transaction: transaction.boards([run], lock=False))
        return boards[run].tasks[name]

    def states(self, run: str = "r1") -> dict[str, str]:
        """The state of every task."""
        boards = self.ledger.look(lambda transaction: transaction.boards([run], lock=False))
        return {name: str(task.state) for name, task in boards[run].tasks.items()}

    def state(self, run: str = "r1") -> str:
        """The state of a run."""
        return str(self.ledger.look(lambda transaction: transaction.boards([run], lock=False))[run].run.state)

    def trail(self, run: str = "r1") -> list[str]:
        """The events of a run as `kind` or `kind:task`."""
        events = events_after(self.ledger, 0, run=run)
        return [f"{e.kind}:{e.task}" if e.task else str(e.kind) for e in events]

    def check_rejections(self, boards: Mapping[str, Board]) -> None:
        """What was rejected in these runs does not begin before somebody lets it run anew."""
        for gate in self.ledger.look(partial(standing_rejections, runs=list(boards))):
            task = boards[gate.run].tasks[gate.task]
            assert (task.state, task.ready_at) == (TaskState.PENDING, None)


def file(path: str, content: str = "a") -> Artifact:
    """A file that a stage says it made."""
    import hashlib

    digest = hashlib.sha256(content.encode()).hexdigest()
    return Artifact(path=path, type="text/plain", sha256=digest, size=len(content))
