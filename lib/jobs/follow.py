"""Follows jobs until each is finished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from lib.clock import Clock, SystemClock
from lib.errors import BadInput, ExitStatus, TryAgain
from lib.jobqueue import TERMINAL, FinishedJob, JobQueue, JobRecord, JobState, UnknownJob
from lib.jobqueue.lifecycle import JobEvent
from lib.jobspec import JobSpec

_LOOK_AGAIN_AFTER = 2.0  # seconds without news before the states are read afresh; events are capped
_BLOCK = 0.5
REPLACED: Final = "replaced"  # in place of a state: another revision took the place of the one followed
REPLACED_MEANWHILE: Final = "other content was enqueued under its id while it was followed"
_MOST_NAMED: Final = 5  # unknown ids in one error


class Vanished(TryAgain):
    """A job that was followed is not in the queue any more: flushed, or its record was too old."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"the job {request_id} is gone from the queue (flushed, or its record ran out) while it was "
            "followed; enqueue it again if it is still wanted"
        )


class Followed:
    """Where each of some jobs is that the queue had. `states` is in the order of `request_ids`, once read.

    `replaced` are those whose revision that was followed has given way to a newer one: they are followed no
    more, and what becomes of the newer one is not their end.
    """

    def __init__(self, queue: JobQueue, request_ids: Sequence[str]) -> None:
        self.queue = queue
        self.request_ids = tuple(dict.fromkeys(request_ids))
        self.states: dict[str, JobState] = {}
        self.replaced: set[str] = set()
        self._revisions: dict[str, int] = {}

    @property
    def finished(self) -> bool:
        """Every job is in a terminal state, or replaced."""
        return len(self.states) == len(self.request_ids) and self.settled == len(self.request_ids)

    @property
    def settled(self) -> int:
        """How many jobs are in a terminal state, or replaced."""
        return sum(self._is_settled(request_id) for request_id in self.states)

    def _is_settled(self, request_id: str) -> bool:
        return request_id in self.replaced or self.states.get(request_id) in TERMINAL

    def counts(self) -> Counter[JobState]:
        """How many jobs are in each state; those that were replaced are in none."""
        return Counter(state for name, state in self.states.items() if name not in self.replaced)

    @property
    def exit_status(self) -> ExitStatus:
        """1 when one ended otherwise than done, else 75 while one is unfinished, else 0."""
        counts = self.counts()
        if self.finished:
            done = counts[JobState.DONE] == len(self.request_ids)
            return ExitStatus.OK if done else ExitStatus.JOB_FAILED
        return ExitStatus.TRY_AGAIN

    def require_known(self) -> None:
        """See that the queue knows every job, before any is waited for.

        Raises:
            UnknownJob: it does not know one; with the nearest ids.
            BadInput: it does not know several; all that in one message.
        """
        records = self.queue.jobs(self.request_ids)
        unknown = [name for name, record in zip(self.request_ids, records, strict=True) if record is None]
        errors = [UnknownJob(name, self.queue.nearest(name)) for name in unknown[:_MOST_NAMED]]
        if len(unknown) == 1:
            raise errors[0]
        if unknown:
            more = [f"and {len(unknown) - _MOST_NAMED} more"] if len(unknown) > _MOST_NAMED else []
            raise BadInput("\n".join([*(error.message for error in errors), *more]))

    def refresh(self) -> None:
        """Read the state of every job that is not finished.

        Raises:
            Vanished: a job is not in the queue any more, or never was.
        """
        open_ids = [name for name in self.request_ids if not self._is_settled(name)]
        for request_id, record in zip(open_ids, self.queue.jobs(open_ids), strict=True):
            if record is None:
                raise Vanished(request_id)
            self.states[request_id] = record.state
            if self._is_another(record):
                self.replaced.add(request_id)

    def _is_another(self, record: JobRecord) -> bool:
        """Whether the queue has another revision of the job than the one that is followed."""
        return record.revision != self._revisions.setdefault(record.request_id, record.revision)

    def follow(
        self,
        on_look: Callable[[Self], None],
        clock: Clock | None = None,
        *,
        timeout_s: float | None = None,
    ) -> None:
        """Return when every job is finished, or after `timeout_s`. `on_look` is called at each change.

        It is called about twice a second without one, too. Whatever it raises ends the following, never the
        jobs.

        Raises:
            Vanished: a job is not in the queue any more.
        """
        clock = clock or SystemClock()
        give_up = None if timeout_s is None else clock.monotonic() + timeout_s
        after = self.queue.last_event_id()
        self.refresh()
        on_look(self)
        looked = clock.monotonic()
        while not self.finished:
            left = _BLOCK if give_up is None else min(_BLOCK, give_up - clock.monotonic())
            if left <= 0:
                return
            events = self.queue.follow_events(after, block_s=left)
            for event in events:
                after = event.id
                if event.request_id in self.states and event.state is not None:
                    self._take_note(event.request_id, event.kind, event.state)
            if not events and clock.monotonic() - looked >= _LOOK_AGAIN_AFTER:
                self.refresh()
                looked = clock.monotonic()
            on_look(self)

    def _take_note(self, request_id: str, kind: str, state: JobState) -> None:
        self.states[request_id] = state
        if kind == JobEvent.REPLACED.value:
            self.replaced.add(request_id)

    def results(self) -> list[FinishedJob | None]:
        """The record of each job, in order; None for one that is not finished, or was replaced."""
        found = self.queue.results(self.request_ids)
        pairs = zip(self.request_ids, found, strict=True)
        return [None if request_id in self.replaced else finished for request_id, finished in pairs]

    def state_word(self, request_id: str) -> str:
        """Where a job is, in a word: its state, or "replaced"."""
        return REPLACED if request_id in self.replaced else self.states[request_id].value

    def words(self) -> dict[str, int]:
        """How many jobs are in each state, in words; those that were replaced last."""
        words = {state.value: count for state, count in self.counts().items()}
        return words | {REPLACED: len(self.replaced)} if self.replaced else words

    def to_json(self, results: Sequence[FinishedJob | None]) -> dict[str, Any]:
        """The value of `wait --json` (docs/reference/json/wait.json); `results` in order."""
        return {
            "jobs": [
                {
                    "request_id": request_id,
                    "state": self.state_word(request_id),
                    "attempts": finished.attempt if finished else None,
                    "error": REPLACED_MEANWHILE if request_id in self.replaced else message_of(finished),
                }
                for request_id, finished in zip(self.request_ids, results, strict=True)
            ],
            "counts": self.words(),
        }


def message_of(finished: FinishedJob | None) -> str | None:
    """Why the job failed or was canceled, in a sentence; None where it is done or not finished."""
    failure = finished.failure() if finished else None
    return failure.message if failure else None


class Batch(Followed):
    """The jobs of a file, followed."""

    def __init__(self, queue: JobQueue, specs: Sequence[JobSpec]) -> None:
        super().__init__(queue, [spec.request_id for spec in specs])
        self.specs = specs
        self._fingerprints = {spec.request_id: spec.fingerprint for spec in specs}

    def _is_another(self, record: JobRecord) -> bool:
        return record.fingerprint != self._fingerprints[record.request_id] or super()._is_another(record)
