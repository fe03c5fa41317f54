"""How workers on machines over SSH are started, from the settings."""

from __future__ import annotations

import hashlib

from job_watcher.providers.over_ssh.remote import worker_folder
from job_watcher.providers.wiring import Given
from lib.settings import Settings
from lib.workers.ssh import SshWorkerSetup


def worker_setup(given: Given, home: str, number: int, program: str) -> SshWorkerSetup:
    """How a worker on a machine is started, and where: below `home`, which is absolute."""
    settings = given.settings
    folder = worker_folder(home, queue_mark(settings), number)
    return SshWorkerSetup(
        command=(program,),
        folder=folder,
        engine=settings.voice_engine,
        voices_dir=f"{folder}/voices",
        clock=given.parts.clock,
        pauses=settings.voice_pauses,
    )


def queue_mark(settings: Settings) -> str:
    """What tells our workers on a machine from another queue's. The same on every computer."""
    return hashlib.sha256(settings.jobs_prefix.encode()).hexdigest()[:8]
