"""From settings to a running watcher. The only module of this program that reads settings."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from job_watcher.logs import redactor
from job_watcher.moment import Moment
from job_watcher.pulse import Pulse
from job_watcher.service_manager import service_manager_of
from job_watcher.telling import TellingOptions, open_telling
from job_watcher.watcher import Watcher
from job_watcher.work_folder import Slot, take_slot
from lib.cli import output
from lib.cli.program import installed_version
from lib.clock import Clock, SystemClock
from lib.dispatch import (
    Dispatcher,
    DispatchIntervals,
    DispatchLimits,
    DispatchParts,
    LeaseJournal,
    LeftSpools,
    StorageDelivery,
)
from lib.errors import BadConfiguration
from lib.fleet import Caps, Policy, caps_of, policy_of
from lib.jobqueue import JobQueue, connect, options_of
from lib.processes import this_process
from lib.redislink.embedded import EmbeddedServer
from lib.settings import Settings, ensure_data_folder, load_settings
from lib.storage import open_storage
from lib.voices import VoiceRegistry
from lib.workers import SpoolRoom, WorkerSetup

_AHEAD = 4  # jobs a worker holds: one spoken, the others ready so that the engine never idles
_WORKER_GRACE_S = 30.0  # for the job at hand when this process is gone; a longer one is spoken again


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings about renting and speaking, for simulations: nothing is opened for it."""

    policy: Policy
    caps: Caps
    voices: VoiceRegistry
    engine: str


def installation() -> Installation:
    """The limits that a renting watcher with these settings would keep. Raises BadConfiguration."""
    settings = _settings({})
    return Installation(
        policy_of(settings),
        caps_of(settings),
        VoiceRegistry([settings.voices_dir]),
        settings.voice_engine,
    )


@contextlib.contextmanager
def open_watcher(
    *, redis_url: str | None, slots: int | None, log: Callable[[str], None]
) -> Iterator[Watcher]:
    """A watcher over workers of this machine with everything it needs, given back at the end.

    `log` starts the log in the form that the settings ask for. `slots` is how many jobs are leased at once;
    None: enough that no worker ever waits for us.

    Raises:
        BadConfiguration: a setting or a folder is wrong.
        Unavailable: Redis does not answer.
    """
    settings = _settings({"REDIS_URL": redis_url})
    log(settings.log_format)
    if settings.provider != "local":
        raise BadConfiguration(
            f"PROVIDER is {settings.provider!r} ({settings.sources['PROVIDER']}); this version runs jobs "
            "on this machine only: set PROVIDER=local"
        )
    data = ensure_data_folder(settings.jobs_data_dir)
    limits = DispatchLimits(
        settings.watcher_lease_idle_ms, float(settings.watcher_drain_seconds), slots=slots
    )
    with contextlib.ExitStack() as stack:
        slot = take_slot(data)
        stack.callback(slot.release)
        queue = stack.enter_context(_queue(settings))
        renewals = stack.enter_context(_queue(settings))
        clock, intervals = SystemClock(), DispatchIntervals()
        storage = open_storage(settings.storage_url)
        name, pulse = _unique_name(), Pulse(clock, service_manager_of(os.environ))
        moment = Moment(pulse, clock, lambda: _queue(settings), storage)
        events = stack.enter_context(open_telling(_telling(settings, data, name), moment, clock))
        parts = DispatchParts(
            name=name,
            provider=settings.provider,
            queue=queue,
            delivery=StorageDelivery(storage, provider=settings.provider, scratch=slot.scratch, clock=clock),
            journal=LeaseJournal(slot.journal),
            clock=clock,
            limits=limits,
            intervals=intervals,
            events=events,
            process=this_process(),
        )
        dispatcher = Dispatcher(parts, renewals=renewals)
        moment.held = lambda: dispatcher.held
        left = _add_workers(dispatcher, slot, settings, clock)
        yield Watcher(dispatcher, left, clock, limits, intervals, events=events, pulse=pulse)


def _settings(flags: Mapping[str, str | None]) -> Settings:
    """All settings, checked; what looks mistyped is told. Raises BadConfiguration."""
    found = load_settings(flags)
    redactor.more(found.secrets())
    for warning in found.warnings:
        output.warn(warning)
    return found


def _telling(settings: Settings, data: Path, name: str) -> TellingOptions:
    """Who hears of what happens here, by the settings."""
    url, secret = settings.webhook_url, settings.webhook_secret
    return TellingOptions(
        listen=settings.watcher_listen,
        webhook_url=url.reveal() if url else None,
        webhook_secret=secret.reveal() if secret else None,
        outbox=data / "webhooks",
        deployment=settings.jobs_prefix,
        watcher=name,
        facts={"watcher": name, "provider": settings.provider, "version": installed_version()},
    )


def _add_workers(dispatcher: Dispatcher, slot: Slot, settings: Settings, clock: Clock) -> LeftSpools:
    """A host for each local worker; spools of workers that there are no more are emptied."""
    count = settings.local_workers
    room = SpoolRoom(slot.folder, name=slot.identity(), machine=_host_name())
    setup = WorkerSetup(
        settings.voices_dir, settings.voice_engine, _WORKER_GRACE_S, clock, settings.voice_pauses
    )
    for host in room.hosts(range(1, count + 1), setup):
        dispatcher.add(host, lambda: _AHEAD)
    return LeftSpools(dispatcher, room.left(beyond=count))


def _queue(settings: Settings) -> contextlib.closing[JobQueue]:
    url = settings.redis_url or EmbeddedServer(settings.jobs_data_dir).ensure()
    origin = settings.origin("REDIS_URL") if settings.redis_url else ""
    return contextlib.closing(connect(url, options_of(settings), origin=origin))


def _unique_name() -> str:
    """Unique per process start: a name that comes back would inherit its predecessor's entries."""
    return f"{_host_name()}-{os.getpid()}-{secrets.token_hex(4)}"


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "host"
