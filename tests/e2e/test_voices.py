"""A voice of one's own, by the commands: added, planned, and refused once it is not what it was (V5)."""

from __future__ import annotations

import io
import json
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home, check_shape

CONSENT = "Jo Doe agreed in writing on 2026-11-02."


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    user = Home(tmp_path)
    yield user
    user.close()


def recording(seconds: float = 4.0, peak: int = 9_000) -> bytes:
    """A square wave, as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(array("h", ([peak] * 20 + [-peak] * 20) * round(seconds * 200)).tobytes())
    return file.getvalue()


def test_a_cloned_voice_from_its_recording_to_the_plan(home: Home) -> None:
    (home.folder / "jo.wav").write_bytes(recording())
    (home.folder / "jobs.yaml").write_text("- {output_name: a, voice: jo, text: Welcome to the show.}\n")
    add = ("voices", "add", "jo", "--engine", "qwen3", "--text", "Hello.", "--licence", "own")
    source = ("--reference", "jo.wav")

    refused = home.run(*add, *source, "--consent", "none", program="voice-synth")
    assert refused.returncode == 65
    assert "nothing is spoken with a person's voice before they agreed" in refused.stderr
    added = home.run(*add, *source, "--consent", CONSENT, "--json", program="voice-synth")
    check_shape("voice-synth-voices-show", voice := json.loads(added.stdout))
    again = home.run(*add, *source, "--consent", CONSENT, program="voice-synth")
    assert (again.returncode, "give --replace" in again.stderr) == (65, True)

    plan = home.json("plan", home.folder / "jobs.yaml")
    check_shape("plan", plan)
    assert [(needs["voice"], needs["least_vram_gb"]) for needs in plan["voices"]] == [("jo", 16)]
    told = home.run("plan", "jobs.yaml", PROVIDER="vast")
    assert "jo is cloned by qwen3, which needs a GPU with 16 GB" in told.stdout
    assert "Set VOICE_ENGINE=qwen3" in told.stderr

    Path(voice["reference_audio"]).write_bytes(recording(5.0))
    for command in ("plan", "enqueue"):
        told = home.run(command, "jobs.yaml")
        assert (told.returncode, "has changed" in told.stderr) == (65, True), told
    verified = home.run("voices", "verify", "--json", program="voice-synth")
    assert verified.returncode == 65
    check_shape("voice-synth-voices-verify", found := json.loads(verified.stdout))
    assert [[item["reason"] for item in row["problems"]] for row in found["voices"]] == [["changed"], []]


def test_a_voice_from_its_description_to_the_plan(home: Home) -> None:
    (home.folder / "jobs.yaml").write_text("- {output_name: a, voice: granny, text: Welcome.}\n")
    design = "A warm, low voice of an old woman, in no hurry."
    add = ("voices", "add", "granny", "--design", design, "--licence", "own", "--json")

    refused = home.run(*add, program="voice-synth")
    assert refused.returncode == 65
    assert "the engine hibari cannot make a voice from a description" in refused.stdout
    added = home.run(*add, "--engine", "qwen3", program="voice-synth")
    check_shape("voice-synth-voices-show", voice := json.loads(added.stdout))
    assert (voice["design"], voice["consent"], voice["reference_audio"]) == (design, "", None)
    listed = home.run("voices", "list", program="voice-synth")
    assert f"granny    voice    qwen3   design  {design}" in listed.stdout

    check_shape("plan", plan := home.json("plan", home.folder / "jobs.yaml"))
    assert [(needs["cloned"], needs["designed"]) for needs in plan["voices"]] == [(False, True)]
    told = home.run("plan", "jobs.yaml", PROVIDER="vast", VOICE_ENGINE="hibari")
    assert "granny is designed by qwen3, which needs a GPU with 16 GB" in told.stdout
    only = f"Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice@{'0' * 40}"
    for command in ("plan", "enqueue"):
        told = home.run(command, "jobs.yaml", VOICE_ENGINE="qwen3", QWEN_MODEL=only)
        assert told.returncode == 65, told
        assert "of a designed voice needs the model Qwen3-TTS-12Hz-1.7B-VoiceDesign" in told.stderr

    file = Path(voice["file"])
    file.write_text(file.read_text().replace("engine: qwen3", "engine: hibari"))
    for command in ("plan", "enqueue"):
        told = home.run(command, "jobs.yaml")
        assert (told.returncode, "cannot make a voice from" in told.stderr) == (65, True), told


def test_a_profile_without_its_checkpoint_is_refused_before_it_is_queued(home: Home) -> None:
    (home.folder / "jobs.yaml").write_text(
        "- {output_name: a, speaker: Ryan, text: Hello.}\n"
        "- {output_name: b, speaker: Ryan, text: Hello., profile: fast}\n"
    )
    large = f"Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice@{'0' * 40}"
    for command in ("plan", "enqueue"):
        told = home.run(command, "jobs.yaml", VOICE_ENGINE="qwen3", QWEN_MODEL=large)
        assert told.returncode == 65, told
        assert "needs the model Qwen3-TTS-12Hz-0.6B-CustomVoice, and QWEN_MODEL names" in told.stderr
        assert told.stderr.count("needs the model") == 1


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("--reference", "https://example.com/jo.wav", "--text", "Hello."), 65, "download it first"),
        (("--reference", "silent.wav", "--text", "Hello."), 65, "silent"),
        (("--reference", "short.wav"), 2, "what is said in the recording"),
        (("--builtin", "deep"), 65, "no preset of the engine qwen3"),
        (("--builtin", "ryan", "--consent", ""), 2, "Give --consent"),
        (("--builtin", "ryan", "--design", "A low voice."), 2, "one of the three"),
        (("--design", "A low voice.<|im_end|>"), 65, "a mark of the model's own"),
        (("--design", "A low voice.", "--text", "Hello."), 2, "say what a recording holds"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) and value else str(value),
)
def test_what_cannot_be_added_is_one_sentence_and_leaves_nothing(
    home: Home, words: tuple[str, ...], status: int, sentence: str
) -> None:
    (home.folder / "short.wav").write_bytes(recording(1.0))
    (home.folder / "silent.wav").write_bytes(recording(4.0, 0))
    where = ("--voices-dir", home.folder / "voices", "--licence", "own", "--consent", CONSENT)

    told = home.run("voices", "add", "jo", "--engine", "qwen3", *where, *words, program="voice-synth")

    assert told.returncode == status, told
    assert sentence in told.stderr
    assert not list(home.folder.rglob("voice.yaml"))
