"""What of a voice is sent is what was agreed to (V5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.voices import InvalidVoice
from lib.voices.voice_parcel import parcel_mark, parcel_of
from lib.voices.voice_store import NewVoice, add_voice
from tests.unit.voices.test_voice_store import clone, wav


def test_a_recording_that_changed_since_the_voice_was_read_is_not_packed(tmp_path: Path) -> None:
    voice = add_voice(tmp_path, clone())
    assert voice.reference is not None
    assert parcel_of(voice).recording == (voice.reference.audio.name, wav())

    voice.reference.audio.write_bytes(wav(5.0))
    with pytest.raises(InvalidVoice, match="has changed"):
        parcel_of(voice)
    voice.reference.audio.unlink()
    with pytest.raises(InvalidVoice, match="cannot be read"):
        parcel_of(voice)


def test_a_mark_differs_with_all_that_is_sent(tmp_path: Path) -> None:
    voices = [
        clone(),
        clone(data=wav(5.0)),
        clone(language="German"),
        clone(licence="other"),
        NewVoice("jo", "qwen3", "English", "own", "Jo agreed", builtin="ryan"),
        NewVoice("jo", "qwen3", "English", "own", "Jo agreed", builtin="eric"),
    ]

    marks = {parcel_mark(add_voice(tmp_path, new, replace=True)) for new in voices}

    assert len(marks) == len(voices)
    again = clone(consent="Jo Doe agreed again")  # which is not sent
    assert parcel_mark(add_voice(tmp_path, again, replace=True)) in marks
