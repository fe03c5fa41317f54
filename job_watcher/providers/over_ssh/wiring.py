"""How workers on machines over SSH are started, from the settings."""

from __future__ import annotations

import hashlib
from typing import Final

from job_watcher.providers.over_ssh.bootstrap import Bootstrap
from job_watcher.providers.over_ssh.remote import worker_folder
from lib.bundle import BundleMaker, requirements_text
from lib.clock import Clock
from lib.errors import BadConfiguration
from lib.settings import Settings
from lib.spool.layout import VOICES
from lib.voices import EngineFacts, comes_with_the_program, engine_facts, hub_ids
from lib.workers.ssh import SshWorkerSetup

_GB: Final = 1_000_000_000
_MOST_BROUGHT_GB: Final = 1.0  # of packages; more takes longer from here than from an index near the machine


def see_that_machines_can_have(settings: Settings, *, rented: bool = False) -> None:
    """Pass an engine that machines can speak with. Said before any machine is looked for.

    On `rented` ones is nothing but what their image holds.

    Raises:
        BadConfiguration: each machine would fail its check, rented and paid for: its packages are not ours to
            bring, or its weights are nowhere, or where machines cannot find them.
    """
    name = settings.voice_engine
    if not settings.ssh_voice_synth and not comes_with_the_program(name):
        raise BadConfiguration(
            f"VOICE_ENGINE is {name}, whose packages are not brought to machines: set SSH_VOICE_SYNTH to "
            "where voice-synth is on them, in an environment that has it, or VOICE_ENGINE to hibari, "
            "espeak or qwen3"
        )
    facts = engine_facts(name)
    if facts.weights_setting:
        _see_weights(settings, facts, has_files=bool(settings.vast_image) or not rented)


def _see_weights(settings: Settings, facts: EngineFacts, *, has_files: bool) -> None:
    """Raises BadConfiguration where no machine could find the engine's weights."""
    setting = facts.weights_setting
    written = engine_environ(settings, facts).get(setting)
    if settings.ssh_voice_synth and written is None:
        return  # its own environment may say it
    if written is None:
        raise BadConfiguration(
            f"VOICE_ENGINE is {facts.name}, and {setting} is not set: name the folder of its weights on the "
            "machines, or hub ids with a commit, which machines download"
        )
    if ids := hub_ids(written, facts.model_names, setting):
        speaking = {facts.model_of(profile, cloned=False) for profile in facts.models}
        if not speaking & ids.keys():
            raise BadConfiguration(
                f"{settings.origin(setting)} names only checkpoints that clone, and a machine has to say a "
                f"sentence before it gets jobs and voices: add Qwen/{min(speaking)}@COMMIT to it"
            )
        return
    if not written.startswith(("/", "~/")):
        raise BadConfiguration(
            f"{settings.origin(setting)} is {written}, which machines cannot find: write the absolute path "
            f"of a folder on them, or hub ids like Qwen/{min(facts.model_names)}@COMMIT"
        )
    if not has_files and not settings.ssh_voice_synth:
        raise BadConfiguration(
            f"{settings.origin(setting)} is the folder {written}, and the image {facts.image} has none: set "
            "VAST_IMAGE to an image that holds it, or write hub ids with a commit, which machines download"
        )


def engine_environ(settings: Settings, facts: EngineFacts) -> dict[str, str]:
    """What a worker on a machine is told beside: the engine's settings that were set, and nothing else."""
    return {
        name: str(getattr(settings, name.lower()))
        for name in facts.settings
        if settings.sources.get(name, "default") != "default"
    }


def bootstrap(settings: Settings) -> Bootstrap:
    """What brings our programs to machines, and has them fetch what is too large to be brought.

    Raises:
        BadConfiguration: the list of packages is not where job-runner is installed.
    """
    facts = engine_facts(settings.voice_engine)
    fetched = int(facts.packages_gb * _GB) if facts.packages_gb > _MOST_BROUGHT_GB else 0
    requirements = requirements_text(facts.requirements)
    return Bootstrap(BundleMaker(settings.jobs_data_dir / "bundles", requirements, fetched_bytes=fetched))


def worker_setup(settings: Settings, clock: Clock, home: str, number: int, program: str) -> SshWorkerSetup:
    """How a worker on a machine is started, and where: below `home`, which is absolute."""
    folder = worker_folder(home, queue_mark(settings), number)
    return SshWorkerSetup(
        command=(program,),
        folder=folder,
        engine=settings.voice_engine,
        voices_dir=f"{folder}/spool/{VOICES}",
        clock=clock,
        pauses=settings.voice_pauses,
        environ=engine_environ(settings, engine_facts(settings.voice_engine)),
    )


def queue_mark(settings: Settings) -> str:
    """What tells our workers on a machine from another queue's. The same on every computer."""
    return hashlib.sha256(settings.jobs_prefix.encode()).hexdigest()[:8]
