"""What the routes work with, made once by the wiring."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration
from lib.redact import Redactor

if TYPE_CHECKING:
    from job_console.audit import AuditLog
    from lib.images.image_tables import ImageTables
    from lib.jobqueue import JobQueue
    from lib.jobs.voice_check import VoiceCheck
    from lib.machines.port import Ledger
    from lib.pipeline.journal import TrailFiles
    from lib.pipeline.ledger import PipelineLedger
    from lib.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLimits:
    """What one client may take. Rates are of one address; a burst is twice the rate of a second.

    `reads` and `changes` are requests a second, `wrong_tokens` tries a minute. `body_bytes` bounds what a
    request says and `body_s` how long it takes to say it; `write_s` is how long a client may take nothing of
    an answer. `streams` are open at once, `streams_each` of one address.
    """

    reads: float = 1000.0
    changes: float = 100.0
    wrong_tokens: float = 10.0
    body_bytes: int = 8 << 20
    body_s: float = 30.0
    head_s: float = 10.0
    write_s: float = 30.0
    streams: int = 500
    streams_each: int = 250
    connections: int = 1000


def _no_images() -> ImageTables:
    raise BadConfiguration(
        "no pictures are asked for here: they are kept in Postgres; set IMAGEN_WORKER_DATABASE_URL, and make "
        "their tables with: image-synth init-db"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """The rooms behind the routes. `token` is what a caller must know; `secure` says that TLS is spoken.

    `files` is the folder that `runs/` lies in; `config` the operator's file, None: conf/operator.yaml, if
    there. `open_rented` gives the ledger of rented machines, None where nothing was ever rented.

    `redactor` knows what no error may tell. `open_images` gives the tables of pictures, the same each time;
    it raises where there are none. `image_owner` is whose a picture is where nobody is named.

    Threads: any.
    """

    queue: JobQueue
    ledger: PipelineLedger
    journal: TrailFiles
    storage: Storage
    voices: VoiceCheck
    open_rented: Callable[[], contextlib.AbstractContextManager[Ledger | None]]
    provider: str
    token: str
    audit: AuditLog
    files: Path
    config: Path | None = None
    task_timeout_s: float = 120.0
    max_attempts: int = 10
    secure: bool = False
    limits: ConsoleLimits = field(default_factory=ConsoleLimits)
    clock: Clock = field(default_factory=SystemClock)
    redactor: Redactor = field(default_factory=Redactor)
    open_images: Callable[[], ImageTables] = field(default=_no_images)
    image_owner: str | None = None
