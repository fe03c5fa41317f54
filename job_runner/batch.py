"""The jobs of one call, followed to their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.clock import Clock, SystemClock
from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobState
from lib.jobspec import JobSpec

_LOOK_AGAIN_AFTER = 2.0  # seconds without news before the states are read afresh; events are capped
_BLOCK = 0.5


@dataclass(slots=True)
class Batch:
    """Where each job of a file is. `states` is in the file's order."""

    queue: JobQueue
    specs: Sequence[JobSpec]
    states: dict[str, JobState] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Every job is in a terminal state."""
        return len(self.states) == len(self.specs) and all(s in TERMINAL for s in self.states.values())

    def counts(self) -> Counter[JobState]:
        """How many jobs are in each state."""
        return Counter(self.states.values())

    @property
    def exit_status(self) -> ExitStatus:
        """0 when all are done, 1 when one ended otherwise, 75 while one is unfinished."""
        if not self.finished:
            return ExitStatus.TRY_AGAIN
        done = self.counts()[JobState.DONE] == len(self.specs)
        return ExitStatus.OK if done else ExitStatus.JOB_FAILED

    def refresh(self) -> None:
        """Read the state of every job that is not finished."""
        open_ids = [s.request_id for s in self.specs if self.states.get(s.request_id) not in TERMINAL]
        for request_id, record in zip(open_ids, self.queue.jobs(open_ids), strict=True):
            if record is not None:
                self.states[request_id] = record.state

    def follow(self, on_look: Callable[[Batch], None], clock: Clock | None = None) -> None:
        """Return when every job is finished. `on_look` is called about twice a second and at each change.

        Whatever `on_look` raises ends the following, never the jobs.
        """
        clock = clock or SystemClock()
        after = self.queue.last_event_id()
        self.refresh()
        on_look(self)
        looked = clock.monotonic()
        while not self.finished:
            events = self.queue.follow_events(after, block_s=_BLOCK)
            for event in events:
                after = event.id
                if event.request_id in self.states and event.state is not None:
                    self.states[event.request_id] = event.state
            if not events and clock.monotonic() - looked >= _LOOK_AGAIN_AFTER:
                self.refresh()
                looked = clock.monotonic()
            on_look(self)

    def results(self) -> list[FinishedJob | None]:
        """The record of each job, in the file's order; None for one that is not finished."""
        return [self.queue.result(spec.request_id) for spec in self.specs]


def outcome_row(spec: JobSpec, finished: FinishedJob | None, location: str | None) -> dict[str, Any]:
    """One job as `up --json` and `enqueue --wait --json` show it.

    Seconds of audio and integrated loudness (LUFS) are the engine's measures; `file` is where the chosen
    take can be played, None unless the job is done.
    """
    record = (finished.result or {}).get("record", {}) if finished else {}
    return {
        "request_id": spec.request_id,
        "output_name": spec.output_name,
        "state": finished.state.value if finished else None,
        "file": location,
        "seconds": record.get("seconds"),
        "loudness_lufs": record.get("loudness_lufs"),
        "attempts": finished.attempt if finished else None,
        "error": finished.error.get("message") if finished and finished.error else None,
    }
