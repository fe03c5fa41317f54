"""A voice is added whole or not at all (V5)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import wave
from array import array
from pathlib import Path

import pytest

from lib.errors import BadConfiguration, BadInput
from lib.voices import InvalidVoice, VoiceRegistry
from lib.voices.voice_store import NewRecording, NewVoice, add_voice


def wav(seconds: float = 4.0, peak: int = 9_000) -> bytes:
    """A square wave."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(array("h", [peak, -peak] * round(seconds * 4_000)).tobytes())
    return file.getvalue()


def clone(name: str = "jo", data: bytes | None = None, **changes: str) -> NewVoice:
    """A voice of the engine qwen3."""
    recording = NewRecording(wav() if data is None else data, "Hello: this is Jo, #1.", "wav")
    fields = {
        "language": "English",
        "licence": "own",
        "consent": "Jo agreed to all of this on 2026-11-02",
    } | changes
    return NewVoice(name, "qwen3", **fields, recording=recording)


def files(folder: Path) -> list[str]:
    """Everything under it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_was_added_is_found_with_its_recording(tmp_path: Path) -> None:
    added = add_voice(tmp_path / "voices", clone(description='Warm: "close", yes'))

    found = VoiceRegistry([tmp_path / "voices"]).get("jo")
    assert found == added
    assert found.reference is not None
    assert found.reference.audio.read_bytes() == wav()
    assert found.reference.text == "Hello: this is Jo, #1."
    assert found.description == 'Warm: "close", yes'


@pytest.mark.parametrize(
    "text", ["no", "1", "2026-11-02", "null", "a: b", "'", '"', "- x", "日本語 🎙", "~", "x #y", "a\x07b"]
)
def test_any_text_comes_back_as_it_was_given(tmp_path: Path, text: str) -> None:
    assert add_voice(tmp_path, clone(licence=text)).licence == text


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a" * 65, "a\nb"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is no name of a voice"):
        add_voice(tmp_path / "voices", clone(name))

    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (clone(consent="none"), "nothing is spoken with a person's voice"),
        (clone(licence=" "), "licence must be a text"),
        (clone(language="Klingon"), "'Klingon' is unknown"),
        (clone(data=wav(1.0)), "lasts 1.0 s"),
        (clone(data=wav(4.0, 0)), "is silent"),
        (clone(licence="a\udcffb"), "is no UTF-8"),
    ],
)
def test_of_a_voice_that_breaks_a_rule_nothing_is_left(tmp_path: Path, new: NewVoice, sentence: str) -> None:
    with pytest.raises(InvalidVoice, match=sentence):
        add_voice(tmp_path, new)

    assert files(tmp_path) == []


def test_a_voice_that_is_there_stays_without_replace(tmp_path: Path) -> None:
    add_voice(tmp_path, clone())
    before = files(tmp_path)

    with pytest.raises(BadInput, match=r"There is a voice 'jo' already .* give --replace"):
        add_voice(tmp_path, clone(data=wav(5.0)))

    assert files(tmp_path) == before
    assert VoiceRegistry([tmp_path]).get("jo") == add_voice(tmp_path, clone(), replace=True)


def test_a_recording_that_was_replaced_is_gone_and_what_others_put_there_stays(tmp_path: Path) -> None:
    add_voice(tmp_path, clone())
    (tmp_path / "jo" / "agreement.pdf").write_bytes(b"signed")

    added = add_voice(tmp_path, clone(data=wav(5.0)), replace=True)

    assert added.reference is not None
    assert files(tmp_path) == ["jo", "jo/agreement.pdf", f"jo/{added.reference.audio.name}", "jo/voice.yaml"]


def test_a_replacement_that_breaks_a_rule_leaves_the_voice_as_it_was(tmp_path: Path) -> None:
    added, before = add_voice(tmp_path, clone()), files(tmp_path)

    with pytest.raises(InvalidVoice):
        add_voice(tmp_path, clone(data=wav(20.0)), replace=True)

    assert files(tmp_path) == before
    assert VoiceRegistry([tmp_path]).get("jo") == added


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(BadConfiguration, match="No space left on device"):
        add_voice(tmp_path, clone())

    assert files(tmp_path) == []


@pytest.mark.parametrize("renames", [0, 1])
def test_one_killed_on_the_way_leaves_no_voice_and_the_next_one_adds_it(tmp_path: Path, renames: int) -> None:
    """Killed before the recording has its name, and before `voice.yaml` has."""
    code = (
        "import os, sys\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "from pathlib import Path\n"
        "from tests.unit.voices.test_voice_store import add_voice, clone\n"
        "left, rename = int(sys.argv[2]), os.replace\n"
        "def replace(*paths):\n"
        "    global left\n"
        "    if not left: os.kill(os.getpid(), 9)\n"
        "    left -= 1\n"
        "    rename(*paths)\n"
        "os.replace = replace\n"
        "add_voice(Path(sys.argv[1]), clone())\n"
    )
    root = str(Path(__file__).parents[3])
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(renames), root], check=False)
    assert killed.returncode == -9
    assert "jo" not in VoiceRegistry([tmp_path]).names()

    added = add_voice(tmp_path, clone())

    assert added.reference is not None
    assert files(tmp_path) == ["jo", f"jo/{added.reference.audio.name}", "jo/voice.yaml"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "jo").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BadInput, match="is no folder of a voice"):
        add_voice(tmp_path / "voices", clone(), replace=True)

    assert os.listdir(tmp_path / "elsewhere") == []
