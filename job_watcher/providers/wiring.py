"""What the wiring of every provider is given, and what those that rent have in common."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from job_watcher.bench_results import Benched
from job_watcher.liveness import Pulse
from job_watcher.readiness import Moment
from job_watcher.work_folder import Slot
from lib.dispatch import DispatchParts
from lib.errors import BadConfiguration
from lib.files import write_whole
from lib.fleet import Caps, Policy
from lib.jobqueue import JobQueue
from lib.providers.rental import RentalProvider
from lib.settings import Settings
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
    benched: Benched = field(default_factory=dict)


#: The schema of the ledger in Postgres: beside pipelines in one database.
LEDGER_SCHEMA = "job_watcher"
_NEAR = frozenset({"", "localhost", "127.0.0.1", "::1"})


def ledger_url(settings: Settings) -> str:
    """Where the ledger of rented machines is: DATABASE_URL's Postgres, else a file in the data folder."""
    if settings.database_url.startswith("postgres"):
        return settings.database_url
    return f"sqlite:///{settings.jobs_data_dir / 'ledger.db'}"


def deployment_of(settings: Settings) -> str:
    """What stands in the labels of our machines and tells them from another queue's on the same account.

    It is made of the queue's name and place, so that a stand-by on another host with the same settings, and a
    sweep without queue and ledger, come to the same. A queue that only this computer can reach is told from
    others' by the computer, and the embedded one by a word in its data folder.

    Raises:
        BadConfiguration: that word cannot be kept.
    """
    place = _place(settings.redis_url) if settings.redis_url else _own_word(settings.jobs_data_dir)
    mark = hashlib.sha256(f"{place} {settings.jobs_prefix}".encode()).hexdigest()[:8]
    name = re.sub(r"[^a-z0-9]+", "-", settings.jobs_prefix.lower()).strip("-")[:24].strip("-")
    return f"{name or 'jobs'}-{mark}"


def _place(url: str) -> str:
    """Where the queue is, without user and password, which may change."""
    address = urlsplit(url)
    try:
        place = f"{address.hostname or ''}:{address.port or 6379}{address.path}"
    except ValueError:
        place = url.rpartition("@")[2]
    return f"{place} of {_this_computer()}" if (address.hostname or "") in _NEAR else place


def _this_computer() -> str:
    try:
        known = Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        known = ""
    return f"{known} {socket.gethostname()}"


def _own_word(data: Path) -> str:
    file = data / "deployment"
    try:
        known = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
        if not re.fullmatch(r"[0-9a-f]{16}", known):
            known = secrets.token_hex(8)
            write_whole(file, known.encode(), sync=True)
    except OSError as error:
        raise BadConfiguration(
            f"{file} cannot be kept: {error.strerror}. Set JOBS_DATA_DIR to a folder this user may write."
        ) from None
    return known
