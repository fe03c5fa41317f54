"""`job-runner up`: everything on this machine, for real use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from job_runner import wiring
from job_runner.batch import Batch, outcome_row
from job_runner.submission import submit
from job_runner.watcher_process import WatcherProcess
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption
from lib.cli.progress import LiveRow, LiveTable
from lib.errors import ExitStatus
from lib.jobqueue import TERMINAL, JobQueue, JobState
from lib.jobspec import JobSpec
from lib.status import overview
from lib.storage import Storage, publish_takes, takes_of

_ORDER = [
    JobState.RUNNING,
    JobState.FAILED,
    JobState.CANCELED,
    JobState.WAITING,
    JobState.DELAYED,
    JobState.DONE,
]


def command(
    path: Annotated[
        Path | None, typer.Argument(metavar="[YAML]", help="A job file to enqueue and follow to its end.")
    ] = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Run the queue and a watcher on this machine, until Ctrl-C or until the file's jobs are finished.

    Killed at any moment and started again, it goes on with what was left. On a finished file it prints
    the results. The exit status is the file's: 0 when all jobs are done, 1 when one is not.
    """
    specs = wiring.load_checked(path) if path else None
    with wiring.open_queue(redis_url) as queue:
        if specs is None:
            return _serve(queue, redis_url)
        return _finish(queue, specs, redis_url, as_json=json_)


def _finish(queue: JobQueue, specs: Sequence[JobSpec], redis_url: str | None, *, as_json: bool) -> int:
    submission = submit(queue, specs)
    if submission.refusal is not None:
        raise submission.refusal
    counts = ", ".join(f"{count} {name}" for name, count in submission.counts().items())
    output.note(f"jobs: {counts}")
    batch = Batch(queue, specs)
    batch.refresh()
    if not batch.finished:
        with _watcher(redis_url) as watcher, table_of(batch) as look:

            def look_and_check(current: Batch) -> None:
                watcher.check()
                look(current)

            batch.follow(look_and_check)
    rows = results_json(batch, wiring.storage())
    if as_json:
        output.emit_json({"results": rows, "counts": {s.value: n for s, n in batch.counts().items()}})
    else:
        print_results(rows)
    return batch.exit_status


def _serve(queue: JobQueue, redis_url: str | None) -> int:
    with contextlib.suppress(KeyboardInterrupt), _watcher(redis_url) as watcher:
        output.note("Up. Enqueue from another terminal with: job-runner enqueue jobs.yaml   (Ctrl-C ends)")
        after, said = queue.last_event_id(), ""
        while True:
            watcher.check()
            view = overview(queue.snapshot(), queue.watchers(), {})
            starting = not said and view.snapshot.lock_owner is None
            if view.verdict.value != said and not starting:
                said = view.verdict.value
                output.note(f"{said}: {view.sentence}")
            for event in queue.follow_events(after, block_s=2.0):
                after = event.id
                if event.state in TERMINAL:
                    output.say(f"{event.state.value:9}  {event.request_id}")
    return ExitStatus.OK


@contextlib.contextmanager
def _watcher(redis_url: str | None) -> Iterator[WatcherProcess]:
    """A watcher for as long as the block lasts; Ctrl-C lets it finish the work at hand first."""
    watcher = wiring.start_watcher(redis_url)
    try:
        yield watcher
    except KeyboardInterrupt:
        output.note("stopping: the work at hand is finished, the rest waits. Run the same command to go on.")
        raise
    finally:
        watcher.stop(grace=wiring.settings().watcher_drain_seconds)


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


def results_json(batch: Batch, storage: Storage) -> list[dict[str, Any]]:
    """One row per job. A published file that somebody removed is put back from the store."""
    rows = []
    for spec, finished in zip(batch.specs, batch.results(), strict=True):
        files = publish_takes(storage, takes_of(finished.result)) if finished else []
        rows.append(outcome_row(spec, finished, files[0] if files else None))
    return rows


def print_results(rows: Sequence[dict[str, Any]]) -> None:
    """Where each file is, with its seconds and loudness. The folder they share is named once."""
    files = [row["file"] for row in rows if row["file"]]
    folder = _shared_folder(files)
    table = output.Table(
        [
            output.Column("job", wrap=True),
            output.Column("state"),
            output.Column("seconds", align="right"),
            output.Column("LUFS", align="right"),
            output.Column("file", wrap=True),
        ]
    )
    for row in rows:
        where = (row["file"] or "").removeprefix(folder) or row["error"]
        table.row(row["request_id"], row["state"], row["seconds"], row["loudness_lufs"], where)
    if folder:
        output.say(f"Files are in {folder}")
    table.show()
    failed = sum(row["state"] != JobState.DONE.value for row in rows)
    seconds = sum(row["seconds"] or 0 for row in rows)
    output.note(f"{len(rows) - failed} done ({seconds:.1f} s of audio), {failed} not")


def _shared_folder(files: Sequence[str]) -> str:
    """The longest folder that all files are below, with its slash; "" when there is none to shorten by."""
    if not files:
        return ""
    return f"{os.path.commonpath([os.path.dirname(file) for file in files]).rstrip('/')}/"
