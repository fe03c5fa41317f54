"""Settings to objects: the one module of this program that reads the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib.cli.command_settings import command_settings
from lib.picture_backends.names import PictureSettings
from lib.settings import Settings
from lib.voices import VoiceRegistry
from lib.voices.usual_silences import Pauses

if TYPE_CHECKING:
    from synth.verify import Verifier


@dataclass(frozen=True, slots=True)
class Voices:
    """Where voices come from, and the engine of jobs that name a speaker."""

    registry: Callable[[], VoiceRegistry]  # a new one each time, which sees changed files
    folder: Path  # the first of them, where one's own are added
    engine: str
    pauses: Pauses
    engine_settings: Mapping[str, str]  # of engines that have settings of their own
    backends: PictureSettings  # of who draws, for a worker that does both
    verifier: Callable[[], Verifier | None]  # what hears takes; loads nothing yet, raises as `verifier` below


def voices(
    voices_dir: Path | None, engine: str | None, pauses: str | None = None, most_batch: int | None = None
) -> Voices:
    """Flags first, then the settings VOICES_DIR, VOICE_ENGINE, VOICE_PAUSES and those of engines.

    `most_batch` is how many texts an engine is to speak at once at most, where that can be set.

    Raises:
        lib.errors.BadConfiguration: a setting is wrong.
    """
    folder = None if voices_dir is None else str(voices_dir)
    flags = {"VOICES_DIR": folder, "VOICE_ENGINE": engine, "VOICE_PAUSES": pauses}
    most = None if most_batch is None else str(most_batch)
    settings = command_settings({**flags, "QWEN_BATCH": most, "HIBARI_BATCH": most})
    return Voices(
        lambda: VoiceRegistry([settings.voices_dir]),
        settings.voices_dir,
        settings.voice_engine,
        Pauses.read(settings.voice_pauses),
        {
            "QWEN_MODEL": settings.qwen_model or "",
            "QWEN_DEVICE": settings.qwen_device,
            "QWEN_BATCH": str(settings.qwen_batch),
            "HIBARI_BATCH": str(settings.hibari_batch),
            "MODELS_DIR": str(settings.jobs_data_dir / "models"),
        },
        pictures_of(settings).backends,
        lambda: _verifier_of(settings),
    )


@dataclass(frozen=True, slots=True)
class Pictures:
    """Who draws, and what backends are told."""

    backend: str
    backends: PictureSettings
    data: Path  # the folder that usage is recorded in


def verifier() -> Verifier | None:
    """What hears takes, as VERIFY and VERIFY_MODEL say; None where nothing does. Loads nothing yet.

    Raises:
        lib.errors.MissingExtra: VERIFY is always, and the recogniser is not installed.
        lib.errors.BadConfiguration: a setting is wrong, or VERIFY_MODEL holds no model.
    """
    return _verifier_of(command_settings())


def _verifier_of(settings: Settings) -> Verifier | None:
    if settings.verify == "never":
        return None
    from synth.verify.installed import installed_verifier  # the audio packages take longer than a wrong job

    return installed_verifier(settings.verify_model, always=settings.verify == "always")


def pictures(backend: str | None = None) -> Pictures:
    """Flags first, then the settings IMAGEN_BACKEND and those of backends.

    Raises:
        lib.errors.BadConfiguration: a setting is wrong.
    """
    return pictures_of(command_settings({"IMAGEN_BACKEND": backend}))


def pictures_of(settings: Settings) -> Pictures:
    """As `pictures`, of settings that were read already."""
    token, model = settings.replicate_api_token, settings.flux_model
    backends = PictureSettings(
        backends_file=settings.imagen_backends_file,
        card_fonts=settings.card_fonts,
        flux_model="" if model is None else str(model),
        flux_device=settings.flux_device,
        replicate_url=settings.replicate_url,
        replicate_token="" if token is None else token.reveal(),
    )
    return Pictures(settings.imagen_backend, backends, settings.jobs_data_dir)
