"""How workers on machines over SSH are started, from the settings."""

from __future__ import annotations

import hashlib

from job_watcher.providers.over_ssh.remote import worker_folder
from job_watcher.providers.wiring import Given
from lib.errors import BadConfiguration
from lib.settings import Settings
from lib.spool.layout import VOICES
from lib.voices import comes_with_the_program, engine_facts
from lib.workers.ssh import SshWorkerSetup


def see_that_machines_can_have(settings: Settings) -> None:
    """Pass an engine whose packages machines get from us, or have. Said before any machine is looked for.

    Raises:
        BadConfiguration: neither is so, and each machine would fail its check, rented and paid for.
    """
    name = settings.voice_engine
    if settings.ssh_voice_synth or (comes_with_the_program(name) and not engine_facts(name).extra):
        return
    raise BadConfiguration(
        f"VOICE_ENGINE is {name}, whose packages are not brought to machines: set SSH_VOICE_SYNTH to where "
        "voice-synth is on them, in an environment that has it and its settings, or VOICE_ENGINE to hibari"
    )


def worker_setup(given: Given, home: str, number: int, program: str) -> SshWorkerSetup:
    """How a worker on a machine is started, and where: below `home`, which is absolute."""
    settings = given.settings
    folder = worker_folder(home, queue_mark(settings), number)
    return SshWorkerSetup(
        command=(program,),
        folder=folder,
        engine=settings.voice_engine,
        voices_dir=f"{folder}/spool/{VOICES}",
        clock=given.parts.clock,
        pauses=settings.voice_pauses,
    )


def queue_mark(settings: Settings) -> str:
    """What tells our workers on a machine from another queue's. The same on every computer."""
    return hashlib.sha256(settings.jobs_prefix.encode()).hexdigest()[:8]
