"""What of a voice is sent is what was agreed to (V5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.spool.layout import is_file_name
from lib.voices import InvalidVoice, load_voice
from lib.voices.voice_parcel import is_sent_voice, parcel_mark, parcel_of
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


@pytest.mark.parametrize("ending", [".wav~ (copy)", ".recording", ""])
def test_a_file_that_was_named_by_hand_goes_by_a_name_that_can_be_removed_there(
    tmp_path: Path, ending: str
) -> None:
    added = add_voice(tmp_path, clone())
    assert added.reference is not None
    by_hand = added.reference.audio.rename(added.path.with_name(f"mine{ending}"))
    text = added.path.read_text().replace(added.reference.audio.name, by_hand.name)
    added.path.write_text(text)

    recording = parcel_of(load_voice(added.path.parent)).recording

    assert recording is not None
    assert is_file_name(recording[0])
    assert recording[0].endswith(".audio")


def test_a_mark_differs_with_all_that_is_sent(tmp_path: Path) -> None:
    voices = [
        clone(),
        clone(data=wav(5.0)),
        clone(language="German"),
        clone(licence="other"),
        NewVoice("jo", "qwen3", "English", "own", "Jo agreed", builtin="ryan"),
        NewVoice("jo", "qwen3", "English", "own", "Jo agreed", builtin="eric"),
        NewVoice("jo", "qwen3", "English", "own", "", design="A low voice."),
        NewVoice("jo", "qwen3", "English", "own", "", design="A high voice."),
    ]

    marks = {parcel_mark(add_voice(tmp_path, new, replace=True)) for new in voices}

    assert len(marks) == len(voices)
    again = clone(consent="Jo Doe agreed to it again in 2027")  # which is not sent
    assert parcel_mark(add_voice(tmp_path, again, replace=True)) in marks


@pytest.mark.parametrize(
    "new",
    [
        clone(),
        NewVoice("jo", "hibari", "English", "own", "nobody", builtin="deep"),
        NewVoice("jo", "qwen3", "English", "own", "Jo agreed", design="A low voice."),
        NewVoice("jo", "qwen3", "English", "own", "", design="A low voice."),
    ],
    ids=["cloned", "builtin", "designed", "designed, without consent"],
)
def test_what_is_sent_of_any_kind_says_so_and_is_a_voice_there(tmp_path: Path, new: NewVoice) -> None:
    """Else it would never be taken back, and hide a shipped voice of its name there for ever."""
    voice = add_voice(tmp_path / "here", new)
    assert not is_sent_voice(voice.path.read_bytes())

    parcel = parcel_of(voice)

    assert is_sent_voice(parcel.voice_yaml)
    (there := tmp_path / "there" / "jo").mkdir(parents=True)
    (there / "voice.yaml").write_bytes(parcel.voice_yaml)
    if parcel.recording is not None:
        (there / parcel.recording[0]).write_bytes(parcel.recording[1])
    read = load_voice(there)
    assert (read.builtin, read.design) == (voice.builtin, voice.design)
