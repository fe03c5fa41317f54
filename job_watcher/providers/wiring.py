"""What the wiring of every provider is given, and what those that rent have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from job_watcher.bench_results import NO_BENCH, BenchResults
from job_watcher.liveness import Pulse
from job_watcher.providers.deployment import deployment_name
from job_watcher.readiness import Moment
from job_watcher.work_folder import Slot
from lib.dispatch import DispatchParts
from lib.fleet import Caps, Policy
from lib.jobqueue import JobQueue
from lib.machines.place import LEDGER_SCHEMA, ledger_address
from lib.providers.rental import RentalProvider
from lib.settings import Settings
from lib.sql import DatabaseOptions
from lib.storage import Incoming


@dataclass(frozen=True, slots=True)
class Given:
    """The parts that all providers share. What a provider opens it puts on `stack`, to be closed at the end.

    `parts` are for a dispatcher of this process; `renewals` is a second connection to the same queue.
    """

    settings: Settings
    url: str  # of the queue's server
    slot: Slot
    host_name: str
    parts: DispatchParts
    renewals: JobQueue
    stack: contextlib.ExitStack
    pulse: Pulse  # told at each turn of the loop
    moment: Moment  # told where to ask for what is at hand
    incoming: Incoming | None = None  # where machines put what they finished before they end themselves


class Runs(Protocol):
    """A watcher, whoever runs the machines.

    Threads: one; `drain` any.
    Raises: Unavailable, BadConfiguration and TryAgain, where it cannot work.
    """

    def run(self) -> None:
        """Work until drained."""
        ...

    def run_once(self) -> int:
        """Work until nothing waits and nothing is held; returns how many jobs were settled."""
        ...

    def drain(self) -> None:
        """Claim nothing more and end when the work at hand is done; the second call hands it over now."""
        ...


#: What a provider's wiring does: opens its watcher over what all providers share.
OpenRuns = Callable[[Given], Runs]


@dataclass(frozen=True, slots=True)
class RentalDesk:
    """A company, for commands that look at it without a watcher. `owner` stands in our labels."""

    provider: RentalProvider
    owner: str
    policy: Policy
    caps: Caps
    engine: str
    benches: Callable[[], BenchResults] = NO_BENCH


def ledger_url(settings: Settings) -> str:
    """Where the ledger of rented machines is: DATABASE_URL's Postgres, else a file in the data folder."""
    return ledger_address(settings.database_url, settings.jobs_data_dir)


def ledger_options(settings: Settings) -> DatabaseOptions:
    """What the ledger's functions take beside the address: its schema, bounds, and where it was set."""
    shared = settings.database_url.startswith("postgres")
    return DatabaseOptions(
        schema=LEDGER_SCHEMA,
        origin=settings.origin("DATABASE_URL") if shared else "",
        pool_min=settings.db_pool_min,
        pool_max=settings.db_pool_max,
        statement_timeout_ms=settings.statement_timeout_ms,
    )


def deployment_of(settings: Settings) -> str:
    """The name in the labels of our machines. Raises as `deployment_name`."""
    return deployment_name(settings.redis_url or "", settings.jobs_prefix, settings.jobs_data_dir)
