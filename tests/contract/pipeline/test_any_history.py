"""Random pipelines, workers, crashes, clocks, code changes and decisions: the rules hold after every step.

The rules are written down here a second time, most of them from the trail alone (`told`). A failure prints
the steps that lead to it and a line that repeats it: `@reproduce_failure(...)`, to be put over the test.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lib.clock import ManualClock
from lib.errors import BadInput, TryAgain, Unavailable
from lib.pipeline.claims import ClaimedTask, Done, Parked, Released, TaskReport, finish, renew
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gates import approve_gate, digest_of, look_again, reject_gate, time_out_gates
from lib.pipeline.graph import Graph
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import GateRule, TaskRow
from lib.pipeline.orchestration import recover, settle_runs, skip_unknown
from lib.pipeline.parked_tasks import tend_parked
from lib.pipeline.rows import event_of, gate_of
from lib.pipeline.run_transitions import Board
from lib.pipeline.runs import NewRun, StageRules, advance, cancel_job, resume, retry, start_job
from lib.pipeline.snapshots import GraphSnapshot, save_snapshot
from lib.pipeline.states import ENDED, MET, TaskState
from lib.pipeline.trail import place_events
from lib.sql.database import Database
from tests.contract.pipeline.conftest import empty
from tests.contract.pipeline.floor import LEASE_S, Floor, dag_of, file
from tests.contract.pipeline.test_parked import Queue
from tests.contract.pipeline.told import Told

T = TypeVar("T")
STAGES = ["a", "b", "c", "d", "e"]
WORKERS = ["ann:1", "bob:2", "eve:3"]
RUNS = ["r1", "r2", "r3"]
#: By database; together 150, and 10,000 in the long proof.
FEW = {"sqlite": 120, "postgres": 20, "postgres_15": 10}
MANY = {"sqlite": 6000, "postgres": 2500, "postgres_15": 1500}
STEPS = 30 if os.environ.get("JOB_RUNNER_SOAK") else 20


class Watched(PipelineLedger):
    """A ledger that knows whether anything may have changed since it was looked through."""

    touched = True

    def change(self, work: Callable[[Transaction], T]) -> T:
        self.touched = True
        return super().change(work)


@st.composite
def stage_options(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """A random graph over two to five of the stages."""
    names = draw(st.lists(st.sampled_from(STAGES), unique=True, min_size=2))
    stages: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(names):
        above = draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        stages[name] = {
            "requires": above,
            "takes": draw(st.sampled_from([None, above[:1]])),
            "retries": draw(st.integers(0, 2)),
            "gate": draw(st.booleans()),
            "lane": draw(st.sampled_from([None, None, "heavy", "light"])),
            "executor": draw(st.sampled_from(["worker", "worker", "queue"])),
        }
    return stages


class History(RuleBasedStateMachine):
    """Runs of one pipeline whose code changes, three workers, a queue, and people who decide."""

    database: Database

    @initialize(stages=stage_options(), on_timeout=st.sampled_from(["wait", "remind", "reject", "approve"]))
    def begin(self, stages: dict[str, dict[str, Any]], on_timeout: str) -> None:
        empty(self.database)
        clock = ManualClock()
        self.ledger = Watched(self.database, clock=clock)
        self.floor = Floor(self.ledger, clock)
        self.queue, self.told = Queue(), Told()
        self.graphs: dict[str, Graph] = {}  # by run: what it is bound to for life
        self.results: dict[tuple[str, str], int] = {}  # what each stage returned last
        self.seen: list[tuple[str, str, str]] = []  # run, stage and digest that somebody looked at
        self.held: dict[str, list[ClaimedTask]] = defaultdict(list)
        self.boards: dict[str, Board] = {}
        self.on_timeout = on_timeout
        self.deploy(stages)
        self.start("r1")
        self.start("r2")

    def deploy(self, stages: dict[str, dict[str, Any]]) -> GraphSnapshot:
        self.floor.dags["random"] = dag_of("random", **stages)
        self.snapshot = save_snapshot(self.ledger, self.floor.dags["random"].graph(), activate=True)
        return self.snapshot

    def start(self, run: str) -> None:
        rule = GateRule(timeout_s=100.0, on_timeout=self.on_timeout)
        graph = self.snapshot.graph
        rules = StageRules(gates={stage.name: rule for stage in graph.stages if stage.gate})
        started = start_job(self.ledger, self.snapshot.id, NewRun(id=run, inputs={"of": run}), rules)
        assert started.created is (run not in self.graphs)
        self.graphs.setdefault(run, graph)

    @rule(stages=stage_options(), skips=st.booleans())
    def code_changes(self, stages: dict[str, dict[str, Any]], skips: bool) -> None:
        """Workers have other code from now on; runs go on by the graph that they have."""
        self.floor.clock.advance(1.0)
        before = self.rows()
        snapshot = self.deploy(stages)
        if skips:
            gone = skip_unknown(self.ledger, "random", sorted(stages), snapshot_at=snapshot.created_at)
            assert all(name not in stages and before[run].tasks[name].ready_at for run, name in gone)

    @rule(run=st.sampled_from(RUNS))
    def starts(self, run: str) -> None:
        """A new run by today's code, or one that there is already."""
        self.start(run)

    @rule(run=st.sampled_from(RUNS))
    def starts_with_other_inputs(self, run: str) -> None:
        if run in self.graphs:
            self.attempt(lambda: start_job(self.ledger, self.snapshot.id, NewRun(id=run)))

    @rule()
    def program_begins_anew(self) -> None:
        """Nothing is remembered but what the database has."""
        self.ledger = self.floor.ledger = Watched(self.database, clock=self.floor.clock)

    @rule(worker=st.sampled_from(WORKERS), count=st.integers(1, 4))
    def claims(self, worker: str, count: int) -> None:
        before = self.rows()
        for task in self.floor.claim(worker, count):
            rows, stage = before[task.run].tasks, self.graphs[task.run].by_name[task.name]
            assert all(rows[name].state in MET for name in stage.requires)
            given = [name for name in stage.given if rows[name].state is TaskState.SUCCEEDED]
            inputs = {name: self.results[task.run, name] for name in given}
            assert task.inputs == (inputs if stage.requires else {"of": task.run})
            self.held[worker].append(task)

    def taken(self, worker: str, which: int) -> ClaimedTask | None:
        held = self.held[worker]
        return held[which % len(held)] if held else None

    def holds(self, task: ClaimedTask, worker: str) -> bool:
        row = self.rows()[task.run].tasks[task.name]
        return (row.lease_owner, row.lease_no) == (worker, task.lease_no) and row.state == "processing"

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
            outcome = self.outcome(task, result)
            lost = finish(self.ledger, [TaskReport(task, outcome)], owner=worker, settle=settle)
            assert held is not bool(lost)
            if held and isinstance(outcome, Done):
                self.results[task.run, task.name] = result

    def outcome(self, task: ClaimedTask, result: int) -> Done | Parked:
        if task.executor == "queue" and not task.jobs:
            return Parked(specs={f"{task.run}.{task.name}.{task.attempt}": {"text": str(result)}})
        return Done(result=result, artifacts=(file(f"{task.name}.txt", str(result)),))

    @rule(worker=st.sampled_from(WORKERS), which=st.integers(0, 9), for_good=st.booleans())
    def fails(self, worker: str, which: int, for_good: bool) -> None:
        if task := self.taken(worker, which):
            held = self.holds(task, worker)
            assert self.floor.fail(task, owner=worker, pause_s=5.0, for_good=for_good) is held

    @rule(worker=st.sampled_from(WORKERS))
    def stops(self, worker: str) -> None:
        reports = [TaskReport(task, Released(why="the worker stops")) for task in self.held.pop(worker, [])]
        finish(self.ledger, reports, owner=worker)

    @rule(worker=st.sampled_from(WORKERS))
    def renews(self, worker: str) -> None:
        tasks = self.held[worker]
        lost = renew(self.ledger, tasks, owner=worker, lease_s=LEASE_S)
        assert lost == [task for task in tasks if not self.holds(task, worker)]

    @rule(seconds=st.sampled_from([1.0, 6.0, LEASE_S + 1, 200.0]))
    def time_passes(self, seconds: float) -> None:
        self.floor.clock.advance(seconds)

    @rule()
    def recovery(self) -> None:
        now, before = self.floor.clock.now(), self.rows()
        for run, name in recover(self.ledger):
            assert (before[run].tasks[name].lease_expires_at or now) < now

    @rule(everything=st.booleans())
    def orchestrator(self, everything: bool) -> None:
        settle_runs(self.ledger, everything=everything)
        time_out_gates(self.ledger)

    @rule(state=st.sampled_from(["running", "done", "done", "failed"]), which=st.integers(0, 3))
    def queue_works(self, state: str, which: int) -> None:
        waiting = [name for name, (at, _) in self.queue.jobs.items() if at in ("enqueued", "running")]
        if waiting:
            result = {"error": "no"} if state == "failed" else None
            self.queue.end(state, result, waiting[which % len(waiting)])

    @rule(trouble=st.sampled_from([None, None, Unavailable("gone"), BadInput("no"), "dies"]))
    def bridge(self, trouble: Exception | str | None) -> None:
        """One round, with a queue that is there, is not, refuses, or whose answer never comes."""
        self.queue.refuses = trouble if isinstance(trouble, Exception) else None
        self.queue.dies_after_ordering = trouble == "dies"
        try:
            tend_parked(self.ledger, self.queue)
        except Unavailable:
            assert trouble is not None

    @rule(
        run=st.sampled_from(RUNS),
        stage=st.sampled_from(STAGES),
        what=st.sampled_from(["approve", "approve", "reject"]),
        which=st.integers(0, 9),
    )
    def decides(self, run: str, stage: str, what: str, which: int) -> None:
        """About what is there, or about what was looked at earlier."""
        decide = approve_gate if what == "approve" else reject_gate
        if not self.seen or which > 4:
            self.attempt(lambda: decide(self.ledger, run, stage, operator="ann"))
            return
        run, stage, seen = self.seen[-1 - which % len(self.seen)]
        self.attempt(lambda: decide(self.ledger, run, stage, operator="ann", seen=seen))

    @rule(run=st.sampled_from(RUNS), stage=st.sampled_from(STAGES), content=st.sampled_from("01x"))
    def edits(self, run: str, stage: str, content: str) -> None:
        """Somebody changes a file at an open gate: what was seen of it before counts no more."""
        new = [file(f"{stage}.txt", content)]
        seen = self.attempt(lambda: look_again(self.ledger, run, stage, new))
        if seen is None:
            return
        for other in [at for at in self.seen if at[:2] == (run, stage) and at[2] != seen][-1:]:
            with pytest.raises(SeenSomethingElse):
                approve_gate(self.ledger, run, stage, operator="ann", seen=other[2])
        self.seen.append((run, stage, seen))

    @rule(run=st.sampled_from(RUNS), stage=st.sampled_from([None, *STAGES]))
    def advances(self, run: str, stage: str | None) -> None:
        self.attempt(lambda: advance(self.ledger, run, operator="ann", stage=stage))

    @rule(run=st.sampled_from(RUNS), stage=st.sampled_from(STAGES))
    def retries(self, run: str, stage: str) -> None:
        self.attempt(lambda: retry(self.ledger, run, stage, operator="ann"))

    @rule(run=st.sampled_from(RUNS))
    def resumes(self, run: str) -> None:
        self.attempt(lambda: resume(self.ledger, run, operator="ann"))

    @rule(run=st.sampled_from(RUNS))
    def cancels(self, run: str) -> None:
        self.attempt(lambda: cancel_job(self.ledger, run, operator="ann"))

    def attempt(self, decision: Callable[[], T]) -> T | None:
        """What people ask is refused in a sentence where it does not fit, and then changes nothing."""
        before, position = self.rows(), self.told.position
        try:
            return decision()
        except (BadInput, TryAgain):
            after = self.rows()
            assert [(board.run, board.tasks) for board in before.values()] == [
                (board.run, board.tasks) for board in after.values()
            ]
            assert self.told.position == position
            return None

    def rows(self) -> dict[str, Board]:
        """All runs as they are; the trail is read up to there."""
        if self.ledger.touched:
            place_events(self.ledger)
            self.boards, events = self.ledger.look(
                lambda transaction: (
                    transaction.boards(RUNS, lock=False),
                    transaction.all("events_after", position=self.told.position, count=100_000),
                )
            )
            self.told.read(map(event_of, events))
            self.ledger.touched = False
            gated = {e["run"] for e in events if e["kind"] in ("stage_completed", "gate_approved")}
            for run in sorted(gated):
                self.check_approvals(run)
        return self.boards

    def check_approvals(self, run: str) -> None:
        """What stands behind a gate is what was approved, file by file."""

        def look(transaction: Transaction) -> Any:
            return [transaction.all(name, run=run) for name in ("tasks_of", "artifacts_of", "gates_of")]

        tasks, artifacts, gates = self.ledger.look(look)
        newest = {row["task"]: gate_of(row) for row in gates}
        for task in tasks:
            if task["gate"] is not None and task["state"] == "succeeded":
                files = {row["path"]: row["sha256"] for row in artifacts if row["task"] == task["name"]}
                gate = newest[task["name"]]
                assert (gate.decision, gate.seen) == ("approved", digest_of(task["result"], files))

    @invariant()
    def the_rules_hold(self) -> None:
        if not hasattr(self, "ledger") or not self.ledger.touched:
            return
        working: list[str] = []
        boards = self.rows()
        assert set(boards) == set(self.graphs)
        for run, board in boards.items():
            assert board.graph == self.graphs[run]
            assert list(board.tasks) == list(self.graphs[run].by_name)
            for task in board.tasks.values():
                self.told.compare(task)
                self.check_task(board, task)
                if task.lane and task.state is TaskState.PROCESSING and task.parked_at is None:
                    working.append(task.lane)
        assert len(working) == len(set(working))
        self.floor.check_rejections(boards)

    def check_task(self, board: Board, task: TaskRow) -> None:
        above = [board.tasks[other].state for other in board.graph.by_name[task.name].requires]
        doomed = any(state in (TaskState.DEAD, TaskState.BLOCKED) for state in above)
        met = all(state in MET for state in above)
        if task.state in (TaskState.PROCESSING, TaskState.NEEDS_APPROVAL, TaskState.SUCCEEDED):
            assert met
        if board.run.settled:
            assert doomed or task.state is not TaskState.BLOCKED
            assert not doomed or task.state is not TaskState.PENDING
            waits = task.state in (TaskState.PENDING, TaskState.FAILED)
            assert (task.ready_at is not None) is (waits and met and not board.run.hold)
        leased = task.state is TaskState.PROCESSING and task.parked_at is None
        assert (task.lease_expires_at is not None) is leased
        assert task.failures < task.max_attempts or task.state in (TaskState.DEAD, TaskState.SKIPPED)

    def teardown(self) -> None:
        """Whatever happened: when everybody does his work and says yes, every run comes to its end."""
        if not hasattr(self, "ledger"):
            return
        for run in RUNS * len(STAGES):  # each that was rejected
            self.resumes(run)
            self.advances(run, None)
        self.floor.dags["random"] = dag_of("random", **{name: {} for name in STAGES})
        for _ in range(60):
            if all(board.run.state in ENDED for board in self.rows().values()):
                break
            self.everybody_works(self.rows())
        states = {run: str(board.run.state) for run, board in self.rows().items()}
        assert set(states.values()) <= {"completed", "failed"}, states

    def everybody_works(self, boards: dict[str, Board]) -> None:
        self.floor.clock.advance(1000.0)
        recover(self.ledger)
        settle_runs(self.ledger, everything=True)
        self.queue.end()
        self.bridge(None)
        finish(self.ledger, [TaskReport(t, self.outcome(t, 0)) for t in self.floor.claim()], owner="ann:1")
        for run, board in boards.items():
            for stage, task in board.tasks.items():
                if task.state is TaskState.NEEDS_APPROVAL:
                    self.attempt(partial(approve_gate, self.ledger, run, stage, operator="ann"))


def histories(database: Database, examples: int) -> None:
    """Play `examples` histories."""
    run_state_machine_as_test(
        type("History", (History,), {"database": database}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.timeout(600)
def test_what_must_hold_holds_in_any_history(database: Database, request: pytest.FixtureRequest) -> None:
    histories(database, FEW[request.node.callspec.params["database"]])


@pytest.mark.soak
def test_what_must_hold_holds_in_ten_thousand(database: Database, request: pytest.FixtureRequest) -> None:
    numbers = MANY if os.environ.get("JOB_RUNNER_SOAK") else FEW
    histories(database, numbers[request.node.callspec.params["database"]])
