"""How workers on machines over SSH are started, from the settings."""

from __future__ import annotations

import hashlib
from enum import Enum, auto
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from job_watcher.providers.over_ssh.bootstrap import Bootstrap
from job_watcher.providers.over_ssh.remote import worker_folder
from job_watcher.providers.pictures.wiring import pictures_on_machines
from lib.bundle import BundleMaker, joined_requirements, requirements_text
from lib.clock import Clock
from lib.errors import BadConfiguration, MissingExtra
from lib.settings import Settings
from lib.spool.layout import VOICES
from lib.voices import USUAL_IMAGE, EngineFacts, VoiceKind, comes_with_the_program, engine_facts, hub_ids
from lib.workers.ssh import SshWorkerSetup

_GB: Final = 1_000_000_000
_MOST_BROUGHT_GB: Final = 1.0  # of packages; more takes longer from here than from an index near the machine


class MachinesAre(Enum):
    """What machines have before anything of ours comes to them."""

    OWN = auto()  # what their owner put there
    RENTED = auto()  # what their image holds
    HERE = auto()  # in a rehearsal: what this computer has


def see_that_machines_can_have(settings: Settings, machines: MachinesAre = MachinesAre.OWN) -> None:
    """Pass an engine that machines can speak with. Said before any machine is looked for.

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
    if machines is MachinesAre.HERE:
        _see_packages_here(facts)
    if machines is MachinesAre.RENTED and settings.ssh_voice_synth and _is_bare(settings, facts):
        raise BadConfiguration(
            f"{settings.origin('SSH_VOICE_SYNTH')} is {settings.ssh_voice_synth}, and the image "
            f"{facts.image} has Python and nothing else: set VAST_IMAGE to an image that holds it, or unset "
            "SSH_VOICE_SYNTH to have the programs brought"
        )
    if facts.weights_setting:
        _see_weights(settings, facts, machines)


def _is_bare(settings: Settings, facts: EngineFacts) -> bool:
    return settings.vast_image is None and facts.image == USUAL_IMAGE


def _see_packages_here(facts: EngineFacts) -> None:
    """Raises MissingExtra where a machine that has what this computer has could not load the engine."""
    try:
        if facts.package:
            version(facts.package)
    except PackageNotFoundError:
        who = f"A rehearsal with {facts.name}, whose machines have what this computer has,"
        if facts.extra:
            raise MissingExtra(who, facts.extra) from None
        raise BadConfiguration(f"{who} needs {facts.requirement()}, which is not installed") from None


def _see_weights(settings: Settings, facts: EngineFacts, machines: MachinesAre) -> None:
    """Raises BadConfiguration where no machine could find the engine's weights."""
    setting = facts.weights_setting
    written = engine_environ(settings, facts).get(setting)
    if settings.ssh_voice_synth and written is None and machines is not MachinesAre.HERE:
        return  # its own environment may say it
    if written is None:
        raise BadConfiguration(
            f"VOICE_ENGINE is {facts.name}, and {setting} is not set: name the folder of its weights on the "
            "machines, or hub ids with a commit, which machines download"
        )
    if ids := hub_ids(written, facts.model_names, setting):
        speaking, designing = (
            {facts.model_of(profile, kind) for profile in facts.models}
            for kind in (VoiceKind.BUILT_IN, VoiceKind.DESIGNED)
        )
        if not (speaking | designing) & ids.keys():
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
    if machines is MachinesAre.HERE:
        if not (written.startswith("/") and Path(written).is_dir()):
            raise BadConfiguration(
                f"{settings.origin(setting)} is {written}, and a rehearsal's machines find no such folder: "
                "write the absolute path of one on this computer, or hub ids with a commit"
            )
        return
    if machines is MachinesAre.RENTED and settings.vast_image is None and not settings.ssh_voice_synth:
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


def _share_of_cores(settings: Settings, workers: int | None) -> dict[str, str]:
    """How many texts each of several workers of hibari speaks at once: they share what was set, or the cores.

    How many cores a machine has is not known here; alone on it, a worker takes what it finds.
    """
    if workers == 1 or "HIBARI_BATCH" not in engine_facts(settings.voice_engine).settings:
        return {}
    is_set = settings.sources.get("HIBARI_BATCH", "default") != "default"
    share = settings.hibari_batch // workers if is_set and workers is not None else 1
    return {"HIBARI_BATCH": str(max(share, 1))}


def _drawing_environ(settings: Settings) -> dict[str, str]:
    """What a worker on a machine is told of drawing: the settings that were set, none of them secret."""
    if not pictures_on_machines(settings).least_vram_gb:
        return {}
    told = {"FLUX_MODEL": settings.flux_model, "FLUX_DEVICE": settings.flux_device}
    return {
        name: str(value)
        for name, value in told.items()
        if value is not None and settings.sources.get(name, "default") != "default"
    }


def bootstrap(settings: Settings) -> Bootstrap:
    """What brings our programs to machines, and has them fetch what is too large to be brought.

    Raises:
        BadConfiguration: the list of packages is not where job-runner is installed.
    """
    facts = engine_facts(settings.voice_engine)
    fetched = int(facts.packages_gb * _GB) if facts.packages_gb > _MOST_BROUGHT_GB else 0
    draws, hears = "images" in pictures_on_machines(settings).extras, settings.verify == "always"
    sets = [facts.requirements, *(["drawing"] if draws else []), *(["verify"] if hears else [])]
    requirements = joined_requirements(requirements_text(name) for name in sets)
    return Bootstrap(BundleMaker(settings.jobs_data_dir / "bundles", requirements, fetched_bytes=fetched))


def worker_setup(
    settings: Settings, clock: Clock, home: str, number: int, program: str, workers: int | None = 1
) -> SshWorkerSetup:
    """How one of so many workers on a machine is started, and where: below `home`, which is absolute.

    `workers` None: one for each of its cores, or its GPUs.
    """
    folder = worker_folder(home, queue_mark(settings), number)
    return SshWorkerSetup(
        command=(program,),
        folder=folder,
        engine=settings.voice_engine,
        voices_dir=f"{folder}/spool/{VOICES}",
        clock=clock,
        pauses=settings.voice_pauses,
        environ={
            **engine_environ(settings, engine_facts(settings.voice_engine)),
            **_share_of_cores(settings, workers),
            **_drawing_environ(settings),
            **({} if settings.verify == "auto" else {"VERIFY": settings.verify}),
        },
    )


def queue_mark(settings: Settings) -> str:
    """What tells our workers on a machine from another queue's. The same on every computer."""
    return hashlib.sha256(settings.jobs_prefix.encode()).hexdigest()[:8]
