"""Shows followed jobs while people wait: a live table for a few, a bar for many."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from lib.cli import output
from lib.cli.progress import LiveRow, LiveTable, ProgressBar
from lib.cli.signals import sigterm_interrupts
from lib.clock import Clock, SystemClock, rfc3339
from lib.jobqueue import JobQueue, JobState
from lib.jobs.follow import Batch, Followed
from lib.jobs.overview import Health, overview_of, trouble_of

_LOOK_EVERY = 1.5  # seconds
_MOST_ROWS = 40  # a longer table tells people less than a bar
_ORDER = [
    JobState.RUNNING,
    JobState.FAILED,
    JobState.CANCELED,
    JobState.WAITING,
    JobState.DELAYED,
    JobState.DONE,
]
_WORTH_A_WORD = (JobState.RUNNING, JobState.DELAYED, JobState.FAILED, JobState.CANCELED)


_STOPS = frozenset({Health.PAUSED, Health.WATCHER_NOT_RUNNING, Health.WATCHER_CRASHED})


class Hindrance:
    """Says once, while people wait, what keeps the queue from giving out jobs."""

    def __init__(self, queue: JobQueue, clock: Clock, stops: frozenset[Health] = _STOPS) -> None:
        self._queue, self._clock, self._stops = queue, clock, stops
        self._next = 0.0
        self._seen: Health | None = None
        self._said: set[Health] = set()
        self._troubled = False

    def tell(self) -> None:
        """Look every few seconds; say what two looks in a row found, for watchers come and go."""
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + _LOOK_EVERY
        view = overview_of(self._queue, server=False)
        lasts, self._seen = view.verdict is self._seen, view.verdict
        if view.verdict in self._stops and lasts and view.verdict not in self._said:
            self._said.add(view.verdict)
            output.warn(view.sentence)
        trouble = trouble_of(view.watchers)
        if trouble and not self._troubled:
            output.warn(trouble)
        self._troubled = trouble is not None


@contextlib.contextmanager
def view_of(batch: Batch) -> Iterator[Callable[[Batch], None]]:
    """The view that suits the number of jobs; yields the function that brings it up to date."""
    with (table_of if len(batch.specs) <= _MOST_ROWS else progress_of)(batch) as look:
        yield look


@contextlib.contextmanager
def table_of(batch: Batch) -> Iterator[Callable[[Batch], None]]:
    """A live table of the batch; yields the function that brings it up to date."""
    columns = [output.Column("job"), output.Column("state"), output.Column("")]
    with LiveTable(columns) as table:

        def look(current: Batch) -> None:
            ordered = sorted(current.states.items(), key=lambda item: _ORDER.index(item[1]))
            done = sum(state is JobState.DONE for state in current.states.values())
            rows = [
                LiveRow(name, state.value, (name, state.value, _details(current.queue, name, state)))
                for name, state in ordered
            ]
            table.update(rows, f"{done} of {len(current.specs)} done")

        yield look


def _details(queue: JobQueue, request_id: str, state: JobState) -> str:
    """How far a running job is, or until when a delayed one waits."""
    if state not in (JobState.RUNNING, JobState.DELAYED):
        return ""
    record = queue.job(request_id)
    if record is None:
        return ""
    if record.due_at is not None:
        return f"until {rfc3339(record.due_at)}"
    progress = record.progress or {}
    return f"{progress['pieces_done']} of {progress['pieces']} pieces" if progress.get("pieces") else ""


@contextlib.contextmanager
def progress_of(jobs: Followed) -> Iterator[Callable[[Followed], None]]:
    """A progress bar of jobs that are followed; yields the function that brings it up to date."""
    with ProgressBar(len(jobs.request_ids), "jobs") as bar:

        def look(current: Followed) -> None:
            counts = current.counts()
            words = [f"{counts[state]} {state.value}" for state in _WORTH_A_WORD if counts[state]]
            bar.reach(current.settled, note=", ".join(words))

        yield look


def watchful(queue: JobQueue, look: Callable[[Followed], None]) -> Callable[[Followed], None]:
    """Add to `look` a warning when nobody works on the queue."""
    hindrance = Hindrance(queue, SystemClock())

    def look_and_tell(current: Followed) -> None:
        hindrance.tell()
        look(current)

    return look_and_tell


@contextlib.contextmanager
def how_to_go_on(command: str) -> Iterator[None]:
    """Say on Ctrl-C, or SIGTERM, that the jobs go on, and how to follow them again."""
    try:
        with sigterm_interrupts():
            output.note("following; Ctrl-C ends this, not the jobs")
            yield
    except KeyboardInterrupt:
        output.note(f"No longer following; the jobs go on without this. Look again with: {command}")
        raise
