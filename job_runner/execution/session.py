"""One `execute-manifest` or `run` from the command line: lock, check, execute with a progress bar, report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from job_runner.display.results import tell_pages
from job_runner.execution.execution import Execution, Look, Setup
from job_runner.execution.stop import LeaveNow, StopRequest
from job_runner.execution.task_tracking import point_latest
from lib.cli import output
from lib.cli.progress import ProgressBar
from lib.clock import SystemClock
from lib.errors import ExitStatus, TryAgain
from lib.manifest import (
    MANIFEST,
    Inputs,
    Manifest,
    OutFolder,
    check_inputs,
    check_texts,
    finish_interrupted_compile,
    load_manifest,
    outputs_of_no_job,
)
from lib.manifest.folder import WORKROOM
from lib.picture_backends.names import SHIPPED_BACKENDS, PictureSettings
from lib.records import ExecutionJob, ExecutionRecord
from lib.spool import SpoolFull
from lib.units import seconds_text
from lib.voices import VoiceRegistry, jobs_ahead
from lib.workers import LocalHost, SpoolRoom, WorkerSetup

_NAMED = 5
_WORKER_GRACE_S = 60.0  # a worker may still take for the job at hand when it is asked to stop


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an execution takes from the settings."""

    data_dir: Path
    voices_dir: Path
    engine: str
    workers: int  # when the command does not say
    pauses: str | None = None  # as the setting VOICE_PAUSES has them
    backends: PictureSettings = SHIPPED_BACKENDS
    hibari_batch: int = 1  # texts that all workers together speak at once

    def registry(self) -> VoiceRegistry:
        """The voices of this machine."""
        return VoiceRegistry([self.voices_dir])

    def hosts(self, room: SpoolRoom, count: int) -> list[LocalHost]:
        """That many workers with spools of their own, not started."""
        return room.hosts(room.free_numbers(count), self._worker())

    def ahead(self, workers: int) -> int:
        """Jobs that each of so many workers holds."""
        return jobs_ahead(self.engine, self._worker().share(workers))

    def _worker(self) -> WorkerSetup:
        grace_s, clock = _WORKER_GRACE_S, SystemClock()
        return WorkerSetup(self.voices_dir, self.engine, grace_s, clock, self.pauses, self.hibari_batch)


@dataclass(frozen=True, slots=True)
class Ready:
    """A manifest whose voices and texts were checked, in a locked folder."""

    folder: OutFolder
    manifest: Manifest
    inputs: tuple[Inputs, ...]


def execute(
    path: Path,
    around: Surroundings,
    *,
    workers: int | None,
    force: bool,
    as_json: bool,
    pages_of: Callable[[Path], list[str]] | None = None,
) -> int:
    """Speak a manifest's jobs and report on them; returns the exit status: 0, or 1 when a job failed.

    `workers` None takes the number of the settings. `pages_of` makes the pages of a folder to listen to.

    Raises:
        lib.errors.JobRunnerError: the manifest is wrong (65), another execution is at it (75), the worker
            cannot run (78, 69), or a signal came (130, 75).
    """
    with opened(path, around) as ready, StopRequest() as stop, _Progress(stop, ready.manifest) as progress:
        setup = Setup(
            folder=ready.folder,
            manifest=ready.manifest,
            inputs=ready.inputs,
            engine=around.engine,
            room=SpoolRoom(ready.folder.path(WORKROOM), name="local", machine="local"),
            make_hosts=around.hosts,
            ahead=around.ahead,
            clock=SystemClock(),
            workers=workers or around.workers,
            force=force,
            on_look=progress.look,
            stop_requested=stop.asked,
            started=lambda record: _point_latest(around.data_dir, record),
        )
        execution = Execution(setup)
        try:
            record = execution.run()
        except LeaveNow:
            record = execution.file.record("interrupted")
        except SpoolFull as error:
            left = execution.file.record("interrupted")
            raise TryAgain(f"{error.message} Free some space: {_how_to_go_on(left)}") from error
        of_no_job = outputs_of_no_job(ready.folder, ready.manifest.orders)
    if record.state == "interrupted":
        raise stop.error(_how_to_go_on(record))
    pages = None if pages_of is None else pages_of(execution.file.path.parent)
    _report(record, execution.file.path, pages, as_json=as_json)
    _tell_of_no_job(of_no_job, execution.file.path.parent)
    return ExitStatus.JOB_FAILED if record.state == "failed" else ExitStatus.OK


@contextlib.contextmanager
def opened(path: Path, around: Surroundings, *, looking: bool = False) -> Iterator[Ready]:
    """The manifest at `path` (or in the folder `path`), checked, its folder locked until the block ends.

    Who is only `looking` writes nothing and waits for nobody.
    """
    if path.is_dir():
        path /= MANIFEST
    folder = OutFolder(path.parent)
    with contextlib.nullcontext() if looking else folder.lock():
        if path.name == MANIFEST and not looking:
            finish_interrupted_compile(folder)
        manifest = load_manifest(path)
        inputs = check_inputs(manifest.orders, around.registry(), around.engine, around.pauses)
        check_texts(folder, manifest.orders)
        yield Ready(folder, manifest, inputs)


class _Progress:
    """The bar, shown from the first look on, and a word when a signal came."""

    def __init__(self, stop: StopRequest, manifest: Manifest) -> None:
        self._stop, self._doing = stop, _doing(manifest)
        self._bar: ProgressBar | None = None
        self._said_stop = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def look(self, look: Look) -> None:
        """Bring the bar up to date."""
        if self._bar is None:
            if look.skipped:
                output.note(f"{look.skipped} of {look.skipped + look.todo} jobs are done already; skipped")
            if not look.todo:
                return
            self._bar = ProgressBar(look.todo, self._doing).__enter__()
        failed = f"{look.failed} failed" if look.failed else ""
        self._bar.reach(look.settled, note=", ".join(filter(None, (failed, *look.running[:1]))))
        if self._stop.asked() and not self._said_stop:
            self._said_stop = True
            output.note("stopping after the piece at hand; press Ctrl-C again to leave at once")


def _doing(manifest: Manifest) -> str:
    """What is done with its jobs, in one word."""
    kinds = {order.spec.is_picture for order in manifest.orders}
    return "making" if len(kinds) > 1 else "drawing" if True in kinds else "speaking"


def _point_latest(data_dir: Path, record: Path) -> None:
    try:
        point_latest(data_dir, record)
    except OSError as error:
        output.warn(f"{data_dir}/executions/latest cannot point to {record}: {error.strerror}")


def _how_to_go_on(record: ExecutionRecord) -> str:
    totals = record.totals
    done = totals["done"] + totals["skipped"]
    return (
        f"stopped with {done} of {totals['jobs']} jobs done; what is finished stays. "
        "Run the same command again to go on"
    )


def _report(record: ExecutionRecord, path: Path, pages: list[str] | None, *, as_json: bool) -> None:
    if as_json:
        output.emit_json(record.to_json() if pages is None else {**record.to_json(), "pages": pages})
    else:
        _table(record.jobs, path.parent).show()
        tell_pages(pages or [])
    for job in record.jobs:
        if job.state == "failed":
            output.warn(f"{job.request_id} failed: {job.error}")
        for warning in job.warnings:
            output.warn(f"{job.request_id}: {warning}")
    totals = record.totals
    audio = sum(job.audio_seconds or 0.0 for job in record.jobs)
    skipped = f" ({totals['skipped']} of them before)" if totals["skipped"] else ""
    output.note(
        f"{totals['done'] + totals['skipped']} done{skipped}, {totals['failed']} failed, "
        f"{seconds_text(audio)} of audio, in {seconds_text(record.wall_seconds)}; record: {path}"
    )


def _tell_of_no_job(paths: Sequence[str], folder: Path) -> None:
    if not paths:
        return
    head = "1 output is" if len(paths) == 1 else f"{len(paths)} outputs are"
    names = ", ".join(str(folder / path) for path in paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    stay = "it stays until you remove it" if len(paths) == 1 else "they stay until you remove them"
    output.note(f"{head} of no job of this file any more: {names}{more}; {stay}")


def _table(jobs: Sequence[ExecutionJob], folder: Path) -> output.Table:
    table = output.Table(
        [
            output.Column("job", wrap=True),
            output.Column("state"),
            output.Column("seconds", align="right"),
            output.Column("file", wrap=True),
        ]
    )
    for job in jobs:
        seconds = None if job.audio_seconds is None else f"{job.audio_seconds:.1f}"
        place = str(folder / job.file) if job.file else job.error
        table.row(job.request_id, job.state, seconds, place)
    return table
