"""A recording is hashed again when it changed, and not for each question (V5)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lib.clock import ManualClock
from lib.voices import InvalidVoice, KnownVoices, UnknownVoice, Voice, VoiceRegistry
from lib.voices.voice_store import add_voice
from tests.unit.voices.test_voice_store import clone


class Asked:
    """Counts how often voices are read."""

    def __init__(self, folder: Path, later_s: float) -> None:
        self.read = 0
        self._folder = folder
        self.voices = KnownVoices(self._registry, ManualClock(time.time() + later_s))

    def _registry(self) -> VoiceRegistry:
        return _CountedRegistry([self._folder], self)


class _CountedRegistry(VoiceRegistry):
    def __init__(self, folders: Sequence[Path], asked: Asked) -> None:
        super().__init__(folders)
        self._asked = asked

    def get(self, name: str) -> Voice:
        self._asked.read += 1
        return super().get(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add_voice(tmp_path, clone())
    return tmp_path


def test_what_did_not_change_is_read_once(folder: Path) -> None:
    asked = Asked(folder, later_s=60.0)
    voices = [asked.voices.get("jo") for _ in range(3)]
    assert asked.read == 1
    assert voices[0] is voices[2]


def test_what_was_written_a_moment_ago_is_read_again(folder: Path) -> None:
    """It may be written once more within the same tick of the file system."""
    asked = Asked(folder, later_s=0.0)
    asked.voices.get("jo")
    asked.voices.get("jo")
    assert asked.read == 2


def test_each_change_is_seen(folder: Path) -> None:
    asked = Asked(folder, later_s=60.0)
    voice = asked.voices.get("jo")
    assert voice.reference is not None
    recording = voice.reference.audio.read_bytes()

    voice.reference.audio.write_bytes(recording[:-2] + b"xx")
    with pytest.raises(InvalidVoice, match="has changed"):
        asked.voices.get("jo")
    voice.reference.audio.write_bytes(recording)
    assert asked.voices.get("jo").reference == voice.reference

    voice.reference.audio.unlink()
    with pytest.raises(InvalidVoice, match="is missing"):
        asked.voices.get("jo")
    voice.path.unlink()
    with pytest.raises(UnknownVoice):
        asked.voices.get("jo")
