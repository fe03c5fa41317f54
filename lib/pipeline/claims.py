"""What workers do with the ledger: claim tasks, hold their leases, and say how they ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.errors import Unavailable
from lib.pipeline.gates import ask, digest_of, still_approved
from lib.pipeline.graph import GraphStage
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact, EventKind, TaskRow
from lib.pipeline.rows import artifact_columns, job_of
from lib.pipeline.run_transitions import Board
from lib.pipeline.states import TaskState
from lib.pipeline.work import ClaimedTask, Done, Failed, Parked, Released, TaskReport, to_json

__all__ = [
    "ClaimedTask",
    "Done",
    "Failed",
    "Parked",
    "Released",
    "TaskReport",
    "UnsureClaim",
    "claim",
    "finish",
    "keep",
    "lost_leases",
    "next_ready_s",
    "renew",
]


def claim(
    ledger: PipelineLedger, stages: Mapping[str, Collection[str]], *, owner: str, count: int, lease_s: float
) -> list[ClaimedTask]:
    """Lease up to `count` tasks that are ready: the pipelines and their stages that this worker knows.

    `owner` names the worker's process; `lease_s` is how long it may be silent. A stage that was run before
    with the same inputs keeps its result and is not handed out. Of a lane's tasks one is at work at most.

    Raises:
        UnsureClaim: it is not known whether they are leased: the database went away as that was committed.
    """
    found: list[ClaimedTask] = []

    def work(transaction: Transaction) -> None:
        found.clear()  # of a try before, of which nothing holds
        found.extend(_lease(transaction, stages, owner, count, lease_s))

    try:
        ledger.change(work)
    except Unavailable as error:
        if found:
            raise UnsureClaim(error.message, found) from error
        raise
    return found


class UnsureClaim(Unavailable):
    """`tasks` are leased to whoever claimed them, or nothing was written; `lost_leases` says which is so."""

    def __init__(self, message: str, tasks: Sequence[ClaimedTask]) -> None:
        super().__init__(message)
        self.tasks = tasks


def _lease(
    transaction: Transaction,
    stages: Mapping[str, Collection[str]],
    owner: str,
    count: int,
    lease_s: float,
) -> list[ClaimedTask]:
    rows = _pick(transaction, stages, count)
    if not rows:
        return []
    values = {"owner": owner, "expires_at": transaction.now + lease_s, "now": transaction.now}
    transaction.run("begin", [{"run": run, "name": name, **values} for run, name in rows])
    found = [(_with_jobs(transaction, t), result) for t, result in _claimed(transaction, rows, owner)]
    data = to_json({"worker": owner})
    transaction.run(
        "tell",
        [
            {
                "run": t.run,
                "task": t.name,
                "attempt": t.attempt,
                "kind": str(EventKind.STAGE_COLLECTING if t.jobs else EventKind.STAGE_STARTED),
                "at": transaction.now,
                "data": data,
            }
            for t, _ in found
        ],
    )
    again = [task for task, result in found if result is not None]
    _finish_again(transaction, again, {(t.run, t.name): r for t, r in found if r is not None})
    return [task for task, result in found if result is None]


def _pick(
    transaction: Transaction, stages: Mapping[str, Collection[str]], count: int
) -> list[tuple[str, str]]:
    picked: list[tuple[str, str]] = []
    lanes: set[str] = set()
    for dag, names in stages.items():
        values = {"dag": dag, "names": list(names), "now": transaction.now}
        if not names:
            continue
        if (room := count - len(picked)) > 0:
            picked += [(r["run"], r["name"]) for r in transaction.all("claimable", count=room, **values)]
        if (room := count - len(picked)) > 0:
            picked += _pick_in_lanes(transaction, room, values, lanes)
    return picked


def _pick_in_lanes(
    transaction: Transaction, count: int, values: Mapping[str, Any], taken: set[str]
) -> list[tuple[str, str]]:
    picked: list[tuple[str, str]] = []
    for row in transaction.all("claimable_in_lanes", count=count + 50, **values):
        lane = row["lane"]
        if lane in taken or len(picked) == count:
            continue
        # Two workers that found the same lane free: one of them takes it, the other one looks elsewhere.
        if transaction.take_lane(lane):
            taken.add(lane)
            picked.append((row["run"], row["name"]))
    return picked


def _claimed(
    transaction: Transaction, rows: Sequence[tuple[str, str]], owner: str
) -> list[tuple[ClaimedTask, str | None]]:
    """The tasks just leased, and the result of each that need not be run again."""
    wanted = set(rows)
    runs, names = sorted({run for run, _ in rows}), sorted({name for _, name in rows})
    found = [
        row
        for row in transaction.all("claimed", runs=runs, names=names, owner=owner)
        if (row["run"], row["name"]) in wanted
    ]
    fresh = sorted({row["run"] for row in found if not row["began"]})
    transaction.run("begin_runs", [{"run": run, "now": transaction.now} for run in fresh])
    above = {
        name
        for row in found
        for name in transaction.ledger.graph(row["snapshot"], transaction).by_name[row["name"]].given
    }
    results: dict[str, dict[str, Any]] = {run: {} for run in runs}
    for row in transaction.all("results", runs=runs, names=sorted(above)) if above else ():
        results[row["run"]][row["name"]] = json.loads(row["result"])
    answers = []
    for row in found:
        stage = transaction.ledger.graph(row["snapshot"], transaction).by_name[row["name"]]
        answers.append(_handed_out(dict(row), stage, results[row["run"]]))
    return answers


def _handed_out(
    row: Mapping[str, Any], stage: GraphStage, results: Mapping[str, Any]
) -> tuple[ClaimedTask, str | None]:
    run_inputs = json.loads(row["inputs"])
    given = {name: results[name] for name in stage.given if name in results}
    inputs = given if stage.requires else run_inputs
    about = to_json([inputs, row["instruction"]])
    task = ClaimedTask(
        run=row["run"],
        name=row["name"],
        dag=row["dag"],
        attempt=row["attempt"],
        lease_no=row["lease_no"],
        timeout_s=row["timeout_s"],
        executor=row["executor"],
        inputs=inputs,
        run_inputs=run_inputs,
        config=json.loads(row["config"]),
        input_hash=hashlib.sha256(about.encode()).hexdigest(),
        instruction=row["instruction"],
        slug=row["slug"],
        failures=row["failures"],
        jobs_attempt=row["jobs_attempt"],
    )
    same = row["result"] is not None and row["input_hash"] == task.input_hash
    return task, row["result"] if same else None


def _with_jobs(transaction: Transaction, task: ClaimedTask) -> ClaimedTask:
    if not task.jobs_attempt:
        return task
    rows = transaction.all("external_jobs", run=task.run, task=task.name, attempt=task.jobs_attempt)
    return replace(task, jobs=tuple(job_of(row) for row in rows))


def _finish_again(
    transaction: Transaction, tasks: Sequence[ClaimedTask], results: Mapping[tuple[str, str], str]
) -> None:
    """Stages with the inputs of the last time: their result stands, and an approval of it as well."""
    if not tasks:
        return
    boards = transaction.boards({task.run for task in tasks})
    for task in tasks:
        board = boards[task.run]
        row = board.tasks[task.name]
        artifacts = [dict(a) for a in transaction.all("artifacts_of", run=task.run) if a["task"] == task.name]
        seen = digest_of(results[task.run, task.name], {a["path"]: a["sha256"] for a in artifacts})
        if row.gate is None or still_approved(transaction, task.run, task.name, seen):
            board.reused(task.name)
        else:
            board.finished(task.name, input_hash=task.input_hash)
            ask(transaction, board, task.name, seen)
    transaction.write(boards.values())


def renew(
    ledger: PipelineLedger, tasks: Sequence[ClaimedTask], *, owner: str, lease_s: float
) -> list[ClaimedTask]:
    """Hold the leases of `tasks` for another `lease_s`; those that are lost, whose work must stop."""
    if not tasks:
        return []

    def work(transaction: Transaction) -> list[ClaimedTask]:
        expires = transaction.now + lease_s
        rows = [
            {"run": t.run, "name": t.name, "lease_no": t.lease_no, "owner": owner, "expires_at": expires}
            for t in tasks
        ]
        transaction.run("renew", rows)
        return _not_held(transaction, tasks, owner)

    return ledger.change(work)


def lost_leases(ledger: PipelineLedger, tasks: Sequence[ClaimedTask], *, owner: str) -> list[ClaimedTask]:
    """Of `tasks` those whose lease is gone: it ran out, or the run was canceled. Changes nothing."""
    return ledger.look(lambda transaction: _not_held(transaction, tasks, owner)) if tasks else []


def _not_held(transaction: Transaction, tasks: Sequence[ClaimedTask], owner: str) -> list[ClaimedTask]:
    held = {(r["run"], r["name"], r["lease_no"]) for r in transaction.all("leases_of", owner=owner)}
    return [task for task in tasks if (task.run, task.name, task.lease_no) not in held]


def finish(
    ledger: PipelineLedger, reports: Sequence[TaskReport], *, owner: str, settle: bool = True
) -> list[ClaimedTask]:
    """Write how tasks ended, in one transaction; those whose lease was lost, for which nothing was written.

    With `settle` what they make ready is ready with the same transaction (a fan-in happens once); without,
    the orchestrator sees to it.
    """
    if not reports:
        return []

    def work(transaction: Transaction) -> list[ClaimedTask]:
        boards = transaction.boards({report.task.run for report in reports})
        lost = []
        for report in reports:
            task = report.task
            board = boards[task.run]
            if _holds(board.tasks[task.name], task, owner):
                _carry_out(transaction, board, report)
            else:
                lost.append(task)
        transaction.write(boards.values(), settle=settle)
        return lost

    return ledger.change(work)


def _holds(row: TaskRow, task: ClaimedTask, owner: str) -> bool:
    return (
        row.state is TaskState.PROCESSING
        and row.parked_at is None
        and (row.lease_owner, row.lease_no) == (owner, task.lease_no)
    )


def _carry_out(transaction: Transaction, board: Board, report: TaskReport) -> None:
    task, outcome = report.task, report.outcome
    match outcome:
        case Done():
            keep(transaction, board, task.name, outcome, task.input_hash)
        case Failed():
            _record(transaction, board, task.name, outcome.artifacts)
            board.failed(task.name, outcome.error, retry_in_s=outcome.retry_in_s, for_good=outcome.for_good)
        case Released():
            board.released(task.name, outcome.why)
        case Parked():
            board.parked(task.name, jobs=len(outcome.specs))
            rows = [
                {
                    "run": task.run,
                    "task": task.name,
                    "attempt": task.attempt,
                    "request_id": request_id,
                    "place": place,
                    "spec": to_json(dict(spec)),
                    "now": transaction.now,
                }
                for place, (request_id, spec) in enumerate(outcome.specs.items())
            ]
            transaction.run("order_external_job", rows)


def keep(transaction: Transaction, board: Board, name: str, done: Done, input_hash: str | None) -> None:
    """Write a result and its files, and let the task succeed or ask at its gate."""
    run, attempt = board.run.id, board.tasks[name].attempt
    result = to_json(done.result)
    board.results[name] = result
    made = _record(transaction, board, name, done.artifacts)
    if attempt > 1:
        transaction.run("forget_artifacts", {"run": run, "task": name, "attempt": attempt})
    board.finished(name, input_hash=input_hash)
    if board.tasks[name].state is TaskState.NEEDS_APPROVAL:
        ask(transaction, board, name, digest_of(result, {row["path"]: row["sha256"] for row in made}))


def next_ready_s(ledger: PipelineLedger, dags: Collection[str]) -> float | None:
    """Seconds until the next task of these pipelines is ready that is not so now; None: none is known."""

    def work(transaction: Transaction) -> float | None:
        row = transaction.one("next_ready", dags=sorted(dags), now=transaction.now)
        return None if row is None or row["at"] is None else max(0.0, row["at"] - transaction.now)

    return ledger.look(work)


def _record(
    transaction: Transaction, board: Board, name: str, artifacts: Sequence[Artifact]
) -> list[dict[str, Any]]:
    """Write which files the attempt at hand made."""
    run, attempt = board.run.id, board.tasks[name].attempt
    made = [
        artifact_columns(run, replace(artifact, task=name, attempt=attempt, at=transaction.now))
        for artifact in artifacts
    ]
    transaction.run("record_artifact", made)
    return made
