"""From settings to what the commands of `job-runner` use. The only module of it that reads settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib.settings import Settings, ensure_data_folder, load_settings

if TYPE_CHECKING:
    from job_runner.watcher_process import WatcherProcess
    from lib.jobqueue import JobQueue
    from lib.jobs.checkup import Home
    from lib.jobs.pricing import Terms
    from lib.jobspec import JobSpec
    from lib.redislink.embedded import EmbeddedServer
    from lib.storage import Storage
    from lib.voices import VoiceRegistry


def settings(flags: Mapping[str, str | None] | None = None) -> Settings:
    """All settings, checked. Raises BadConfiguration."""
    return load_settings(flags)


def voices() -> VoiceRegistry:
    """The registry of the voices folder and the shipped voices."""
    from lib.voices import VoiceRegistry

    return VoiceRegistry([settings().voices_dir])


def home(redis_url: str | None) -> Home:
    """What `doctor` looks at."""
    from lib.jobs.checkup import Home

    found = settings({"REDIS_URL": redis_url})
    return Home(
        data_dir=found.jobs_data_dir,
        storage_url=found.storage_url,
        engine=found.voice_engine,
        provider=found.provider,
        embedded=found.redis_url is None,
    )


def terms(found: Settings) -> Terms:
    """The limits under which machines may be rented."""
    from lib.jobs.pricing import Terms

    return Terms(
        machines=found.max_machines,
        price=found.max_dph,
        hour=found.spend_cap_hour,
        day=found.spend_cap_day,
        month=found.spend_cap_month,
        machine=found.spend_cap_machine,
        batch=found.spend_cap_batch,
        idle_hold_s=found.idle_hold_seconds,
    )


def load_checked(path: Path) -> Sequence[JobSpec]:
    """The jobs of a file, each with a voice that exists and a text it can speak.

    Raises:
        InvalidJobFile: with every problem of the file.
    """
    from lib.jobs.plan import RegistryCheck, load_speakable

    return load_speakable(path, RegistryCheck(voices(), settings().voice_engine)).specs


@contextlib.contextmanager
def open_queue(redis_url: str | None) -> Iterator[JobQueue]:
    """The queue at `redis_url`, else REDIS_URL, else of the embedded server, which is started when needed.

    Raises:
        Unavailable: a given server does not answer; no other one is tried.
        BadConfiguration: the data folder of the embedded server cannot be used.
    """
    from lib.cli import output
    from lib.jobqueue import QueueOptions, connect

    found = settings({"REDIS_URL": redis_url})
    options = QueueOptions(
        prefix=found.jobs_prefix,
        lease_ms=found.watcher_lease_idle_ms,
        result_ttl_s=found.jobs_result_ttl,
        history_max=found.jobs_history_max,
        max_depth=found.jobs_max_depth,
    )
    if found.redis_url:
        url = found.redis_url
    else:
        url = embedded_server().ensure()
        output.note(f"using the embedded server in {found.jobs_data_dir} (REDIS_URL is not set)")
    with contextlib.closing(connect(url, options)) as queue:
        yield queue


def embedded_server() -> EmbeddedServer:
    """The server of the data folder, running or not."""
    from lib.redislink.embedded import EmbeddedServer

    return EmbeddedServer(ensure_data_folder(settings().jobs_data_dir))


def watchers_of(server: EmbeddedServer) -> list[str]:
    """The names of the watchers that live on the embedded server."""
    from lib.jobqueue import QueueOptions, connect

    with contextlib.closing(connect(server.url, QueueOptions(prefix=settings().jobs_prefix))) as queue:
        return [watcher.name for watcher in queue.watchers() if watcher.live]


def storage() -> Storage:
    """The store that STORAGE_URL names."""
    from lib.storage import open_storage

    return open_storage(settings().storage_url)


def check_runs_here() -> None:
    """See that a watcher of ours could run at all, before anything is enqueued for it.

    Raises:
        BadConfiguration: PROVIDER or STORAGE_URL name something that this machine alone cannot serve.
    """
    from lib.errors import BadConfiguration

    storage()
    found = settings()
    if found.provider != "local":
        raise BadConfiguration(
            f"PROVIDER is {found.provider!r} ({found.sources['PROVIDER']}), but up runs jobs on "
            "this machine: set PROVIDER=local"
        )


def start_watcher(redis_url: str | None) -> WatcherProcess:
    """A watcher beside this process, on the same queue. The URL travels in the environment, never in argv."""
    from job_runner.watcher_process import WatcherProcess

    found = settings()
    data = ensure_data_folder(found.jobs_data_dir)
    return WatcherProcess(
        log=data / "up" / "watcher.log",
        environ={"REDIS_URL": redis_url} if redis_url else {},
        drain_s=found.watcher_drain_seconds,
    )
