"""What the routes work with, made once by the wiring."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lib.clock import Clock, SystemClock
from lib.errors import BadConfiguration
from lib.jobs.scripts import ScriptShelf
from lib.redact import Redactor

if TYPE_CHECKING:
    from job_console.audit import AuditLog
    from job_console.notes import NoteBook
    from job_console.voice_samples import VoiceSamples
    from job_console.waveforms import Waveforms
    from lib.jobqueue import JobQueue
    from lib.jobs.plan import Plan
    from lib.jobs.voice_check import VoiceCheck
    from lib.machines.port import Ledger
    from lib.picture_tables.image_tables import ImageTables
    from lib.pipeline.ledger import PipelineLedger
    from lib.pipeline.trail_files import TrailFiles
    from lib.storage import Storage
    from lib.voices import VoiceRegistry


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

    `data` is the data folder, `files` the folder that `runs/` lies in; `config` the operator's file, None:
    conf/operator.yaml, if there. `registry` gives the voices as they are now; `engine` speaks where none
    brings one. `open_rented` gives the ledger of rented machines, None where nothing was ever rented.

    `price` puts on a plan what it would cost; `redactor` knows what no error may tell. `open_images` gives
    the tables of pictures, the same each time; it raises where there are none. `image_owner` is whose a
    picture is where nobody is named.

    Threads: any.
    """

    queue: JobQueue
    ledger: PipelineLedger
    trail_files: TrailFiles
    storage: Storage
    voices: VoiceCheck
    registry: Callable[[], VoiceRegistry]
    engine: str
    open_rented: Callable[[], contextlib.AbstractContextManager[Ledger | None]]
    provider: str
    token: str
    audit: AuditLog
    notes: NoteBook
    waveforms: Waveforms
    samples: VoiceSamples
    files: Path
    data: Path
    config: Path | None = None
    task_timeout_s: float = 120.0
    max_attempts: int = 10
    secure: bool = False
    limits: ConsoleLimits = field(default_factory=ConsoleLimits)
    clock: Clock = field(default_factory=SystemClock)
    redactor: Redactor = field(default_factory=Redactor)
    open_images: Callable[[], ImageTables] = field(default=_no_images)
    image_owner: str | None = None
    price: Callable[[Plan], Plan] = lambda plan: plan

    @property
    def scripts(self) -> ScriptShelf:
        """The files of jobs that were handed in here."""
        return ScriptShelf(self.data / "console" / "scripts")
