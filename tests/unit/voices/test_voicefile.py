"""voice.yaml is read strictly; each refusal names file and field (V5)."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from lib.voices import EngineFacts, InvalidVoice, load_voice
from lib.voices.engines import FACTS_GROUP
from lib.voices.voicefile import examine_voice

GOOD: dict[str, object] = {
    "name": "mine",
    "engine": "hibari",
    "language": "English",
    "builtin": "deep",
    "licence": "CC0",
    "consent": "synthetic",
}
RECORDING = b"not really audio"


@pytest.fixture
def cloner(monkeypatch: pytest.MonkeyPatch) -> str:
    """An engine that can clone, known for the length of a test."""
    facts = EngineFacts(
        "cloner", "", frozenset({"English"}), {}, {}, 100, 100, frozenset({"LATIN"}), clones=True
    )
    point = SimpleNamespace(name="cloner", value="cloner:facts", load=lambda: facts)

    def entry_points(group: str, name: str | None = None) -> list[Any]:
        return [point] if group == FACTS_GROUP and name in (None, "cloner") else []

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    monkeypatch.syspath_prepend("packages with a cloner")  # what is found is known for that place alone
    return "cloner"


def voice_folder(tmp_path: Path, fields: dict[str, object]) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "voice.yaml").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    (folder / "ref.wav").write_bytes(RECORDING)
    return folder


AGREED = "Jo agreed to narration by us in 2026."


def clone_fields(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {key: value for key, value in GOOD.items() if key != "builtin"}
    sha256 = hashlib.sha256(RECORDING).hexdigest()
    fields |= {"consent": AGREED}
    fields |= {"engine": "cloner", "reference_audio": "ref.wav", "reference_text": "Hi.", "sha256": sha256}
    return {key: value for key, value in (fields | changes).items() if value is not None}


def test_a_complete_file_is_a_voice(tmp_path: Path) -> None:
    voice = load_voice(voice_folder(tmp_path, GOOD))

    assert (voice.name, voice.builtin, voice.licence) == ("mine", "deep", "CC0")
    assert voice.to_json()["file"] == str(tmp_path / "mine" / "voice.yaml")


def test_a_clone_carries_its_checked_recording(tmp_path: Path, cloner: str) -> None:
    voice = load_voice(voice_folder(tmp_path, clone_fields()))

    assert voice.reference is not None
    assert voice.reference.audio.read_bytes() == RECORDING


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"licence": None}, "licence is missing"),
        ({"licnce": "x"}, "'licnce' is no field of a voice. Did you mean licence"),
        ({"language": "Klingon"}, "language: The language 'Klingon' is unknown"),
        ({"language": "German"}, "language is German, which the engine hibari does not speak"),
        ({"language": 5}, "language must be a text"),
        ({"engine": "nope"}, "engine: The engine 'nope' is not installed"),
        ({"builtin": "robot"}, "builtin 'robot' is no preset of the engine hibari"),
        ({"builtin": None}, "builtin is missing"),
        ({"name": "other"}, "name is 'other', but its folder is called 'mine'"),
        ({"name": "a b"}, "name is not a name"),
        ({"consent": "''"}, "consent must be a text"),
        ({"sha256": "aa", "consent": AGREED}, "sha256 does not go with builtin"),
        (
            {"builtin": None, "reference_audio": "ref.wav", "consent": AGREED},
            "engine hibari cannot clone a voice",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_file(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    fields = {key: value for key, value in ({**GOOD, **changes}).items() if value is not None}
    folder = voice_folder(tmp_path, fields)

    with pytest.raises(InvalidVoice) as caught:
        load_voice(folder)

    assert caught.value.message.startswith(f"{folder / 'voice.yaml'}: ")
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reference_audio": "gone.wav"}, "reference_audio 'gone.wav' is missing"),
        ({"reference_audio": "https://example.com/ref.wav"}, "is an address; .* download it and add that"),
        ({"reference_audio": "file:ref.wav"}, "is an address"),
        ({"reference_audio": "'data:audio/wav;base64,AAAA'"}, "is an address"),
        ({"reference_audio": "//example.com/ref.wav"}, "is an address"),
        ({"reference_audio": "sub/../ref.wav"}, "leads out of the voice's folder"),
        ({"reference_audio": "."}, "reference_audio '.' is missing"),
        ({"consent": None}, "consent is missing"),
        ({"consent": "Unknown."}, "consent is 'Unknown.': nothing is spoken .* write who agreed"),
        ({"consent": "'...'"}, "nothing is spoken"),
        ({"licence": "''"}, "licence must be a text"),
        ({"reference_audio": "../../etc/passwd"}, "leads out of the voice's folder"),
        ({"reference_audio": "/etc/passwd"}, "leads out of the voice's folder"),
        ({"sha256": "'" + "0" * 64 + "'"}, "reference_audio 'ref.wav' has changed: its sha256 is"),
        ({"sha256": "AB"}, "sha256 must be 64 hexadecimal digits"),
        ({"reference_text": None}, "reference_text must be a text"),
    ],
)
def test_a_clone_whose_recording_is_not_what_it_was_is_refused(
    tmp_path: Path, cloner: str, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidVoice, match=sentence):
        load_voice(voice_folder(tmp_path, clone_fields(**changes)))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, cloner: str) -> None:
    folder = voice_folder(tmp_path, clone_fields(reference_audio="link.wav"))
    (tmp_path / "secret").write_bytes(RECORDING)
    (folder / "link.wav").symlink_to(tmp_path / "secret")

    with pytest.raises(InvalidVoice, match="leads out of"):
        load_voice(folder)


def test_a_linked_folder_of_a_voice_is_no_way_out_of_the_registry(tmp_path: Path, cloner: str) -> None:
    elsewhere, registry = tmp_path / "elsewhere", tmp_path / "registry"
    elsewhere.mkdir()
    registry.mkdir()
    (registry / "mine").symlink_to(voice_folder(elsewhere, clone_fields()))

    with pytest.raises(InvalidVoice, match="leads out of"):
        load_voice(registry / "mine")


def test_a_registry_that_is_itself_linked_is_one(tmp_path: Path, cloner: str) -> None:
    real = tmp_path / "real"
    real.mkdir()
    voice_folder(real, clone_fields())
    (tmp_path / "voices").symlink_to(real)

    assert load_voice(tmp_path / "voices" / "mine").reference is not None


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path, cloner: str) -> None:
    folder = voice_folder(tmp_path, clone_fields(reference_audio="loop.wav"))
    (folder / "loop.wav").symlink_to("loop.wav")

    with pytest.raises(InvalidVoice, match=r"leads out of|is missing"):
        load_voice(folder)


def test_a_pipe_in_the_place_of_the_recording_hangs_nobody(tmp_path: Path, cloner: str) -> None:
    folder = voice_folder(tmp_path, clone_fields(reference_audio="pipe.wav"))
    os.mkfifo(folder / "pipe.wav")

    with pytest.raises(InvalidVoice, match="is missing"):
        load_voice(folder)


def test_a_recording_that_may_not_be_read_is_refused(
    tmp_path: Path, cloner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also as root, whom no mode stops: the refusal is the file system's."""
    folder = voice_folder(tmp_path, clone_fields())

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lib.voices.voice_fields.open_plain", refused)

    with pytest.raises(InvalidVoice, match=r"'ref.wav' cannot be read: Permission denied"):
        load_voice(folder)


def test_a_preset_needs_nobodys_consent(tmp_path: Path) -> None:
    assert load_voice(voice_folder(tmp_path, {**GOOD, "consent": "none"})).consent == "none"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, cloner: str) -> None:
    fields = clone_fields(consent="none", licence="''", sha256="'" + "0" * 64 + "'", colour="blue")

    examined = examine_voice(voice_folder(tmp_path, fields))

    assert examined.voice is None
    assert [problem.reason for problem in examined.problems] == ["field", "field", "consent", "changed"]


@pytest.mark.parametrize(
    "content", [b"- a list\n", b"name: [unclosed\n", b"\xff\xfe\x00", b"1: 2\n", b"", b"a: 2001-99-99\n"]
)
def test_what_is_no_mapping_of_fields_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = voice_folder(tmp_path, GOOD)
    (folder / "voice.yaml").write_bytes(content)

    with pytest.raises(InvalidVoice):
        load_voice(folder)


def test_a_file_that_cannot_be_short_is_not_read(tmp_path: Path) -> None:
    folder = voice_folder(tmp_path, GOOD)
    (folder / "voice.yaml").write_bytes(b"#" * 100_000)

    with pytest.raises(InvalidVoice, match="over 65536 bytes"):
        load_voice(folder)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" * 60_000, "must be a mapping"),
        (b"description: " + b"[" * 60_000, "nested deeper than 64 levels"),
        (b"description: " + b"{a: " * 15_000, "nested deeper than 64 levels"),
        (b"description:\n  " + b"- " * 30_000, "nested deeper than 64 levels"),
        (b"{a: " * 15_000, "nested deeper than 64 levels"),
        (b"? " * 30_000, "nested deeper than 64 levels"),
        (b"- " * 30_000, "must be a mapping"),
        (b"name: &a mine\n", "line 1: has an anchor, an alias or a tag"),
        (b"name: *a\n", "line 1: has an anchor, an alias or a tag"),
        (b"name: !!python/name:os.system x\n", "line 1: has an anchor, an alias or a tag"),
        (b"name: mine\nname: mine\n", "line 2: has the field 'name' twice"),
        (b"name: mine\n---\nname: mine\n", "line 2: holds a second document"),
        (b"<<: {name: mine}\n", "must be a mapping of fields"),
        (b"name: " + b"1:" * 30_000 + b"1.0\n", "name must be a text"),  # base 60, of a size no number has
        (b"name: " + b"9" * 60_000 + b"\n", "name must be a text"),
        (b"name: " + b"a" * 10_000_000, "over 65536 bytes"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_a_hostile_file_is_refused_with_one_sentence_at_once(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    folder = voice_folder(tmp_path, GOOD)
    (folder / "voice.yaml").write_bytes(content)
    started = time.process_time()

    with pytest.raises(InvalidVoice) as caught:
        load_voice(folder)

    assert sentence in caught.value.message
    assert len(caught.value.message) < 300
    assert time.process_time() - started < 1


def test_the_python_parser_gives_the_same_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = voice_folder(tmp_path, {**GOOD, "description": "'with: signs, [and] more'"})
    expected = load_voice(folder)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)

    assert load_voice(folder) == expected


def test_a_pipe_in_the_place_of_the_file_hangs_nobody(tmp_path: Path) -> None:
    folder = voice_folder(tmp_path, GOOD)
    (folder / "voice.yaml").unlink()
    os.mkfifo(folder / "voice.yaml")

    with pytest.raises(InvalidVoice, match="is no regular file"):
        load_voice(folder)
