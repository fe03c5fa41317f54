"""From settings to a running watcher. The only module of this program that reads settings."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from job_watcher.watcher import Watcher
from job_watcher.work_folder import Slot, take_slot
from lib.cli import output
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
from lib.storage import (
    Storage,
    StorageMisconfigured,
    StorageUnavailable,
    open_storage,
    s3_access_of,
)
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
def open_watcher(*, redis_url: str | None, slots: int | None) -> Iterator[Watcher]:
    """A watcher over workers of this machine with everything it needs, given back at the end.

    `slots` is how many jobs are leased at once; None: enough that no worker ever waits for us.

    Raises:
        BadConfiguration: a setting or a folder is wrong.
        Unavailable: Redis does not answer.
    """
    settings = _settings({"REDIS_URL": redis_url})
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
        storage = _storage(settings)
        parts = DispatchParts(
            name=_unique_name(),
            provider=settings.provider,
            queue=queue,
            delivery=StorageDelivery(storage, provider=settings.provider, scratch=slot.scratch, clock=clock),
            journal=LeaseJournal(slot.journal),
            clock=clock,
            limits=limits,
            intervals=intervals,
            process=this_process(),
        )
        dispatcher = Dispatcher(parts, renewals=renewals)
        left = _add_workers(dispatcher, slot, settings, clock)
        yield Watcher(dispatcher, left, clock, limits, intervals)


def _settings(flags: Mapping[str, str | None]) -> Settings:
    """All settings, checked; what looks mistyped is told. Raises BadConfiguration."""
    found = load_settings(flags)
    for warning in found.warnings:
        output.warn(warning)
    return found


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


def _storage(settings: Settings) -> Storage:
    """The store, tried where it is far away: whatever a person must mend is told at the start.

    Raises:
        BadConfiguration: STORAGE_URL is wrong, or packages are missing.
        StorageMisconfigured: the store refuses until something is mended.
    """
    storage = open_storage(settings.storage_url, s3_access_of(settings))
    if settings.storage_url.startswith("s3:"):
        try:
            for lack in storage.examine().lacks:
                output.warn(f"the store {settings.storage_url.partition('?')[0]}: {lack}")
        except StorageMisconfigured:
            raise
        except StorageUnavailable as error:  # that passes; finished work waits for it
            output.warn(error.message)
    return storage


def _queue(settings: Settings) -> contextlib.closing[JobQueue]:
    url = settings.redis_url or EmbeddedServer(settings.jobs_data_dir).ensure()
    origin = settings.origin("REDIS_URL") if settings.redis_url else ""
    return contextlib.closing(connect(url, options_of(settings), origin=origin))


def _unique_name() -> str:
    """Unique per process start: a name that comes back would inherit its predecessor's entries."""
    return f"{_host_name()}-{os.getpid()}-{secrets.token_hex(4)}"


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "host"
