"""From settings to what the commands of `job-pipeline` use. The only module of it that reads settings."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lib.errors import BadConfiguration, UsageError
from lib.settings import Settings, ensure_data_folder

if TYPE_CHECKING:
    from job_pipeline.worker.program import PipelineWorker
    from lib.jobqueue import JobQueue
    from lib.pipeline import Dag
    from lib.pipeline.decision_links import LinkMaker
    from lib.pipeline.ledger import PipelineLedger
    from lib.pipeline.trail_files import TrailFiles
    from lib.redact import Redactor
    from lib.watcher_process import WatcherProcess

#: Pipelines that come with the program, by their short names.
SHIPPED: Final = {
    "factory": "job_pipeline.dags.factory:dag",
    "video": "job_pipeline.dags.video:dag",
    "demo": "job_pipeline.dags.demo:dag",
}
#: Those that are meant where nothing is named.
_USUAL: Final = ("factory", "video")


def settings() -> Settings:
    """All settings, checked: a command reads them once, and is told what looks mistyped.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    from lib.cli.command_settings import command_settings

    return command_settings()


@dataclass(frozen=True, slots=True)
class PipelineRoom:
    """What a command works with: the ledger, the files beside it, and the settings that led to both."""

    found: Settings
    ledger: PipelineLedger
    trail_files: TrailFiles

    @property
    def folder(self) -> Path:
        """What `runs/` and `jobs/` lie in."""
        return files_folder(self.found)

    @property
    def place(self) -> str:
        """The database, for people."""
        return self.ledger.database.address.place

    def named(self, given: Sequence[str]) -> list[str]:
        """The pipelines of a command line as `module:object`: those of --dag, else of JOB_PIPELINE_DAG.

        Where neither names any it is the shipped ones.
        """
        return named(self.found, given)

    def dags(self, given: Sequence[str]) -> list[Dag]:
        """The code of these pipelines. Raises BadConfiguration where one cannot be loaded."""
        from job_pipeline.dag_loading import load_dags

        return load_dags(self.named(given))

    def check(self, given: Sequence[str] | None) -> None:
        """See that the code of some pipelines can be loaded. Raises BadConfiguration."""
        _check(self.found, given)

    def names(self, given: Sequence[str] | None) -> list[str] | None:
        """The names of the pipelines that a list is meant to be of; None: of all.

        Raises:
            BadConfiguration: the code of one cannot be loaded.
            UsageError: none of that name is stored or shipped.
        """
        if not given:
            return None
        from lib.pipeline.snapshots import list_snapshots

        stored = {each.graph.dag for each in list_snapshots(self.ledger)}
        if unknown := [name for name in given if ":" not in name and name not in {*stored, *SHIPPED}]:
            known = ", ".join(sorted({*stored, *SHIPPED}))
            raise UsageError(
                f"no pipeline {unknown[0]!r} is stored; there are {known}, or name module:object"
            )
        by_code = [name for name in given if ":" in name]
        loaded = [dag.name for dag in self.dags(by_code)] if by_code else []
        return [*(name for name in given if ":" not in name), *loaded]

    def open_worker(self, asked: WorkerWords) -> contextlib.AbstractContextManager[PipelineWorker]:
        """A worker that logs nothing; beside it the trail's files are kept up to date.

        Raises as `open_room`.
        """
        from lib.redact import Redactor

        return _worker_of(self.found, asked, Redactor(self.found.secrets()))

    def lacks_watcher(self) -> bool:
        """Whether no watcher lives for the queue. Starts nothing; False where the queue does not answer."""
        from lib.errors import Unavailable
        from lib.jobs.watchers import seen_watchers
        from lib.redislink.embedded import EmbeddedServer

        if not self.found.redis_url and not EmbeddedServer(self.found.jobs_data_dir).running():
            return True  # a watcher of this computer would have started it
        try:
            with contextlib.closing(queue_of(self.found)) as queue:
                return seen_watchers(queue.snapshot()).snapshot.lock_owner is None
        except Unavailable:
            return False

    def start_watcher(self) -> WatcherProcess:
        """A watcher beside this process, on the same queue."""
        from lib.watcher_process import WatcherProcess

        log = ensure_data_folder(self.found.jobs_data_dir) / "demo" / "watcher.log"
        return WatcherProcess(log=log, environ={}, drain_s=self.found.watcher_drain_seconds)

    def tell(self) -> None:
        """Bring the files of the trail up to date after a change, which stands whatever comes of that."""
        from lib.cli import output

        try:
            self.trail_files.catch_up()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            output.warn(
                f"the trail in {self.folder} could not be written ({reason}); what is missing is written "
                "with the next change"
            )


def named(found: Settings, given: Sequence[str]) -> list[str]:
    """As `PipelineRoom.named`, of settings."""
    wanted = [*given] or ([found.job_pipeline_dag] if found.job_pipeline_dag else [*_USUAL])
    return [SHIPPED.get(name, name) for name in wanted]


def _check(found: Settings, given: Sequence[str] | None) -> None:
    from job_pipeline.dag_loading import load_dags

    if given:
        load_dags(named(found, given))


def files_folder(found: Settings) -> Path:
    """JOBS_DATA_DIR where somebody set it, else the working folder."""
    return Path.cwd() if found.sources["JOBS_DATA_DIR"] == "default" else found.jobs_data_dir


@contextlib.contextmanager
def open_room() -> Iterator[PipelineRoom]:
    """The ledger that DATABASE_URL names, and what goes with it.

    Raises:
        BadConfiguration: a setting is wrong, or the tables are of a version that this program does not know.
        Unavailable: no server answers there; no other database is tried.
    """
    from job_pipeline.logs import log_nothing
    from lib.pipeline.trail_files import TrailFiles

    found = settings()
    log_nothing()
    with open_ledger(found) as ledger:
        yield PipelineRoom(found, ledger, TrailFiles(ledger, files_folder(found)))


@contextlib.contextmanager
def open_ledger(found: Settings) -> Iterator[PipelineLedger]:
    """The ledger of settings, closed at the end. Raises as `open_room`."""
    ledger = ledger_of(found)
    with contextlib.closing(ledger.database):
        yield ledger


def ledger_of(found: Settings) -> PipelineLedger:
    """The ledger of settings, on connections of its own, which the caller closes. Raises as `open_room`."""
    from lib.sql import open_database

    if found.sources["DATABASE_URL"] == "default":
        ensure_data_folder(found.jobs_data_dir)
    origin = found.origin("DATABASE_URL")
    database = open_database(
        found.database_url,
        schema=found.db_schema,
        origin=origin,
        pool_min=found.db_pool_min,
        pool_max=found.db_pool_max,
        statement_timeout_ms=found.statement_timeout_ms,
    )
    try:
        from lib.pipeline.ledger import PipelineLedger

        return PipelineLedger(database)
    except BaseException as error:
        database.close()
        if isinstance(error, BadConfiguration):
            raise BadConfiguration(
                f"the database {database.address.place} cannot be used: {error.message}"
            ) from None
        raise


def queue_of(found: Settings) -> JobQueue:
    """The queue at REDIS_URL, else of the embedded server, started when needed; the caller closes it.

    Raises:
        Unavailable: a given server does not answer; no other one is tried.
        BadConfiguration: the data folder of the embedded server cannot be used.
    """
    from lib.jobqueue import connect, options_of
    from lib.redislink.embedded import EmbeddedServer

    if found.redis_url:
        return connect(found.redis_url, options_of(found), origin=found.origin("REDIS_URL"))
    url = EmbeddedServer(ensure_data_folder(found.jobs_data_dir)).ensure()
    return connect(url, options_of(found), origin="")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerWords:
    """What a command line says of a worker; None: the settings decide."""

    dags: Sequence[str] = ()
    stage: str | None = None
    concurrency: int = 1
    poll_s: float | None = None
    owner: str | None = None
    settles: bool = True
    allow_placeholders: bool = False


@contextlib.contextmanager
def open_worker(
    asked: WorkerWords,
    *,
    json_lines: bool = False,
    verbose: bool = False,
) -> Iterator[PipelineWorker]:
    """A worker with its log, and beside it the trail's files kept up to date. Raises as `open_room`."""
    from lib.redact import Redactor

    found = settings()
    redactor = Redactor(found.secrets())
    _log(found, redactor, json_lines=json_lines, verbose=verbose)
    with _worker_of(found, asked, redactor) as worker:
        yield worker


@contextlib.contextmanager
def _worker_of(found: Settings, asked: WorkerWords, redactor: Redactor) -> Iterator[PipelineWorker]:
    from functools import partial

    from job_pipeline.bridge import kept_bridge
    from job_pipeline.worker.options import PipelineWorkerOptions, this_worker
    from job_pipeline.worker.program import PipelineWorker
    from lib.pipeline.trail_files import kept_trail_files

    options = PipelineWorkerOptions(
        dags=named(found, asked.dags),
        owner=this_worker() if asked.owner is None else asked.owner,
        concurrency=asked.concurrency,
        stage=asked.stage,
        lease_s=float(found.lease_seconds),
        poll_s=found.claim_poll_interval if asked.poll_s is None else asked.poll_s,
        settles=asked.settles,
        folder=files_folder(found) / "runs",
        allow_placeholders=asked.allow_placeholders,
    )
    opened = partial(ledger_of, found)
    with (
        kept_trail_files(opened, files_folder(found)),
        _told_of_gates(found, redactor),
        kept_bridge(opened, partial(queue_of, found)),
    ):
        yield PipelineWorker(opened, options, redactor=redactor)


@contextlib.contextmanager
def open_loop(dags: Sequence[str] | None, *, json_lines: bool, verbose: bool) -> Iterator[PipelineLedger]:
    """The ledger for a program that stays, with its log, and the trail's files kept up to date beside it.

    Raises: as `open_room`.
    """
    from functools import partial

    from job_pipeline.bridge import kept_bridge
    from lib.pipeline.trail_files import kept_trail_files
    from lib.redact import Redactor

    found = settings()
    redactor = Redactor(found.secrets())
    _log(found, redactor, json_lines=json_lines, verbose=verbose)
    _check(found, dags)
    opened = partial(ledger_of, found)
    with (
        open_ledger(found) as ledger,
        kept_trail_files(opened, files_folder(found)),
        _told_of_gates(found, redactor),
        kept_bridge(opened, partial(queue_of, found)),
    ):
        yield ledger


@contextlib.contextmanager
def _told_of_gates(found: Settings, redactor: Redactor) -> Iterator[None]:
    """Within the block, the receiver at WEBHOOK_URL is told of each gate that waits; without one, nobody is.

    Raises: as `links_of`, and BadConfiguration where no notification can be sent.
    """
    url, secret = found.webhook_url, found.webhook_secret
    if url is None:
        yield
        return
    import socket
    from functools import partial

    from job_pipeline.gate_notices import kept_notices
    from lib.clock import SystemClock
    from lib.webhooks import open_sender

    outbox, sender = open_sender(
        ensure_data_folder(found.jobs_data_dir) / "webhooks",
        url.reveal(),
        None if secret is None else secret.reveal(),
        SystemClock(),
    )
    about = {"deployment": found.jobs_prefix, "host": socket.gethostname()}
    with kept_notices(
        partial(ledger_of, found), outbox, sender, about=about, links=links_of(found), hide=redactor.hide
    ):
        yield


def links_of(found: Settings, reviewers: Sequence[str] = ()) -> LinkMaker | None:
    """Who makes links for a decision, for `reviewers`, else for those of settings; None: no JOB_CONSOLE_URL.

    Raises:
        BadConfiguration: that is no address for links, the token cannot be used, or nobody is named.
    """
    if found.job_console_url is None:
        return None
    from lib.console_token import checked_token, ensure_token
    from lib.pipeline.decision_links import LinkMaker, console_base

    base = console_base(found.job_console_url)
    if found.job_console_token is not None:
        where = f"JOB_CONSOLE_TOKEN, {found.origin('JOB_CONSOLE_TOKEN')}"
        token = checked_token(found.job_console_token.reveal(), where)
    else:
        token = ensure_token(ensure_data_folder(found.jobs_data_dir))
    try:
        names = [*reviewers] or [*found.job_console_reviewers] or [operator_of(None)]
    except UsageError:
        raise BadConfiguration(
            "whom links for a decision are for is not known: set JOB_CONSOLE_REVIEWERS to their names"
        ) from None
    return LinkMaker(base, token, names, float(found.job_console_link_seconds))


def _log(found: Settings, redactor: Redactor, *, json_lines: bool, verbose: bool) -> None:
    from job_pipeline.logs import log_as

    log_as(found.log_format, redactor, json_lines=json_lines, verbose=verbose)


def operator_of(given: str | None) -> str:
    """Who decides: the name of --operator, else the login name.

    Raises:
        UsageError: there is none.
    """
    from lib.pipeline.operator_names import checked_operator

    name = given or ""
    if given is None:
        with contextlib.suppress(OSError, KeyError):
            name = getpass.getuser()
    return checked_operator(name)
