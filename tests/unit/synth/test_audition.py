"""Who is heard in an audition, and what the lists say of speakers that are one voice (Q46)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadInput
from lib.voices import AUTO, ResolvedVoice, VoiceRegistry
from lib.voices.catalogue import kind_of_speakers, speaker_rows, voice_rows
from lib.voices.voice_store import NewVoice, add_voice
from synth.audition import Candidate, candidates
from synth.commands.voices_preview import preview_speaker


def heard(registry: VoiceRegistry, *names: str, engine: str = "hibari") -> list[Candidate]:
    def resolve(name: str) -> ResolvedVoice:
        return preview_speaker(registry, name, AUTO, engine)

    return candidates(names, voice_rows(registry), speaker_rows(engine), resolve, lambda language: language)


def test_each_sound_is_heard_once_and_names_the_others_that_have_it() -> None:
    found = {each.name: each for each in heard(VoiceRegistry())}

    assert "Vivian" in found
    assert not {"heart", "Eric"} & set(found)  # Vivian's other name, and the preset of newsroom
    assert found["newsroom"].about.endswith("The same sound: Eric.")
    presets = [each.voice.preset for each in found.values() if each.voice is not None]
    assert len(presets) == len(set(presets)) == 9
    assert {each.sentence for each in found.values()} == {"English"}


def test_who_is_named_is_heard_though_it_sounds_like_another() -> None:
    assert [each.name for each in heard(VoiceRegistry(), "heart", "Vivian", "heart")] == ["heart", "Vivian"]
    with pytest.raises(BadInput, match="There is no voice 'nobody'"):
        heard(VoiceRegistry(), "Ryan", "nobody")


def test_a_voice_that_cannot_speak_is_shown_with_the_reason(tmp_path: Path) -> None:
    add_voice(tmp_path, NewVoice("granny", "qwen3", "German", "own", "", design="A low voice."))
    (tmp_path / "granny/voice.yaml").write_text("name: granny\n")

    found = {each.name: each for each in heard(VoiceRegistry([tmp_path]))}

    assert found["granny"].voice is None
    assert "granny" in found["granny"].problem


def test_the_rows_say_who_sounds_alike_and_that_one_model_speaks_all() -> None:
    alike = {row["name"]: row["same_as"] for row in speaker_rows("hibari") if row["same_as"]}

    assert alike == {"heart": "Vivian"}
    assert "one voice of one model" in kind_of_speakers("hibari")
    assert kind_of_speakers("qwen3") == ""
    assert all(row["same_as"] is None for row in speaker_rows("qwen3"))
