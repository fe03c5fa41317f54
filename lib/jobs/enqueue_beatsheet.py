"""A beatsheet of which every beat can be spoken here."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from lib.jobs.voice_check import VoiceCheck, load_examined
from lib.jobspec import JobFile
from lib.jobspec.files.beatsheet import load_beatsheet


def load_speakable_beatsheet(
    path: Path, voices: VoiceCheck, *, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """The jobs of a beatsheet, each with a voice that exists and a text it can speak.

    Raises:
        InvalidJobFile: the file is wrong or a beat cannot be spoken; `.problems` lists both kinds.
        BadInput: `voice` or `speaker` is no name, or both are given.
    """
    return load_examined(partial(load_beatsheet, voice=voice, speaker=speaker), path, voices)
