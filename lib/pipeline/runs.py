"""Starting runs and steering them: what the command line, REST and pages call."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from lib.errors import BadInput
from lib.pipeline.failures import RunConflict, WrongState, unknown_stage
from lib.pipeline.gates import standing_rejections
from lib.pipeline.graph import Graph, GraphStage
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import EventKind, GateRule, RunRow, TaskRow, TrailEvent
from lib.pipeline.rows import event_columns, gate_text
from lib.pipeline.run_inputs import check_inputs
from lib.pipeline.run_transitions import Board
from lib.pipeline.states import Hold, RunState, TaskEvent, TaskState
from lib.pipeline.work import checked_json

#: It names a folder, and begins the request ids of its jobs.
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: What a run may carry: its inputs, its metadata and its configuration, each as JSON.
LONGEST_JSON = 1 << 20
#: Characters of its short name and of what it is for.
LONGEST_WORDS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRules:
    """What the operator decided about stages; frozen into each run as it starts.

    `timeouts_s` by stage come before what the code says, `timeout_s` and `max_attempts` after it. `gates` by
    stage: a rule, or None for a gate that is not required.
    """

    timeout_s: float = 120.0
    max_attempts: int = 10
    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, GateRule | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to start. `id` None: one is made, of which no two are alike."""

    id: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    slug: str | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A run that exists now; `created` is False when it did before, with the same inputs."""

    id: str
    created: bool


def start_job(ledger: PipelineLedger, snapshot: str, run: NewRun, rules: StageRules | None = None) -> Started:
    """Start one run; see `start_jobs`."""
    return start_jobs(ledger, snapshot, [run], rules)[0]


def start_jobs(
    ledger: PipelineLedger, snapshot: str, runs: Sequence[NewRun], rules: StageRules | None = None
) -> list[Started]:
    """Start runs bound to a snapshot, all or none; a run with an id that exists is a duplicate.

    Raises:
        RunConflict: a run of that id was started with other inputs, or is of another pipeline.
        BadInput: inputs, metadata or configuration are no JSON, or too long; or its pipeline says what its
            inputs are, and one is unknown or missing.
    """
    rules = rules or StageRules()
    columns = [_columns(run) for run in runs]

    def work(transaction: Transaction) -> list[Started]:
        graph = ledger.graph(snapshot, transaction)
        known = {
            row["id"]: dict(row) for row in transaction.all("digests", runs=[row["id"] for row in columns])
        }
        answers, fresh = [], []
        for run, row in zip(runs, columns, strict=True):
            if old := known.get(row["id"]):
                _same(row, old, graph.dag)
                answers.append(Started(row["id"], False))
                continue
            check_inputs(graph.dag, graph.inputs, run.inputs)
            known[row["id"]] = {**row, "dag": graph.dag}
            fresh.append({**row, "dag": graph.dag, "snapshot": snapshot, "now": transaction.now})
            answers.append(Started(row["id"], True))
        # By id, so that two starters of the same ones wait for each other and never in a circle.
        _save(transaction, graph, sorted(fresh, key=itemgetter("id")), rules)
        return answers

    while True:
        try:
            return ledger.change(work)
        except _StartedElsewhere:
            continue  # now they are known


class _StartedElsewhere(Exception):
    """Another process started a run of the same id between our look and our write."""


def _save(
    transaction: Transaction, graph: Graph, rows: Sequence[Mapping[str, Any]], rules: StageRules
) -> None:
    if not rows:
        return
    # Two starters of the same id: the second waits here, finds nothing to insert, and begins anew.
    if transaction.run("save_run", rows) not in (len(rows), -1):
        raise _StartedElsewhere
    now = transaction.now
    transaction.run(
        "save_task",
        [
            _task(row["id"], place, graph, stage, rules, now)
            for row in rows
            for place, stage in enumerate(graph.stages)
        ],
    )
    transaction.run(
        "tell",
        [event_columns(TrailEvent(run=row["id"], kind=EventKind.JOB_STARTED, at=now)) for row in rows],
    )
    transaction.wake(graph.dag)


def _task(
    run: str, place: int, graph: Graph, stage: GraphStage, rules: StageRules, now: float
) -> dict[str, Any]:
    timeout = rules.timeouts_s.get(stage.name, stage.timeout_s or rules.timeout_s)
    rule = rules.gates.get(stage.name, GateRule() if stage.gate else None)
    return {
        "run": run,
        "name": stage.name,
        "dag": graph.dag,
        "place": place,
        "ready_at": None if stage.requires else now,
        "max_attempts": rules.max_attempts if stage.retries is None else stage.retries + 1,
        "timeout_s": timeout,
        "lane": stage.lane,
        "executor": stage.executor,
        "gate": gate_text(rule),
        "now": now,
    }


def _columns(run: NewRun) -> dict[str, Any]:
    made = run.id if run.id is not None else uuid.uuid4().hex
    if not _RUN_ID.fullmatch(made):
        raise BadInput(
            f"{made!r} cannot be the id of a run; use letters, digits, '.', '_' and '-', 64 at most, "
            "and begin with a letter or digit"
        )
    texts = {}
    for what, value in (("inputs", run.inputs), ("metadata", run.metadata), ("config", run.config)):
        try:
            text = checked_json(dict(value))
            length = len(text.encode())
        except UnicodeEncodeError:
            raise BadInput(
                f"the {what} of the run {made} are no JSON: there is half of a character"
            ) from None
        except (TypeError, ValueError) as error:
            raise BadInput(f"the {what} of the run {made} are no JSON: {error}") from None
        if length > LONGEST_JSON:
            raise BadInput(f"the {what} of the run {made} are longer than {LONGEST_JSON >> 20} MiB")
        texts[what] = text
    for what, words in (("slug", run.slug), ("intent", run.intent)):
        if words is not None and (len(words) > LONGEST_WORDS or not _is_text(words)):
            raise BadInput(
                f"the {what} of the run {made} cannot be kept; write up to {LONGEST_WORDS} characters of text"
            )
    digest = hashlib.sha256(texts["inputs"].encode()).hexdigest()
    return {"id": made, **texts, "inputs_digest": digest, "slug": run.slug, "intent": run.intent}


def _is_text(words: str) -> bool:
    """Whether a database can hold it: no half of a character, and no NUL."""
    return "\0" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)


def _same(row: Mapping[str, Any], old: Mapping[str, Any], dag: str) -> None:
    if old["dag"] != dag:
        raise RunConflict(f"the run {row['id']} exists and is of the pipeline {old['dag']}; use another id")
    if old["inputs_digest"] != row["inputs_digest"]:
        raise RunConflict(f"the run {row['id']} exists and was started with other inputs; use another id")


def cancel_job(ledger: PipelineLedger, run: str, *, operator: str, notes: str | None = None) -> bool:
    """Stop a run; whether this did it (it was not stopped before).

    Raises:
        UnknownRun: there is none.
        WrongState: it has completed.
    """

    def step(board: Board, transaction: Transaction) -> bool:
        if board.run.hold is Hold.CANCELED:
            return False
        board.settle()  # its last stage may be done and nobody have seen yet what follows from that
        if board.run.state is RunState.COMPLETED:
            raise WrongState(f"the run {run} has completed; there is nothing to cancel")
        for row in transaction.all("gates_of", run=run):
            if row["decision"] is None:
                _close_gate(transaction, row["number"], operator)
        board.canceled(operator, notes)
        return True

    return ledger.change_run(run, step)


def resume(ledger: PipelineLedger, run: str, *, operator: str) -> list[str]:
    """Let a failed or canceled run go on where it stopped; the stages that are done again.

    What finished stays finished. A paused run goes on by `advance`.

    Raises:
        UnknownRun: there is none.
        WrongState: it needs no resuming.
    """

    def step(board: Board, _: Transaction) -> list[str]:
        if board.run.state is RunState.PAUSED:
            raise WrongState(
                f"the run {run} is paused at a rejected gate; `job-pipeline advance {run}` goes on"
            )
        again = [
            name for name, task in board.tasks.items() if task.state in (TaskState.DEAD, TaskState.CANCELED)
        ]
        if not again:
            raise WrongState(f"the run {run} is {board.run.state}; there is nothing to resume")
        for name in again:
            dead = board.tasks[name].state is TaskState.DEAD
            if dead:
                board.retried(name, operator)
            else:
                board.move(name, TaskEvent.RERUN, failures=0, finished_at=None)
                board.tell(EventKind.STAGE_RETRIED, name, operator=operator)
        board.resumed(operator)
        return again

    return ledger.change_run(run, step)


def advance(
    ledger: PipelineLedger,
    run: str,
    *,
    operator: str,
    stage: str | None = None,
    instruction: str | None = None,
) -> str:
    """Run a stage anew and go on from there; the stage.

    Without `stage` it is the one whose gate was rejected, of several the first. `instruction` is what the
    stage is told to do otherwise, for example the note of the rejection. Stages below it whose inputs stay
    the same are not run again. The run stays paused while another rejection stands: nobody has said yet what
    that stage is to do otherwise.

    Raises:
        UnknownRun, UnknownStage: there is none.
        WrongState: nothing was rejected and no stage is named; the stage is at work, skipped or blocked; the
            run is canceled.
    """

    def step(board: Board, transaction: Transaction) -> str:
        _not_canceled(board)
        rejected = [gate.task for gate in standing_rejections(transaction, [run])]
        name = stage or _first(rejected, board.run)
        task = _stage(board, name)
        if task.state in (TaskState.PROCESSING, TaskState.SKIPPED, TaskState.BLOCKED):
            raise WrongState(f"the stage {name} of {run} is {task.state}; it cannot be run anew now")
        below = board.graph.below(name)
        _void_gates(board, transaction, {name, *below}, operator)
        board.rerun(name, operator=operator, instruction=instruction)
        for other in below.intersection(rejected):  # what was rejected there comes of what is now run anew
            board.tell(EventKind.STAGE_STALE, other)
        if board.run.hold and below.issuperset({*rejected} - {name}):
            board.resumed(operator)
        return name

    return ledger.change_run(run, step)


def retry(ledger: PipelineLedger, run: str, stage: str, *, operator: str) -> None:
    """Give a failed or dead stage its attempts anew; what it blocked comes back by itself.

    Raises:
        UnknownRun, UnknownStage: there is none.
        WrongState: it did not fail, or its run is canceled.
    """

    def step(board: Board, _: Transaction) -> None:
        task = _stage(board, stage)
        _not_canceled(board)
        if task.state not in (TaskState.DEAD, TaskState.FAILED):
            raise WrongState(
                f"the stage {stage} of {run} is {task.state}; only failed and dead ones are retried"
            )
        board.retried(stage, operator)
        if board.run.state is RunState.FAILED:
            board.resumed(operator)

    ledger.change_run(run, step)


def _stage(board: Board, name: str) -> TaskRow:
    task = board.tasks.get(name)
    if task is None:
        raise unknown_stage(board.run.id, name, list(board.tasks))
    return task


def _not_canceled(board: Board) -> None:
    if board.run.hold is Hold.CANCELED:
        raise WrongState(
            f"the run {board.run.id} is canceled; `job-pipeline resume {board.run.id}` goes on with it"
        )


def _first(rejected: Sequence[str], run: RunRow) -> str:
    if not rejected:
        raise WrongState(
            f"the run {run.id} is {run.state} and no gate of it was rejected; name the stage to run anew"
        )
    return rejected[0]


def _void_gates(board: Board, transaction: Transaction, stages: set[str], operator: str) -> None:
    for row in transaction.all("gates_of", run=board.run.id):
        if row["task"] in stages and row["decision"] is None:
            _close_gate(transaction, row["number"], operator)
            board.tell(EventKind.GATE_VOIDED, row["task"], operator=operator)


def _close_gate(transaction: Transaction, number: int, operator: str) -> None:
    transaction.run(
        "decide",
        {"number": number, "decision": "voided", "operator": operator, "notes": None, "now": transaction.now},
    )
