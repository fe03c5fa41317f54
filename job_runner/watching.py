"""How followed jobs are shown while people wait: a live table for a few, a bar for many."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from job_runner.batch import Batch, Followed
from lib.cli import output
from lib.cli.progress import LiveRow, LiveTable, ProgressBar
from lib.jobqueue import JobState

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


@contextlib.contextmanager
def view_of(batch: Batch) -> Iterator[Callable[[Batch], None]]:
    """The view that suits the number of jobs; yields the function that brings it up to date."""
    with (table_of if len(batch.specs) <= _MOST_ROWS else progress_of)(batch) as look:
        yield look


@contextlib.contextmanager
def table_of(batch: Batch) -> Iterator[Callable[[Batch], None]]:
    """A live table of the batch; yields the function that brings it up to date."""
    columns = [output.Column("job"), output.Column("state")]
    with LiveTable(columns) as table:

        def look(current: Batch) -> None:
            ordered = sorted(current.states.items(), key=lambda item: _ORDER.index(item[1]))
            done = sum(state is JobState.DONE for state in current.states.values())
            table.update(
                [LiveRow(name, state.value, (name, state.value)) for name, state in ordered],
                f"{done} of {len(current.specs)} done",
            )

        yield look


@contextlib.contextmanager
def progress_of(jobs: Followed) -> Iterator[Callable[[Followed], None]]:
    """A progress bar of jobs that are followed; yields the function that brings it up to date."""
    with ProgressBar(len(jobs.request_ids), "jobs") as bar:

        def look(current: Followed) -> None:
            counts = current.counts()
            words = [f"{counts[state]} {state.value}" for state in _WORTH_A_WORD if counts[state]]
            bar.reach(current.settled, note=", ".join(words))

        yield look


@contextlib.contextmanager
def how_to_go_on(command: str) -> Iterator[None]:
    """Say on Ctrl-C that the jobs go on, and how to follow them again."""
    try:
        output.note("following; Ctrl-C ends this, not the jobs")
        yield
    except KeyboardInterrupt:
        output.note(f"No longer following; the jobs go on without this. Look again with: {command}")
        raise
