"""Who is heard in a preview, and in which language."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.errors import BadInput
from lib.voices import AUTO, LANGUAGES, UnknownLanguage, VoiceRegistry, check_text
from lib.voices.voice_store import NewVoice, add_voice
from synth.commands.voices_preview import SENTENCES, preview_speaker
from tests.unit.voices.test_voice_store import clone


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {AUTO}))
def test_each_language_has_a_sentence_that_its_engine_can_say(language: str) -> None:
    check_text(SENTENCES[language], "qwen3", chunk=False, language=language)


@pytest.mark.parametrize(
    ("recorded", "asked", "heard"),
    [("German", AUTO, "German"), (AUTO, AUTO, "English"), (AUTO, "Korean", "Korean")],
)
def test_a_clone_is_heard_in_its_own_language(tmp_path: Path, recorded: str, asked: str, heard: str) -> None:
    add_voice(tmp_path, clone(language=recorded))

    found = preview_speaker(VoiceRegistry([tmp_path]), "jo", asked, "hibari")

    assert (found.engine, found.voice, found.language) == ("qwen3", "jo", heard)


@pytest.mark.parametrize(("asked", "heard"), [(AUTO, "German"), ("Korean", "Korean")])
def test_a_designed_voice_is_heard_in_its_own_language_or_the_one_asked_for(
    tmp_path: Path, asked: str, heard: str
) -> None:
    add_voice(tmp_path, NewVoice("granny", "qwen3", "German", "own", "", design="A low voice."))

    found = preview_speaker(VoiceRegistry([tmp_path]), "granny", asked, "hibari")

    assert (found.engine, found.design, found.language) == ("qwen3", "A low voice.", heard)


def test_a_speaker_is_heard_by_the_engine_of_the_setting(tmp_path: Path) -> None:
    found = preview_speaker(VoiceRegistry([tmp_path]), "ryan", AUTO, "qwen3")

    assert (found.engine, found.speaker, found.language) == ("qwen3", "Ryan", "English")


def test_nobody_and_another_language_are_refused(tmp_path: Path) -> None:
    add_voice(tmp_path, clone(language="German"))

    with pytest.raises(BadInput, match="There is no voice 'nobody'"):
        preview_speaker(VoiceRegistry([tmp_path]), "nobody", AUTO, "qwen3")
    with pytest.raises(UnknownLanguage, match="was recorded in German"):
        preview_speaker(VoiceRegistry([tmp_path]), "jo", "French", "qwen3")
