"""Who speaks: voices, speakers, languages (V5, V13 where it concerns names)."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from lib.errors import BadConfiguration, BadInput, ExitStatus
from lib.voices import (
    DEFAULT_ENGINE,
    QWEN_SPEAKERS,
    UnknownEngine,
    UnknownLanguage,
    UnknownSpeaker,
    UnknownVoice,
    VoiceRegistry,
    engine_facts,
    engine_names,
)


def write_voice(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "voice.yaml").write_text(text)
    return folder / name


def builtin(name: str, preset: str = "deep") -> str:
    return (
        f"name: {name}\nengine: hibari\nlanguage: English\nbuiltin: {preset}\n"
        "licence: Apache-2.0\nconsent: synthetic\n"
    )


def test_the_registry_ships_the_newsroom() -> None:
    """V3."""
    resolved = VoiceRegistry().resolve("newsroom", None, "English")

    assert (resolved.engine, resolved.voice, resolved.speaker) == ("hibari", "newsroom", None)
    assert resolved.preset in engine_facts("hibari").presets


@pytest.mark.parametrize("speaker", QWEN_SPEAKERS)
def test_every_speaker_of_the_qwen_models_speaks_on_the_default_engine(speaker: str) -> None:
    """V3: job files written for them run unchanged."""
    resolved = VoiceRegistry().resolve(None, speaker, "English")

    assert (resolved.speaker, resolved.engine) == (speaker, "hibari")


def test_speakers_and_languages_are_found_whatever_their_case() -> None:
    resolved = VoiceRegistry().resolve(None, "rYAN", "ENGLISH")

    assert (resolved.speaker, resolved.language) == ("Ryan", "English")


def test_presets_are_planned_far_apart_in_pitch() -> None:
    """V3: the model's own voice lies at 188 Hz; the sound itself is measured elsewhere."""
    pitches = sorted(preset.pitch * 188 for preset in engine_facts("hibari").presets.values())

    assert all(above - below > 20 for below, above in itertools.pairwise(pitches))


def test_every_speaker_has_a_preset() -> None:
    facts = engine_facts("hibari")

    assert set(facts.speakers.values()) == set(facts.presets)


def test_an_unknown_voice_names_the_nearest() -> None:
    with pytest.raises(UnknownVoice, match=r"no voice 'newsrom'. Did you mean newsroom\?") as caught:
        VoiceRegistry().resolve("newsrom", None, "English")

    assert isinstance(caught.value, BadInput)
    assert caught.value.exit_status is ExitStatus.BAD_INPUT


@pytest.mark.parametrize(
    "name", ["../newsroom", "/etc", "newsroom/../newsroom", "", ".", "..", "a\x00b", "é"]
)
def test_no_name_of_a_voice_leads_out_of_the_registry(name: str, tmp_path: Path) -> None:
    write_voice(tmp_path, "newsroom", builtin("newsroom"))

    with pytest.raises(UnknownVoice):
        VoiceRegistry([tmp_path / "x"]).resolve(name, None, "English")


def test_an_unknown_speaker_names_the_nearest() -> None:
    with pytest.raises(UnknownSpeaker, match=r"engine hibari has no speaker 'Vivien'. Did you mean Vivian"):
        VoiceRegistry().resolve(None, "Vivien", "English")


def test_an_unknown_language_is_told_from_one_the_engine_does_not_speak() -> None:
    registry = VoiceRegistry()

    with pytest.raises(UnknownLanguage, match=r"'Englisch' is unknown. Did you mean English"):
        registry.resolve(None, "Ryan", "Englisch")
    with pytest.raises(UnknownLanguage, match="hibari does not speak German; it speaks English"):
        registry.resolve(None, "Ryan", "German")


def test_auto_becomes_the_only_language_of_the_engine() -> None:
    assert VoiceRegistry().resolve(None, "Ryan", "Auto").language == "English"


def write_clone(folder: Path, name: str, language: str) -> None:
    """A clone of the engine qwen3; nothing here listens to the recording."""
    (folder / name).mkdir()
    (folder / name / "ref.wav").write_bytes(b"recording")
    sha256 = hashlib.sha256(b"recording").hexdigest()
    (folder / name / "voice.yaml").write_text(
        f"name: {name}\nengine: qwen3\nlanguage: {language}\nlicence: own\n"
        "consent: Jo agreed to narration by us, 2026-11-02\n"
        f"reference_audio: ref.wav\nreference_text: Hello.\nsha256: '{sha256}'\n"
    )


def test_a_clone_speaks_the_language_of_its_recording(tmp_path: Path) -> None:
    write_clone(tmp_path, "jo", "German")
    registry = VoiceRegistry([tmp_path])

    assert registry.resolve("jo", None, "Auto").language == "German"
    with pytest.raises(UnknownLanguage, match=r"'jo' was recorded in German and the job is in English. Give"):
        registry.resolve("jo", None, "English")


def test_a_clone_of_any_language_speaks_that_of_the_job(tmp_path: Path) -> None:
    write_clone(tmp_path, "jo", "Auto")

    assert VoiceRegistry([tmp_path]).resolve("jo", None, "Spanish").language == "Spanish"


def test_an_unknown_engine_is_a_wrong_setting() -> None:
    with pytest.raises(UnknownEngine, match="'kokoro' is not installed here") as caught:
        VoiceRegistry().resolve(None, "Ryan", "English", "kokoro")

    assert isinstance(caught.value, BadConfiguration)


def test_the_robotic_engine_is_known_and_no_default() -> None:
    """V3; integration/synth/test_espeak_by_name_only.py sees that nothing else chooses it."""
    assert engine_names() == ["hibari", "espeak", "qwen3"]
    assert DEFAULT_ENGINE == "hibari"
    assert VoiceRegistry().resolve(None, "Ryan", "English").engine == "hibari"


def test_exactly_one_of_voice_and_speaker_is_given() -> None:
    registry = VoiceRegistry()

    with pytest.raises(ValueError, match="exactly one"):
        registry.resolve("newsroom", "Ryan", "English")
    with pytest.raises(ValueError, match="exactly one"):
        registry.resolve(None, None, "English")


def test_a_folder_of_ones_own_goes_before_the_shipped_voices(tmp_path: Path) -> None:
    write_voice(tmp_path, "newsroom", builtin("newsroom", "high"))
    write_voice(tmp_path, "mine", builtin("mine"))
    registry = VoiceRegistry([tmp_path])

    assert registry.names() == ["mine", "newsroom"]
    assert registry.resolve("newsroom", None, "English").preset == "high"


def test_a_missing_folder_holds_no_voices(tmp_path: Path) -> None:
    assert VoiceRegistry([tmp_path / "nowhere"]).names() == ["newsroom"]


def test_importing_the_registry_loads_neither_numpy_nor_yaml_nor_an_engine() -> None:
    code = (
        "import sys, lib.voices; print([m for m in ('numpy', 'yaml', 'hibari', 'redis') if m in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
