"""`job-runner up`: everything on this machine, for real use."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from job_runner import wiring
from job_runner.commands.enqueue import ReplaceOption
from job_runner.console_process import ConsoleProcess
from job_runner.display.line_ahead import LineAhead
from job_runner.display.live_view import Hindrance, view_of
from job_runner.display.results import show_results, tell_pages
from job_runner.names_warning import held_names, tell_of_held
from lib.cli import output
from lib.cli.options import JsonOption, RedisUrlOption, SpeakerOption, VoiceOption
from lib.cli.signals import sigterm_interrupts
from lib.clock import SystemClock
from lib.errors import ExitStatus, UsageError
from lib.jobqueue import TERMINAL, Changed, JobQueue, Outcome
from lib.jobs.follow import Batch
from lib.jobs.names import HeldName
from lib.jobs.overview import Health, overview_of
from lib.jobs.results import ResultRow, ending_of, result_rows
from lib.jobs.submit import Conflict, Submission, submit
from lib.jobspec import JobFile
from lib.storage import Storage
from lib.units import seconds_text
from lib.watcher_process import WatcherProcess

StartWatcher = Callable[[], WatcherProcess]


EXAMPLES = (
    "job-runner up jobs.yaml",
    "job-runner up",
    "job-runner up --console",
)

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        help="A job file or beatsheet to enqueue and follow to its end; - is standard input.",
    ),
]
ConsoleOption = Annotated[
    bool, typer.Option("--console", help="Serve the console beside it: pages, REST, live events.")
]
ListenOption = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="HOST:PORT",
        help="With --console: where, else 127.0.0.1:8640.",
        show_default=False,
    ),
]


def command(
    path: FileArgument = None,
    voice: VoiceOption = None,
    speaker: SpeakerOption = None,
    replace: ReplaceOption = False,
    console: ConsoleOption = False,
    listen: ListenOption = None,
    redis_url: RedisUrlOption = None,
    json_: JsonOption = False,
) -> int:
    """Run the queue and a watcher on this machine, until Ctrl-C or until the file's jobs are finished.

    Killed at any moment and started again, it goes on with what was left. On a finished file it prints
    the results, and where the page of each topic is, to listen to. Lines that were changed since are
    spoken anew with --replace; on a terminal it asks. The exit status is the file's: 0 when all jobs are
    done, 1 when one is not.
    """
    if path is None and (voice is not None or speaker is not None):
        raise UsageError("--voice and --speaker are for the beats of a beatsheet; name its file, too")
    if listen is not None and not console:
        raise UsageError("--listen says where the console is; give --console with it")
    here = wiring.here(redis_url)
    file = here.load_checked(path, voice=voice, speaker=speaker) if path else None
    start = partial(here.start_watcher, redis_url)
    with contextlib.ExitStack() as stack:
        queue = stack.enter_context(here.open_queue(named=True))
        stack.enter_context(sigterm_interrupts())
        beside = stack.enter_context(_console(here, redis_url, listen)) if console else None
        if file is None:
            return _serve(queue, start, beside)
        here.check_runs_here()
        asked = replace or not (sys.stdin.isatty() and sys.stderr.isatty())
        storage = here.storage()
        held = held_names(storage, file.specs)
        batch = _finish(
            queue,
            file,
            start,
            beside,
            Changed.REPLACE if replace else Changed.REFUSE,
            held,
            ask=not asked,
        )
        rows = result_rows(batch, storage, held)
        pages = _pages(queue, file, storage, path.stem if path and path != Path("-") else "jobs")
    _show(batch, rows, pages, as_json=json_)
    return ending_of(batch, rows)


def _pages(queue: JobQueue, file: JobFile, storage: Storage, name: str) -> list[str]:
    """The pages to listen to, beside the audio; none beside a bucket, which `page --out` brings here."""
    from job_runner.listen.pages import pages_after
    from lib.jobs.page_beats import folder_of, page_beats_in_queue

    folder = folder_of(storage)
    if folder is None:
        return []
    now = SystemClock().now()
    return pages_after(
        lambda: page_beats_in_queue(queue, file.specs, storage, now), lambda topic: folder / topic, name
    )


def _finish(
    queue: JobQueue,
    file: JobFile,
    start: StartWatcher,
    console: ConsoleProcess | None,
    changed: Changed,
    held: Sequence[HeldName],
    *,
    ask: bool,
) -> Batch:
    submission = submit(queue, file, changed=changed)
    if ask and submission.changes:
        if not _wanted(submission):
            raise Conflict("nothing was enqueued; the changed lines stay as they were")
        submission = submit(queue, file, changed=Changed.REPLACE)
    if submission.refusal is not None:
        raise submission.refusal
    output.note(f"jobs: {submission.sentence}")
    tell_of_held(held)
    batch = Batch(queue, file.specs)
    batch.refresh()
    if not batch.finished:
        with _watcher(start) as watcher, view_of(batch) as look:
            hindrance = Hindrance(queue, SystemClock(), frozenset({Health.PAUSED}))
            line = LineAhead(queue, SystemClock())

            def look_and_check(current: Batch) -> None:
                watcher.check()
                _check(console)
                hindrance.tell()
                line.tell(current)
                look(current)

            batch.follow(look_and_check)
    return batch


def _wanted(submission: Submission) -> bool:
    count = submission.counts()[Outcome.CONFLICT.value]
    lines, them = ("1 line", "it") if count == 1 else (f"{count} lines", "them")
    output.note(submission.changes)
    return output.confirm(f"{lines} changed; speak {them} again?", yes=False)


def _show(batch: Batch, rows: Sequence[ResultRow], pages: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        output.emit_json(
            {
                "results": [row.to_json() for row in rows],
                "counts": batch.words(),
                "pages": list(pages),
            }
        )
    else:
        show_results(rows)
        tell_pages(pages)


class _Ends:
    """Prints each job that ended since it was made, once."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue, self._after = queue, queue.last_event_id()

    def tell(self, block_s: float = 0.0) -> bool:
        """Print some that ended since; waits up to `block_s` for the first event. Whether there was any."""
        events = self._queue.follow_events(self._after, block_s=block_s)
        for event in events:
            self._after = event.id
            if event.state in TERMINAL:
                output.say(f"{event.state.value:9}  {event.request_id}")
        return bool(events)


def _serve(queue: JobQueue, start: StartWatcher, console: ConsoleProcess | None) -> int:
    ends = _Ends(queue)
    with contextlib.suppress(KeyboardInterrupt), _watcher(start) as watcher:
        output.note("Up. Enqueue from another terminal with: job-runner enqueue jobs.yaml   (Ctrl-C ends)")
        said = ""
        trouble = Hindrance(queue, SystemClock(), frozenset())  # verdicts are told here
        while True:
            watcher.check()
            _check(console)
            trouble.tell()
            view = overview_of(queue, server=False)
            starting = not said and view.snapshot.lock_owner is None
            if view.verdict.value != said and not starting:
                said = view.verdict.value
                output.note(f"{said}: {view.sentence}")
            ends.tell(block_s=2.0)
    while ends.tell():  # what the watcher finished before it ended
        pass
    return ExitStatus.OK


@contextlib.contextmanager
def _console(here: wiring.Here, redis_url: str | None, listen: str | None) -> Iterator[ConsoleProcess]:
    console = here.start_console(redis_url, listen)
    try:
        yield console
    finally:
        console.stop()


def _check(console: ConsoleProcess | None) -> None:
    if console is not None:
        console.check()


@contextlib.contextmanager
def _watcher(start: StartWatcher) -> Iterator[WatcherProcess]:
    """A watcher for as long as the block lasts; Ctrl-C lets it finish the work at hand first."""
    watcher = start()
    try:
        yield watcher
    except KeyboardInterrupt:
        output.note(
            f"stopping: the work at hand is finished, for at most {seconds_text(watcher.drain_s)} "
            "(Ctrl-C again hands it back now); the rest waits. Run the same command to go on."
        )
        raise
    finally:
        _stop(watcher)


def _stop(watcher: WatcherProcess) -> None:
    try:
        watcher.stop()
    except KeyboardInterrupt:
        watcher.hand_back()
        raise
