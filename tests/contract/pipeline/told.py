"""What a trail tells, folded a second time: the ledger's rules as a reader of events alone sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from lib.pipeline.model import TaskRow, TrailEvent

Key = tuple[str, str]

#: What the trail says of a task after each event of it.
STATES = {
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
#: After these a task has all its attempts again.
ANEW = {"stage_completed", "gate_pause", "stage_retried", "stage_stale"}


@dataclass
class Told:
    """The fold of all events so far. A key is a run and a task."""

    position: int = 0
    states: dict[Key, str] = field(default_factory=dict)
    attempts: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    failures: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    completed: set[tuple[str, str, int]] = field(default_factory=set)

    def read(self, events: Iterable[TrailEvent]) -> None:
        """Go on with events, each the next one of all and each possible after those before it."""
        for event in events:
            assert event.position == self.position + 1
            self.position = event.position
            if event.task and event.attempt is not None:
                self._follow((event.run, event.task), event, event.attempt)

    def _follow(self, key: Key, event: TrailEvent, attempt: int) -> None:
        assert attempt == self.attempts[key] + (event.kind == "stage_started"), event
        self.attempts[key] = attempt
        if event.kind == "stage_completed" and not event.data.get("reused"):
            assert (*key, attempt) not in self.completed, event
            self.completed.add((*key, attempt))
        if event.kind in ANEW:
            self.failures[key] = 0
        if event.kind == "stage_failed":
            self.failures[key] += 1
            dead, expired = event.data.get("dead"), event.data.get("expired")
            self.states[key] = "dead" if dead else "pending" if expired else "failed"
        elif event.kind in STATES:
            self.states[key] = STATES[event.kind]

    def compare(self, task: TaskRow) -> None:
        """See that a task's row says the same."""
        key = (task.run, task.name)
        assert self.states.get(key, "pending") == task.state, key
        assert self.attempts[key] == task.attempt, key
        assert self.failures[key] == task.failures, key
