"""Settings to objects: the one module of this program that reads the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.settings import load_settings
from lib.voices import VoiceRegistry


@dataclass(frozen=True, slots=True)
class Voices:
    """Where voices come from, and the engine of jobs that name a speaker."""

    registry: Callable[[], VoiceRegistry]  # a new one each time, which sees changed files
    engine: str


def voices(voices_dir: Path | None, engine: str | None) -> Voices:
    """Flags first, then the settings VOICES_DIR and VOICE_ENGINE.

    Raises:
        lib.errors.BadConfiguration: a setting is wrong.
    """
    flags = {"VOICES_DIR": None if voices_dir is None else str(voices_dir), "VOICE_ENGINE": engine}
    settings = load_settings(flags)
    return Voices(lambda: VoiceRegistry([settings.voices_dir]), settings.voice_engine)
