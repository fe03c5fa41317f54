"""What a watcher is made of, and how much it takes on."""

from __future__ import annotations

from dataclasses import dataclass

from job_watcher.delivery import Delivery
from job_watcher.holdings import Holdings
from job_watcher.journal import LeaseJournal
from lib.clock import Clock
from lib.jobqueue import JobQueue
from lib.providers import ResidentWorker
from lib.spool import SpoolClient
from lib.storage import Storage


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a watcher takes on, and how long it watches something go wrong."""

    slots: int = 4  # jobs leased at once: one spoken, the others ready so that the engine never idles
    lease_ms: int = 180_000
    drain_s: float = 600.0
    silence_s: float = 120.0  # a worker whose heartbeat stands still for longer has stopped
    deaths: int = 5  # of the worker in a row, without a result between, before the watcher gives up


@dataclass(slots=True)
class Parts:
    """Wired in `wiring.py`, or by a test."""

    queue: JobQueue
    spool: SpoolClient
    worker: ResidentWorker
    storage: Storage
    delivery: Delivery
    journal: LeaseJournal
    holdings: Holdings
    clock: Clock
