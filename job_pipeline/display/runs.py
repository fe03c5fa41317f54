"""One run for people: what it is, its stages, and why nothing moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lib.cli import output
from lib.clock import rfc3339
from lib.pipeline.model import Artifact, GateRow
from lib.pipeline.views import RunView, word_of
from lib.units import bytes_text


def show_run(found: RunView) -> None:
    """Everything that `show` says."""
    line = found.line
    output.show_fields(
        {
            "run": line.run.id,
            "pipeline": f"{line.run.dag}, snapshot {line.run.snapshot[:12]}",
            "state": line.run.state,
            "begun": _time(line.run.created_at),
            "ended": _time(line.run.finished_at),
            **({"slug": line.slug} if line.slug else {}),
            **({"intent": line.intent} if line.intent else {}),
        }
    )
    output.say()
    _stages(found)
    if found.gates:
        output.say()
        for gate in found.gates:
            output.say(_gate_text(gate))
    if found.artifacts:
        output.say()
        artifacts_table(found.artifacts).show()
    if found.jobs:
        output.say()
        _jobs(found)
    if found.waits:
        output.say()
    for wait in found.waits:
        about = line.run.id if wait.stage is None else wait.stage
        help_ = f"; {wait.command}" if wait.command else ""
        output.say(f"{about}: {wait.sentence}{help_}")


def _stages(found: RunView) -> None:
    names = ("stage", "state", "attempt", "since", "owner")
    table = output.Table([*(output.Column(name) for name in names), output.Column("error", wrap=True)])
    for task in found.line.tasks:
        owner = "queue" if task.parked_at is not None else task.lease_owner
        word = word_of(task, found.line.now)
        attempt = (
            f"{task.attempt} ({task.failures} of {task.max_attempts} failed)"
            if task.failures
            else task.attempt
        )
        table.row(task.name, word, attempt, _time(task.since), owner, task.error)
    table.show()


def _gate_text(gate: GateRow) -> str:
    asked = f"gate {gate.task}, attempt {gate.attempt}, opened {_time(gate.opened_at)}"
    if gate.decision is None:
        due = "" if gate.due_at is None else f", due {_time(gate.due_at)}"
        return f"{asked}: open{due}"
    said = f": {gate.notes}" if gate.notes else ""
    return f"{asked}: {gate.decision} by {gate.operator} {_time(gate.decided_at)}{said}"


def _jobs(found: RunView) -> None:
    counts = Counter((job["task"], job["attempt"], job["state"]) for job in found.jobs)
    for (task, attempt, state), count in counts.items():
        output.say(f"jobs of {task}, attempt {attempt}: {count} {state}")


def artifacts_table(artifacts: Sequence[Artifact]) -> output.Table:
    """Files with their size, their measures, and the first digits of their sha256."""
    names = ("stage", "file", "type")
    table = output.Table(
        [
            *(output.Column(name) for name in names),
            output.Column("size", "right"),
            output.Column("sha256"),
            output.Column("measures", wrap=True),
        ]
    )
    for each in artifacts:
        measures = [f"{name}={value:g}" for name, value in each.measures.items()]
        marks = ["PLACEHOLDER"] if each.placeholder else []
        size = bytes_text(each.size)
        table.row(each.task, each.path, each.type, size, each.sha256[:12], ", ".join([*marks, *measures]))
    return table


def _time(at: float | None) -> str | None:
    return None if at is None else f"{rfc3339(at)[:19]}Z"
