"""Words and looks of runs and stages: the same on every page that shows one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.pipeline.model import EventKind, GateRow, TaskRow, TrailEvent
from lib.pipeline.states import RunState
from lib.pipeline.views import RunLine, RunView, word_of

_LONGEST_NAME: Final = 120

#: How each word of a stage looks (a class of style.css), and its mark: the path of a pen in a box of 16.
STAGE_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "NEW": ("soft", "M8 3a5 5 0 1 1 0 10 5 5 0 0 1 0-10z"),
    "READY": ("", "M5 3l8 5-8 5z"),
    "RUNNING": ("", "M8 2.5a5.5 5.5 0 1 1-5.5 5.5M8 5.5V8l2 1.5"),
    "GATE": ("warn", "M8 2l6 6-6 6-6-6zM8 5.5v3M8 10.2v.3"),
    "REJECTED": ("bad", "M8 2l6 6-6 6-6-6zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4"),
    "DONE": ("good", "M2.5 8.5l3.5 3.5 7.5-8"),
    "FAILED": ("bad", "M4 4l8 8M12 4l-8 8"),
    "DEAD": ("bad", "M2.5 2.5h11v11h-11zM5.5 5.5l5 5M10.5 5.5l-5 5"),
    "SKIPPED": ("soft", "M3 4l5 4-5 4M8 4l5 4-5 4"),
    "BLOCKED": ("warn", "M3 6.5h10v3H3z"),
    "CANCELED": ("soft", "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM4.2 4.2l7.6 7.6"),
}
RUN_LOOKS: Final[Mapping[RunState, tuple[str, str]]] = {
    RunState.QUEUED: ("", "queued"),
    RunState.RUNNING: ("", "running"),
    RunState.NEEDS_APPROVAL: ("warn", "needs approval"),
    RunState.PAUSED: ("warn", "paused"),
    RunState.COMPLETED: ("good", "completed"),
    RunState.FAILED: ("bad", "failed"),
    RunState.CANCELED: ("soft", "canceled"),
}


def stage_word(task: TaskRow, line: RunLine, rejected: GateRow | None) -> str:
    """The word of a stage on a page; `rejected` is the gate whose rejection the run waits at.

    The ledger has such a stage as new: it runs anew when somebody says so.
    """
    word = word_of(task, line.now)
    return "REJECTED" if word == "NEW" and rejected is not None and rejected.task == task.name else word


@dataclass(slots=True)
class StageAttempt:
    """One attempt of a stage as the trail tells it. `ends` are sentences, each with its time."""

    number: int
    started_at: float | None = None
    worker: str = ""
    ends: list[tuple[float, str]] | None = None

    @property
    def told(self) -> Sequence[tuple[float, str]]:
        """What came of it so far."""
        return self.ends or ()


def attempts_of(events: Sequence[TrailEvent]) -> dict[str, list[StageAttempt]]:
    """The attempts of each stage, in order, of what the trail has of them."""
    found: dict[str, dict[int, StageAttempt]] = {}
    for event in events:
        if event.task is None or event.attempt is None or event.attempt == 0:
            continue
        mine = found.setdefault(event.task, {})
        attempt = mine.setdefault(event.attempt, StageAttempt(event.attempt))
        if event.kind is EventKind.STAGE_STARTED:
            attempt.started_at, attempt.worker = event.at, str(event.data.get("worker", ""))
        elif sentence := _outcome(event):
            attempt.ends = [*attempt.told, (event.at, sentence)]
    return {stage: [mine[number] for number in sorted(mine)] for stage, mine in found.items()}


def _outcome(event: TrailEvent) -> str:
    data = event.data
    match event.kind:
        case EventKind.STAGE_COMPLETED:
            if data.get("reused"):
                return "kept: its inputs are those of the last time"
            return f"done in {data['seconds']:g} s" if data.get("seconds") is not None else "done"
        case EventKind.STAGE_FAILED:
            after = " and is dead" if data.get("dead") else ""
            return f"failed{after}: {data.get('error', '')}"
        case EventKind.STAGE_RELEASED:
            return f"given back: {data.get('why', '')}"
        case EventKind.STAGE_PARKED:
            return f"{data.get('jobs')} jobs are with the queue"
        case EventKind.GATE_APPROVED | EventKind.GATE_REJECTED:
            word = "approved" if event.kind is EventKind.GATE_APPROVED else "rejected"
            said = f": {data['notes']}" if data.get("notes") else ""
            return f"{word} by {data.get('operator', '?')}{said}"
        case EventKind.STAGE_RETRIED:
            told = f", told: {data['instruction']}" if data.get("instruction") else ""
            return f"run anew by {data.get('operator', '?')}{told}"
    return ""


def name_of(view: RunView) -> str:
    """What people call a run: its short name, else the title it was given, else its id."""
    title = view.inputs.get("title")
    known = title.strip()[:_LONGEST_NAME] if isinstance(title, str) else ""
    return view.line.slug or known or view.line.run.id


def event_words(event: TrailEvent) -> str:
    """A line of the trail without its time: trail.js writes the same of an event that comes."""
    parts = [event.kind.replace("_", " ")]
    if event.task is not None:
        parts.append(event.task)
    if event.attempt:
        parts.append(f"attempt {event.attempt}")
    parts += [
        f"{name.replace('_', ' ')}: {_value(value)}"
        for name, value in event.data.items()
        if value is not None
    ]
    return " · ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
