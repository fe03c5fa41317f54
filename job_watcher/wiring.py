"""From settings to a running watcher. The only module of this program that reads settings."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from job_watcher.delivery import Delivery
from job_watcher.holdings import Holdings
from job_watcher.journal import LeaseJournal
from job_watcher.parts import Limits, Parts
from job_watcher.renewal import Renewal
from job_watcher.slot import take_slot
from job_watcher.watcher import Watcher
from lib.clock import SystemClock
from lib.errors import BadConfiguration
from lib.fleet import Caps, Policy
from lib.jobqueue import JobQueue, QueueOptions, connect
from lib.jobqueue.embedded import EmbeddedServer
from lib.providers import LocalWorker
from lib.settings import Settings, ensure_data_folder, load_settings
from lib.spool import LocalFiles, SpoolClient
from lib.storage import open_storage
from lib.voices import VoiceRegistry

_WORKER_GRACE = 30.0  # seconds for the job at hand when this process is gone; a longer one is spoken again


@dataclass(frozen=True, slots=True)
class Installation:
    """What the settings say about renting and speaking, for rehearsals: nothing is opened for it."""

    policy: Policy
    caps: Caps
    voices: VoiceRegistry
    engine: str


def installation() -> Installation:
    """The limits that a renting watcher with these settings would keep. Raises BadConfiguration."""
    settings = load_settings()
    hold = settings.idle_hold_seconds
    return Installation(
        Policy(
            max_machines=settings.max_machines,
            idle_hold_s=None if hold is None else float(hold),
        ),
        Caps.in_dollars(
            hour=settings.spend_cap_hour,
            day=settings.spend_cap_day,
            month=settings.spend_cap_month,
            machine=settings.spend_cap_machine,
            batch=settings.spend_cap_batch,
            hourly_price=settings.max_dph,
            credit_floor=settings.credit_floor,
        ),
        VoiceRegistry([settings.voices_dir]),
        settings.voice_engine,
    )


@contextlib.contextmanager
def open_watcher(*, redis_url: str | None, slots: int) -> Iterator[Watcher]:
    """A watcher with everything it needs, given back at the end.

    Raises:
        BadConfiguration: a setting or a folder is wrong.
        Unavailable: Redis does not answer.
    """
    settings = load_settings({"REDIS_URL": redis_url})
    if settings.provider != "local":
        raise BadConfiguration(
            f"PROVIDER is {settings.provider!r} ({settings.sources['PROVIDER']}); this version runs jobs "
            "on this machine only: set PROVIDER=local"
        )
    data = ensure_data_folder(settings.jobs_data_dir)
    limits = Limits(slots, settings.watcher_lease_idle_ms, float(settings.watcher_drain_seconds))
    with contextlib.ExitStack() as stack:
        slot = take_slot(data)
        stack.callback(slot.release)
        queue = stack.enter_context(_queue(settings))
        renewals = stack.enter_context(_queue(settings))
        holdings, clock = Holdings(), SystemClock()
        storage = open_storage(settings.storage_url)
        spool = SpoolClient(LocalFiles(slot.spool))
        delivery = Delivery(queue, spool, storage, scratch=slot.folder / "scratch", clock=clock)
        worker = LocalWorker.of_spool(
            slot.spool,
            voices_dir=settings.voices_dir,
            engine=settings.voice_engine,
            log=slot.worker_log,
            clock=clock,
            grace=_WORKER_GRACE,
        )
        parts = Parts(queue, spool, worker, storage, delivery, LeaseJournal(slot.journal), holdings, clock)
        renewal = Renewal(renewals, holdings, lease_ms=limits.lease_ms)
        renewal.start()
        stack.callback(renewal.stop)
        yield Watcher(parts, name=_unique_name(), provider=settings.provider, limits=limits)


def _queue(settings: Settings) -> contextlib.closing[JobQueue]:
    url = settings.redis_url or EmbeddedServer(settings.jobs_data_dir).ensure()
    options = QueueOptions(
        prefix=settings.jobs_prefix,
        lease_ms=settings.watcher_lease_idle_ms,
        result_ttl_s=settings.jobs_result_ttl,
        history_max=settings.jobs_history_max,
        max_depth=settings.jobs_max_depth,
    )
    return contextlib.closing(connect(url, options))


def _unique_name() -> str:
    """Unique per process start: a name that comes back would inherit its predecessor's entries."""
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "host"
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
