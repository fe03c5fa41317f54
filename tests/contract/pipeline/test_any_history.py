"""Random pipelines, workers, crashes, clocks, code changes and decisions: the rules hold after every step.

The rules are written down here a second time, from the trail alone: a fold over a run's events must come to
the states that its rows have.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lib.clock import ManualClock
from lib.errors import BadInput, TryAgain
from lib.pipeline.board import Board
from lib.pipeline.claims import ClaimedTask, Parked, Released, Report, finish, renew
from lib.pipeline.gates import approve_gate, reject_gate, time_out_gates
from lib.pipeline.ledger import Ledger
from lib.pipeline.model import Event, GateRule, TaskRow
from lib.pipeline.outside import tend_parked
from lib.pipeline.runs import NewRun, StageRules, advance, cancel_job, resume, retry, start_job
from lib.pipeline.snapshots import save_snapshot
from lib.pipeline.states import ENDED, MET, TaskState
from lib.pipeline.trail import events_after
from lib.pipeline.upkeep import recover, settle_runs, skip_unknown
from lib.sql.database import Database
from tests.contract.pipeline.conftest import empty
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of
from tests.contract.pipeline.test_parked import Queue

STAGES = ["a", "b", "c", "d", "e"]
WORKERS = ["ann:1", "bob:2", "eve:3"]
RUNS = ["r1", "r2"]
EXAMPLES, STEPS = (10_000, 60) if os.environ.get("JOB_RUNNER_SOAK") else (int(os.environ.get("HX", "50")), 30)

#: What the trail says of a task after each event of it.
FOLD = {
    "stage_started": "processing",
    "stage_collecting": "processing",
    "stage_parked": "processing",
    "stage_unparked": "pending",
    "stage_released": "pending",
    "stage_blocked": "blocked",
    "stage_unblocked": "pending",
    "stage_skipped": "skipped",
    "stage_retried": "pending",
    "stage_canceled": "canceled",
    "stage_stale": "pending",
    "stage_completed": "succeeded",
    "gate_pause": "needs_approval",
    "gate_approved": "succeeded",
    "gate_rejected": "pending",
}


@st.composite
def stage_options(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """A random graph over the first two to five stages."""
    names = STAGES[: draw(st.integers(2, len(STAGES)))]
    stages: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(names):
        stages[name] = {
            "requires": draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else [],
            "retries": draw(st.integers(0, 2)),
            "gate": draw(st.booleans()),
            "lane": draw(st.sampled_from([None, None, "heavy"])),
            "executor": draw(st.sampled_from(["worker", "worker", "queue"])),
        }
    return stages


class History(RuleBasedStateMachine):
    """Two runs of one random pipeline, three workers, a queue, and people who decide."""

    database: Database

    @initialize(stages=stage_options(), on_timeout=st.sampled_from(["wait", "remind", "reject", "approve"]))
    def begin(self, stages: dict[str, dict[str, Any]], on_timeout: str) -> None:
        empty(self.database)
        clock = ManualClock()
        self.floor = Floor(Ledger(self.database, clock=clock), clock)
        self.queue = Queue()
        self.told: dict[tuple[str, str], str] = {}
        self.completed: set[tuple[str, str | None, int | None]] = set()
        self.position, self.fresh = 0, 0
        self.stages = stages
        self.dag = dag_of("random", **stages)
        self.floor.dags["random"] = self.dag
        self.held: dict[str, list[ClaimedTask]] = defaultdict(list)
        rule = GateRule(timeout_s=100.0, on_timeout=on_timeout)
        rules = StageRules(gates={name: rule for name, options in stages.items() if options["gate"]})
        snapshot = save_snapshot(self.floor.ledger, self.dag.graph())
        for run in RUNS:
            start_job(self.floor.ledger, snapshot.id, NewRun(id=run), rules)

    @rule(worker=st.sampled_from(WORKERS), count=st.integers(1, 4))
    def claims(self, worker: str, count: int) -> None:
        before = self.rows()
        for task in self.floor.claim(worker, count):
            rows = before[task.run].tasks
            assert all(rows[name].state in MET for name in self.dag.tasks[task.name].stage.requires)
            self.held[worker].append(task)

    def taken(self, worker: str, which: int) -> ClaimedTask | None:
        held = self.held[worker]
        return held[which % len(held)] if held else None

    def holds(self, task: ClaimedTask, worker: str) -> bool:
        row = self.rows()[task.run].tasks[task.name]
        return row.lease_owner == worker and row.lease_no == task.lease_no and row.state == "processing"

    @rule(
        worker=st.sampled_from(WORKERS),
        which=st.integers(0, 9),
        result=st.integers(0, 1),
        settle=st.booleans(),
    )
    def finishes(self, worker: str, which: int, result: int, settle: bool) -> None:
        """Also tasks that are finished already or lost long ago: a zombie that wakes."""
        if task := self.taken(worker, which):
            held = self.holds(task, worker)
            if self.stages[task.name]["executor"] == "queue" and not task.jobs:
                specs = {f"{task.run}.{task.name}.{task.attempt}": {"text": str(result)}}
                lost = finish(
                    self.floor.ledger, [Report(task, Parked(specs=specs))], owner=worker, settle=settle
                )
                assert held is not bool(lost)
            else:
                assert self.floor.done(task, result, owner=worker, settle=settle) is held

    @rule(worker=st.sampled_from(WORKERS), which=st.integers(0, 9), for_good=st.booleans())
    def fails(self, worker: str, which: int, for_good: bool) -> None:
        if task := self.taken(worker, which):
            held = self.holds(task, worker)
            assert self.floor.fail(task, owner=worker, pause_s=5.0, for_good=for_good) is held

    @rule(worker=st.sampled_from(WORKERS))
    def stops(self, worker: str) -> None:
        reports = [Report(task, Released(why="the worker stops")) for task in self.held.pop(worker, [])]
        finish(self.floor.ledger, reports, owner=worker)

    @rule(worker=st.sampled_from(WORKERS))
    def renews(self, worker: str) -> None:
        tasks = self.held[worker]
        lost = renew(self.floor.ledger, tasks, owner=worker, lease_s=LEASE_S)
        assert lost == [task for task in tasks if not self.holds(task, worker)]

    @rule(seconds=st.sampled_from([1.0, 6.0, LEASE_S + 1, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.floor.clock.advance(seconds)

    @rule()
    def recovery(self) -> None:
        recover(self.floor.ledger)

    @rule(everything=st.booleans())
    def orchestrator(self, everything: bool) -> None:
        settle_runs(self.floor.ledger, everything=everything)
        time_out_gates(self.floor.ledger)

    @rule(state=st.sampled_from(["running", "done", "done", "failed"]), which=st.integers(0, 3))
    def queue_works(self, state: str, which: int) -> None:
        open_jobs = [name for name, (at, _) in self.queue.jobs.items() if at in ("enqueued", "running")]
        if open_jobs:
            self.queue.end(
                state, {"error": "no"} if state == "failed" else None, open_jobs[which % len(open_jobs)]
            )

    @rule()
    def bridge(self) -> None:
        tend_parked(self.floor.ledger, self.queue)

    @rule(
        run=st.sampled_from(RUNS),
        stage=st.sampled_from(STAGES),
        what=st.sampled_from(["approve", "reject"]),
    )
    def decides(self, run: str, stage: str, what: str) -> None:
        decide = approve_gate if what == "approve" else reject_gate
        self.attempt(lambda: decide(self.floor.ledger, run, stage, operator="ann"))

    @rule(run=st.sampled_from(RUNS), stage=st.sampled_from([None, *STAGES]))
    def advances(self, run: str, stage: str | None) -> None:
        self.attempt(lambda: advance(self.floor.ledger, run, operator="ann", stage=stage))

    @rule(run=st.sampled_from(RUNS), stage=st.sampled_from(STAGES))
    def retries(self, run: str, stage: str) -> None:
        self.attempt(lambda: retry(self.floor.ledger, run, stage, operator="ann"))

    @rule(run=st.sampled_from(RUNS))
    def resumes(self, run: str) -> None:
        self.attempt(lambda: resume(self.floor.ledger, run, operator="ann"))

    @rule(run=st.sampled_from(RUNS))
    def cancels(self, run: str) -> None:
        self.attempt(lambda: cancel_job(self.floor.ledger, run, operator="ann"))

    @rule(keep=st.sets(st.sampled_from(STAGES), min_size=1))
    def code_changes(self, keep: set[str]) -> None:
        now = self.floor.clock.now() + 1.0
        skip_unknown(self.floor.ledger, "random", sorted(keep), snapshot_at=now)

    def attempt(self, decision: Callable[[], object]) -> None:
        """What people ask is refused in a sentence where it does not fit, and then changes nothing."""
        self.read_trail()
        before = self.rows()
        try:
            decision()
        except (BadInput, TryAgain):
            after = self.rows()
            assert [board.tasks for board in before.values()] == [board.tasks for board in after.values()]
            self.read_trail()
            assert self.fresh == 0

    def rows(self) -> dict[str, Board]:
        return self.floor.ledger.look(lambda transaction: transaction.boards(RUNS, lock=False))

    def read_trail(self) -> None:
        """Fold what was written since the last look."""
        events = events_after(self.floor.ledger, self.position, count=100_000)
        self.fresh = len(events)
        expected = range(self.position + 1, self.position + 1 + len(events))
        assert [event.position for event in events] == list(expected)
        for event in events:
            self.position = event.position
            if event.kind == "stage_completed" and not event.data.get("reused"):
                assert (event.run, event.task, event.attempt) not in self.completed
                self.completed.add((event.run, event.task, event.attempt))
            if event.task:
                self.fold(self.told, event)

    @invariant()
    def the_rules_hold(self) -> None:
        if not hasattr(self, "floor"):
            return
        boards = self.rows()
        for board in boards.values():
            assert list(board.tasks) == list(self.dag.graph().by_name)
            settled = board.run.settled
            for name, task in board.tasks.items():
                above = [board.tasks[other] for other in self.dag.tasks[name].stage.requires]
                self.check_task(board, task, above, settled)
        working = [
            task
            for board in boards.values()
            for task in board.tasks.values()
            if task.lane and task.state is TaskState.PROCESSING and task.parked_at is None
        ]
        assert len(working) <= 1

    def check_task(self, board: Board, task: TaskRow, above: list[TaskRow], settled: bool) -> None:
        doomed = any(other.state in (TaskState.DEAD, TaskState.BLOCKED) for other in above)
        met = all(other.state in MET for other in above)
        if task.state in (TaskState.PROCESSING, TaskState.NEEDS_APPROVAL, TaskState.SUCCEEDED):
            assert met
        if task.state is TaskState.BLOCKED and settled:
            assert doomed
        if settled:
            waits = task.state in (TaskState.PENDING, TaskState.FAILED)
            assert (task.ready_at is not None) is (waits and met and not board.run.hold)
            assert not (task.state is TaskState.PENDING and doomed)
        leased = task.state is TaskState.PROCESSING and task.parked_at is None
        assert (task.lease_expires_at is not None) is leased
        assert task.failures < task.max_attempts or task.state in (TaskState.DEAD, TaskState.SKIPPED)

    @invariant()
    def the_trail_tells_it_all(self) -> None:
        if not hasattr(self, "floor"):
            return
        self.read_trail()
        for run, board in self.rows().items():
            for name, task in board.tasks.items():
                assert self.told.get((run, name), "pending") == task.state, (run, name)

    def fold(self, told: dict[tuple[str, str], str], event: Event) -> None:
        assert event.task is not None
        key = (event.run, event.task)
        if event.kind == "stage_failed":
            told[key] = (
                "dead" if event.data.get("dead") else "pending" if event.data.get("expired") else "failed"
            )
        elif event.kind in FOLD:
            told[key] = FOLD[event.kind]

    def teardown(self) -> None:
        """Whatever happened: when everybody does his work and says yes, every run comes to its end."""
        if hasattr(self, "floor"):
            for run in RUNS:
                self.resumes(run)
                self.advances(run, None)
            for _ in range(60):
                boards = self.rows()
                if all(board.run.state in ENDED for board in boards.values()):
                    break
                self.everybody_works(boards)
            states = {run: str(board.run.state) for run, board in self.rows().items()}
            assert set(states.values()) <= {"completed", "failed"}, states

    def everybody_works(self, boards: dict[str, Board]) -> None:
        self.floor.clock.advance(1000.0)
        recover(self.floor.ledger)
        settle_runs(self.floor.ledger, everything=True)
        self.queue.end()
        tend_parked(self.floor.ledger, self.queue)
        self.held.clear()
        self.claims("ann:1", 10)
        for which in range(len(self.held["ann:1"])):
            self.finishes("ann:1", which, 0, True)
        for run, board in boards.items():
            for stage, task in board.tasks.items():
                if task.state is TaskState.NEEDS_APPROVAL:
                    self.decides(run, stage, "approve")


@pytest.mark.parametrize("soak", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_what_must_hold_holds_in_any_history(database: Database, soak: bool) -> None:
    machine = type("History", (History,), {"database": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
