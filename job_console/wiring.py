"""From settings to what the console works with. The only module of it that reads settings."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lib.settings import Settings, ensure_data_folder

if TYPE_CHECKING:
    from job_console.route_services import ConsoleParts
    from job_console.voice_samples import VoiceSamples
    from lib.jobqueue import JobQueue
    from lib.jobs.plan import Plan
    from lib.jobs.voice_check import VoiceCheck
    from lib.machines.port import Ledger
    from lib.picture_tables.image_tables import ImageTables
    from lib.pipeline.ledger import PipelineLedger
    from lib.storage import Storage
    from lib.voices import VoiceRegistry

#: A caller can come again, and each that waits for a server that is away holds one of few threads.
_PATIENCE_S: Final = 1.0


def settings() -> Settings:
    """All settings, checked: a command reads them once, and is told what looks mistyped.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    from lib.cli.command_settings import command_settings

    return command_settings()


def log_as(found: Settings, *, verbose: bool) -> None:
    """Send the log to stderr, without any secret in it."""
    import sys

    from lib.cli.log_lines import JsonLogLines, lines_for_people, log_to
    from lib.redact import Redactor

    as_json = found.log_format == "json" or (found.log_format == "auto" and not sys.stderr.isatty())
    lines: logging.Handler = JsonLogLines(on_stdout=False) if as_json else lines_for_people()
    log_to(lines, ours=("job_console", "lib"), redactor=Redactor(found.secrets()), verbose=verbose)


def token_of(found: Settings) -> tuple[str, Path | None]:
    """The console's token, and the file it lies in; None where JOB_CONSOLE_TOKEN gives it.

    Raises:
        BadConfiguration: it cannot be read or made, or is none.
    """
    from lib.cli import output
    from lib.console_token import checked_token, ensure_token, token_file

    if found.job_console_token is not None:
        where = found.origin("JOB_CONSOLE_TOKEN")
        return checked_token(found.job_console_token.reveal(), f"JOB_CONSOLE_TOKEN, {where}"), None
    data = ensure_data_folder(found.jobs_data_dir)
    token = ensure_token(data)
    output.concealed.know([token])
    return token, token_file(data)


@contextlib.contextmanager
def open_parts(found: Settings, token: str, *, config: Path | None, secure: bool) -> Iterator[ConsoleParts]:
    """All that the routes work with, closed at the end.

    Raises:
        BadConfiguration: a setting is wrong, or the tables are of a version that this program does not know.
        Unavailable: the queue's server or the database does not answer; no other one is tried.
    """
    from job_console.audit import AuditLog
    from job_console.notes import NoteBook
    from job_console.route_services import ConsoleParts
    from job_console.waveforms import Waveforms
    from lib.clock import SystemClock
    from lib.pipeline.trail_files import TrailFiles
    from lib.redact import Redactor

    data = ensure_data_folder(found.jobs_data_dir)
    with contextlib.ExitStack() as stack:
        queue = stack.enter_context(contextlib.closing(_queue_of(found)))
        ledger = _ledger_of(found)
        stack.callback(ledger.database.close)
        images = stack.enter_context(contextlib.closing(KeptImages(found)))
        audit = stack.enter_context(contextlib.closing(AuditLog(data, SystemClock())))
        notes = stack.enter_context(contextlib.closing(NoteBook(data, SystemClock())))
        files = Path.cwd() if found.sources["JOBS_DATA_DIR"] == "default" else data
        yield ConsoleParts(
            queue=queue,
            ledger=ledger,
            trail_files=TrailFiles(ledger, files),
            storage=_storage_of(found),
            voices=_voices_of(found),
            registry=lambda: _registry_of(found),
            engine=found.voice_engine,
            open_rented=lambda: _open_rented(found),
            provider=found.provider,
            token=token,
            audit=audit,
            notes=notes,
            waveforms=Waveforms(data / "console" / "peaks"),
            samples=_samples_of(found, data),
            files=files,
            data=data,
            config=config,
            task_timeout_s=float(found.task_timeout_seconds),
            max_attempts=found.max_attempts,
            secure=secure,
            redactor=Redactor([*found.secrets(), token]),
            price=lambda plan: _priced(plan, found),
            open_images=images.tables,
            image_owner=found.imagen_owner_user_id,
        )


def _storage_of(found: Settings) -> Storage:
    from lib.storage import open_storage, s3_access_of

    return open_storage(found.storage_url, s3_access_of(found))


def _registry_of(found: Settings) -> VoiceRegistry:
    from lib.voices import VoiceRegistry

    return VoiceRegistry([found.voices_dir])


def _samples_of(found: Settings, data: Path) -> VoiceSamples:
    from job_console.voice_samples import VoiceSamples

    return VoiceSamples(data / "console" / "samples", found.voices_dir, found.voice_engine)


def _priced(plan: Plan, found: Settings) -> Plan:
    """What it would cost at the prices that a watcher saw last; the plan as it is where nobody saw any."""
    from lib.clock import SystemClock
    from lib.jobs.plan import priced
    from lib.jobs.plan_cost import MarketQuestion, embedded_url

    url = found.redis_url or embedded_url(found.jobs_data_dir)
    market = MarketQuestion(url, found.jobs_prefix).answer() if url else None
    return plan if market is None else priced(plan, market, found, now=SystemClock().now())


def _voices_of(found: Settings) -> VoiceCheck:
    from lib.jobs.voice_check import RegistryCheck
    from lib.voices import named_by

    named = named_by(found, here=found.provider == "local")
    return RegistryCheck(_registry_of(found), found.voice_engine, named)


class KeptImages:
    """The tables of pictures, opened when they are asked for first: most consoles have none.

    Threads: any.
    """

    def __init__(self, found: Settings) -> None:
        self._found, self._lock = found, threading.Lock()
        self._tables: ImageTables | None = None

    def tables(self) -> ImageTables:
        """The same each time.

        Raises:
            BadConfiguration, MissingExtra, Unavailable: as of `open_images`; the next call tries it again.
        """
        from lib.picture_tables import open_images

        found = self._found
        name = "IMAGEN_WORKER_DATABASE_URL" if found.imagen_worker_database_url else "DATABASE_URL"
        with self._lock:
            if self._tables is None:
                self._tables = open_images(
                    found.imagen_worker_database_url or found.database_url,
                    origin=found.origin(name),
                    pool_min=found.db_pool_min,
                    pool_max=found.db_pool_max,
                    statement_timeout_ms=found.statement_timeout_ms,
                )
            return self._tables

    def close(self) -> None:
        """Give back what was opened."""
        if self._tables is not None:
            self._tables.close()


def _queue_of(found: Settings) -> JobQueue:
    from lib.jobqueue import connect, options_of
    from lib.redislink.embedded import EmbeddedServer

    url = found.redis_url or EmbeddedServer(found.jobs_data_dir).ensure()
    origin = found.origin("REDIS_URL") if found.redis_url else ""
    return connect(url, options_of(found), patience_s=_PATIENCE_S, origin=origin)


def _ledger_of(found: Settings) -> PipelineLedger:
    from lib.pipeline.ledger import PipelineLedger
    from lib.sql import open_database

    database = open_database(
        found.database_url,
        schema=found.db_schema,
        origin=found.origin("DATABASE_URL"),
        pool_min=found.db_pool_min,
        pool_max=found.db_pool_max,
        statement_timeout_ms=found.statement_timeout_ms,
    )
    try:
        return PipelineLedger(database)
    except BaseException:
        database.close()
        raise


@contextlib.contextmanager
def _open_rented(found: Settings) -> Iterator[Ledger | None]:
    """The ledger of rented machines; None where nothing was ever rented from here. Looking makes none."""
    from lib.machines import open_ledger
    from lib.machines.ledger_exam import has_ledger
    from lib.machines.place import LEDGER_SCHEMA, ledger_address
    from lib.sql import DatabaseOptions

    shared = found.database_url.startswith("postgres")
    options = DatabaseOptions(
        schema=LEDGER_SCHEMA,
        origin=found.origin("DATABASE_URL") if shared else "",
        pool_min=found.db_pool_min,
        pool_max=found.db_pool_max,
        statement_timeout_ms=found.statement_timeout_ms,
    )
    url = ledger_address(found.database_url, found.jobs_data_dir)
    if not has_ledger(url, **options):
        yield None
        return
    with contextlib.closing(open_ledger(url, **options)) as ledger:
        yield ledger
