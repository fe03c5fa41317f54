"""From settings to what the commands of `job-runner` use. The only module of it that reads settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib.settings import Settings, ensure_data_folder

if TYPE_CHECKING:
    from job_runner.console_process import ConsoleProcess
    from lib.cli.gate_watch import LedgerRoom
    from lib.jobqueue import JobQueue
    from lib.jobs.advice import AskingAgain
    from lib.jobs.doctor_probes import Home
    from lib.jobs.plan import RegistryCheck
    from lib.jobs.plan_voices import VoiceNeeds
    from lib.jobspec import JobFile, JobSpec
    from lib.picture_backends.names import PictureSettings
    from lib.redislink.embedded import EmbeddedServer
    from lib.storage import Storage
    from lib.voices import NamedFor, VoiceRegistry
    from lib.watcher_process import WatcherProcess


def settings(flags: Mapping[str, str | None] | None = None) -> Settings:
    """All settings, checked: a command reads them once, and is told what looks mistyped.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    from lib.cli.command_settings import command_settings

    return command_settings(flags)


def named_in(found: Settings) -> NamedFor:
    """The models that the settings name, as far as that can be told here."""
    from lib.voices import named_by

    return named_by(found, here=found.provider == "local")


def here(redis_url: str | None = None) -> Here:
    """What a command uses, by one reading of the settings; `redis_url` was given on the command line.

    Raises:
        BadConfiguration: a setting is wrong.
    """
    return Here(settings({"REDIS_URL": redis_url}))


def open_queue(redis_url: str | None) -> contextlib.AbstractContextManager[JobQueue]:
    """The queue, for a command that needs nothing else. Raises as `here` and `Here.open_queue` do."""
    return here(redis_url).open_queue()


def backends_in(found: Settings) -> PictureSettings:
    """What the settings say about who draws pictures; of a token only that there is one."""
    from lib.picture_backends.names import PictureSettings

    return PictureSettings(
        backends_file=found.imagen_backends_file,
        flux_model="" if found.flux_model is None else str(found.flux_model),
        flux_device=found.flux_device,
        replicate_token="" if found.replicate_api_token is None else "(hidden)",
    )


@dataclass(frozen=True, slots=True)
class Here:
    """What the settings lead to, each made when it is asked for.

    A command makes one of these and asks it for everything: were the settings read again, a file that changed
    meanwhile would show it two queues or two stores.
    """

    found: Settings

    def voices(self) -> VoiceRegistry:
        """The registry of the voices folder and the shipped voices."""
        from lib.voices import VoiceRegistry

        return VoiceRegistry([self.found.voices_dir])

    def check(self) -> RegistryCheck:
        """Whether a job's voice exists and can speak its text."""
        from lib.jobs.plan import RegistryCheck

        return RegistryCheck(
            self.voices(), self.found.voice_engine, named_in(self.found), backends_in(self.found)
        )

    def home(self) -> Home:
        """What `doctor` looks at."""
        from lib.jobs.doctor_probes import Home

        return Home(
            data_dir=self.found.jobs_data_dir,
            storage_url=self.found.storage_url,
            engine=self.found.voice_engine,
            provider=self.found.provider,
            embedded=self.found.redis_url is None,
            open_storage=self.storage,
            backends=backends_in(self.found),
            usual_backend=self.found.imagen_backend,
            machine_backends=self.found.imagen_machine_backends,
        )

    def load_checked(self, path: Path, *, voice: str | None = None, speaker: str | None = None) -> JobFile:
        """The jobs of a file, each with a voice that exists and a text it can speak.

        `voice` or `speaker` speaks the beats of a beatsheet that name nobody. Warns of what stands in the
        file and was probably not meant.

        Raises:
            InvalidJobFile: with every problem of the file.
        """
        from job_runner.display.doubts import warn_of_doubts
        from lib.jobs.plan import load_speakable

        file = load_speakable(path, self.check(), voice=voice, speaker=speaker)
        warn_of_doubts(file)
        self.warn_of_machines_for(file)
        return file

    def warn_of_machines_for(self, file: JobFile) -> None:
        """As `warn_of_machines`, of all jobs of a file that can be spoken."""
        from lib.jobs.plan_voices import needs_of_jobs

        self.warn_of_backends(file.specs)
        if self.found.provider != "local":  # else nobody asks, however many jobs there are
            self.warn_of_machines(needs_of_jobs(file.specs, self.voices(), self.found.voice_engine))

    def warn_of_machines(self, voices: Iterable[VoiceNeeds]) -> None:
        """Say what machines would not have of what the voices need: nothing has been rented yet."""
        from lib.cli import output

        if self.found.provider == "local":
            return
        for needs in voices:
            if sentence := needs.missing_on_machines(self.found.voice_engine):
                output.warn(sentence)

    def warn_of_backends(self, specs: Iterable[JobSpec]) -> None:
        """Say which pictures nobody could draw where jobs are done: each would fail one by one."""
        names = {spec.drawn_by for spec in specs if spec.is_picture}
        if not names:
            return
        from lib.cli import output
        from lib.picture_backends.readiness import cannot_draw

        machines = None if self.found.provider == "local" else self.found.imagen_machine_backends
        for sentence in cannot_draw(names, backends_in(self.found), machines):
            output.warn(sentence)

    @contextlib.contextmanager
    def open_queue(self, *, named: bool = False) -> Iterator[JobQueue]:
        """The queue at REDIS_URL, else of the embedded server, which is started when needed.

        Which server that is, is told with -v, and where it is `named` to everybody.

        Raises:
            Unavailable: a given server does not answer; no other one is tried.
            BadConfiguration: the data folder of the embedded server cannot be used.
        """
        from lib.cli import output
        from lib.jobqueue import connect, options_of

        found = self.found
        origin = ""
        if found.redis_url:
            url, origin = found.redis_url, found.origin("REDIS_URL")
        else:
            url = self.embedded_server().ensure()
            (output.note if named else output.detail)(
                f"using the embedded server in {found.jobs_data_dir} (REDIS_URL is not set)"
            )
        with contextlib.closing(connect(url, options_of(found), origin=origin)) as queue:
            yield queue

    @contextlib.contextmanager
    def open_gates(self) -> Iterator[LedgerRoom | None]:
        """The gates of pipelines; None where no pipeline ever ran, or its packages are not installed.

        Looking makes no ledger. One that cannot be opened now is warned of: what else there is to see stays.
        """
        from importlib.util import find_spec

        if find_spec("sqlalchemy") is None:
            yield None
            return
        from lib.cli import output
        from lib.errors import JobRunnerError

        with contextlib.ExitStack() as stack:
            try:
                room = self._gates(stack)
            except JobRunnerError as error:
                output.warn(f"gates are not shown: {error.message}")
                room = None
            yield room

    def _gates(self, stack: contextlib.ExitStack) -> LedgerRoom | None:
        import getpass

        from lib.cli.gate_watch import LedgerRoom
        from lib.pipeline.ledger import PipelineLedger, has_pipelines
        from lib.pipeline.operator_names import checked_operator
        from lib.pipeline.trail_files import TrailFiles
        from lib.sql import DatabaseOptions, open_database

        found = self.found
        options = DatabaseOptions(
            schema=found.db_schema,
            origin=found.origin("DATABASE_URL"),
            pool_min=found.db_pool_min,
            pool_max=found.db_pool_max,
            statement_timeout_ms=found.statement_timeout_ms,
        )
        if not has_pipelines(found.database_url, **options):
            return None
        try:
            operator = checked_operator(getpass.getuser())
        except (OSError, KeyError):
            operator = checked_operator("")
        database = open_database(found.database_url, **options)
        stack.callback(database.close)
        ledger = PipelineLedger(database)
        folder = Path.cwd() if found.sources["JOBS_DATA_DIR"] == "default" else found.jobs_data_dir
        journal = TrailFiles(ledger, folder)

        def tell() -> None:
            with contextlib.suppress(OSError):  # the next change writes it
                journal.catch_up()

        return LedgerRoom(ledger, journal, operator, tell)

    def embedded_server(self) -> EmbeddedServer:
        """The server of the data folder, running or not."""
        from lib.redislink.embedded import EmbeddedServer

        return EmbeddedServer(ensure_data_folder(self.found.jobs_data_dir))

    def watchers_of(self, server: EmbeddedServer) -> list[str]:
        """The names of the watchers that live on the embedded server."""
        from lib.jobqueue import connect, options_of
        from lib.jobs.watchers import seen_watchers

        with contextlib.closing(connect(server.url, options_of(self.found))) as queue:
            seen = seen_watchers(queue.snapshot())
        return [watcher.name for watcher in seen.snapshot.watchers if watcher.live]

    def storage(self) -> Storage:
        """The store that STORAGE_URL names."""
        from lib.storage import open_storage, s3_access_of

        return open_storage(self.found.storage_url, s3_access_of(self.found))

    @property
    def again(self) -> AskingAgain:
        """What asks for jobs again: `up` speaks on this machine alone."""
        from lib.jobs.advice import ELSEWHERE, HERE

        return HERE if self.found.provider == "local" else ELSEWHERE

    def check_runs_here(self) -> None:
        """See that a watcher of ours could run at all, before anything is enqueued for it.

        Raises:
            BadConfiguration: PROVIDER or STORAGE_URL name something that this machine alone cannot serve.
            StorageUnavailable: the bucket of STORAGE_URL cannot be used.
        """
        from lib.errors import BadConfiguration

        found = self.found
        storage = self.storage()
        if found.storage_url.startswith("s3:"):
            storage.examine()
        if found.provider != "local":
            raise BadConfiguration(
                f"PROVIDER is {found.provider!r} ({found.sources['PROVIDER']}), but up runs jobs on "
                "this machine: set PROVIDER=local"
            )

    def start_watcher(self, redis_url: str | None) -> WatcherProcess:
        """A watcher beside this process, on the same queue.

        A URL of the command line travels in the environment, never in argv.
        """
        from lib.watcher_process import WatcherProcess

        data = ensure_data_folder(self.found.jobs_data_dir)
        return WatcherProcess(
            log=data / "up" / "watcher.log",
            environ={"REDIS_URL": redis_url} if redis_url else {},
            drain_s=self.found.watcher_drain_seconds,
        )

    def start_console(self, redis_url: str | None, listen: str | None) -> ConsoleProcess:
        """A console beside this process, over the same queue.

        Raises: as `ConsoleProcess`; MissingExtra, where its packages are not installed.
        """
        import os
        from importlib.util import find_spec

        from job_runner.console_process import ConsoleProcess
        from lib.errors import MissingExtra

        if find_spec("fastapi") is None or find_spec("uvicorn") is None:
            raise MissingExtra("The console", "console")
        data = ensure_data_folder(self.found.jobs_data_dir)
        given = {"REDIS_URL": redis_url} if redis_url else {}
        return ConsoleProcess(
            log=data / "up" / "console.log",
            environ={"LOG_FORMAT": "text", **os.environ, **given},
            listen=listen,
        )
