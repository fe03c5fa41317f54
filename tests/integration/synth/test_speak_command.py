"""`voice-synth speak` and `voices` as a user calls them (V1, V5, V13)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.integration.synth.conftest import VoiceSynth

TEXT = "The harbour was quiet. Dr. Smith arrived at 5 p.m. with 3.5 tonnes of ice; nobody asked why."


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def test_it_speaks_a_text_into_exactly_the_named_file(
    voice_synth: VoiceSynth, text_file: Path, tmp_path: Path
) -> None:
    """V1."""
    out, record_file = tmp_path / "new" / "beat-001", tmp_path / "new" / "beat-001" / "result.json"

    done = voice_synth.run(
        *("speak", "--text-file", text_file, "--out-exact", out, "--json-result", record_file),
        *("--voice", "newsroom", "--language", "English", "--profile", "balanced", "--seed", "7"),
    )

    assert done.returncode == 0, done.stderr
    audio = tmp_path / "new" / "beat-001.wav"
    record = json.loads(record_file.read_text())
    assert sorted(p.name for p in audio.parent.iterdir()) == ["beat-001", "beat-001.wav"]
    assert record["sha256"] == hashlib.sha256(audio.read_bytes()).hexdigest()
    info = soundfile.info(str(audio))
    assert info.duration == pytest.approx(record["audio_seconds"], abs=0.001)
    assert 5 < info.duration < 9  # the text has 93 characters, about 14 to the second
    assert (record["seed"], record["voice"], record["engine"]) == (7, "newsroom", "hibari")
    assert done.stdout.startswith(f"{audio}  ")


def test_takes_formats_and_json_go_together(voice_synth: VoiceSynth, text_file: Path, tmp_path: Path) -> None:
    done = voice_synth.run(
        *("speak", "--text-file", text_file, "--out-exact", tmp_path / "o", "--speaker", "ryan"),
        *("--variants", "2", "--select-best", "--format", "flac", "--loudness", "-16", "--json"),
    )

    record = json.loads(done.stdout)
    assert [take["file"] for take in record["takes"]] == ["o.flac", "o.take-02.flac"]
    assert all((tmp_path / take["file"]).is_file() for take in record["takes"])
    assert record["loudness_lufs"] == pytest.approx(-16.0, abs=0.15)
    assert record["speaker"] == "Ryan"


def test_a_long_text_is_spoken_in_chunks(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("This is one of a great many sentences. " * 150)
    args = ("speak", "--text-file", tmp_path / "long.txt", "--out-exact", tmp_path / "o", "--speaker", "Ryan")

    refused = voice_synth.run(*args)
    done = voice_synth.run(*args, "--chunk", "--json")

    assert refused.returncode == 65
    assert "Set chunk: true" in refused.stderr
    record = json.loads(done.stdout)
    assert record["pieces"] == 150
    assert record["audio_seconds"] > 150 * 2


@pytest.mark.parametrize(
    ("text", "args", "status", "sentence"),
    [
        ("", ["--speaker", "Ryan"], 65, "The text is empty"),
        ("🎉", ["--speaker", "Ryan"], 65, "no letter or digit"),
        ("你好", ["--speaker", "Ryan"], 65, "no letter or digit"),
        ("x" * 6000, ["--speaker", "Ryan"], 65, "Set chunk: true"),
        ("Hi.", ["--speaker", "Rian"], 65, "Did you mean Ryan"),
        ("Hi.", ["--voice", "newsrom"], 65, "Did you mean newsroom"),
        ("Hi.", ["--speaker", "Ryan", "--language", "German"], 65, "does not speak German"),
        ("Hi.", ["--speaker", "Ryan", "--language", "Klingon"], 65, "'Klingon' is unknown"),
        ("Hi.", ["--speaker", "Ryan", "--voice", "newsroom"], 2, "Give a --voice or a --speaker, not both"),
        ("Hi.", ["Hello."], 2, "Give one text"),
        ("Hi.", ["--speaker", "Ryan", "--variants", "17"], 2, "--variants"),
        ("Hi.", ["--speaker", "Ryan", "--loudness", "loud"], 2, "--loudness must be"),
        ("Hi.", ["--speaker", "Ryan", "--pronounce", "Ouse"], 2, "--pronounce takes WORD=SAYING"),
        (
            "Hi.",
            ["--speaker", "Ryan", "--pronounce", "Ouse=[x]"],
            65,
            'Ouse: "[x]" has "[]", which nobody can',
        ),
        ("Hi.", ["--speaker", "Ryan", "--pronounce", "Rue=/ʁu/"], 65, "cannot say 'ʁ'"),
        ("Hi.", ["--speaker", "Ryan", "--lexicon", "none.txt"], 65, "none.txt does not exist"),
        ("Hi.", ["--speaker", "Ryan", "--speed", "3"], 2, "--speed"),
        ("Hi.", ["--speaker", "Ryan", "--pauses", "0.9,0.2,0.4"], 78, "VOICE_PAUSES"),
        ("Hi.", ["--speaker", "Ryan", "--engine", "kokoro"], 78, "'kokoro' is not installed"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    voice_synth: VoiceSynth, tmp_path: Path, text: str, args: list[str], status: int, sentence: str
) -> None:
    """V13."""
    (tmp_path / "t.txt").write_text(text)

    failed = voice_synth.run(
        "speak", "--text-file", tmp_path / "t.txt", "--out-exact", tmp_path / "x" / "o", *args
    )

    assert failed.returncode == status, failed.stderr
    assert sentence in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""
    assert not (tmp_path / "x").exists()


def test_bad_input_is_found_before_the_model_loads(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    """V13: with packages that cannot be imported at all, the sentence is the same."""
    for package in ("hibari", "onnxruntime", "numpy", "soundfile"):
        (tmp_path / "broken" / package).mkdir(parents=True)
        (tmp_path / "broken" / package / "__init__.py").write_text("raise RuntimeError('was imported')")
    (tmp_path / "t.txt").write_text("🎉")
    root = str(Path(__file__).parents[3])

    failed = voice_synth.run(
        *("speak", "--text-file", tmp_path / "t.txt", "--out-exact", tmp_path / "o", "--speaker", "Ryan"),
        PYTHONPATH=f"{tmp_path / 'broken'}:{root}",
    )

    assert failed.returncode == 65, failed.stderr


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is no plain file"),
        (lambda path: path.write_bytes(b"caf\xe9"), "is not UTF-8 (byte 3)"),
    ],
    ids=["missing", "folder", "latin-1"],
)
def test_a_text_file_that_is_none_is_a_sentence(
    voice_synth: VoiceSynth, tmp_path: Path, make: object, sentence: str
) -> None:
    assert callable(make)
    make(tmp_path / "t.txt")

    failed = voice_synth.run(
        "speak", "--text-file", tmp_path / "t.txt", "--out-exact", tmp_path / "o", "--speaker", "Ryan"
    )

    assert failed.returncode == 65
    assert sentence in failed.stderr


def test_a_place_that_cannot_be_written_is_a_sentence(
    voice_synth: VoiceSynth, text_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")

    failed = voice_synth.run(
        "speak", "--text-file", text_file, "--out-exact", tmp_path / "file" / "o", "--speaker", "Ryan"
    )

    assert failed.returncode == 78
    assert "cannot be made" in failed.stderr


def test_voices_are_listed_with_what_is_wrong_with_them(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    """V5."""
    (tmp_path / "voices" / "broken").mkdir(parents=True)
    (tmp_path / "voices" / "broken" / "voice.yaml").write_text("name: broken\n")

    listed = voice_synth.run("voices", "list", "--json", "--voices-dir", tmp_path / "voices")

    shape = json.loads(listed.stdout)
    voices = {row["name"]: row["problem"] for row in shape["voices"]}
    assert voices["newsroom"] is None
    assert "engine is missing" in voices["broken"]
    assert {"Ryan", "heart"} <= {row["name"] for row in shape["speakers"]}
    assert "newsroom" in voice_synth.run("voices", "list").stdout


def test_one_voice_or_speaker_is_shown(voice_synth: VoiceSynth) -> None:
    """V5."""
    voice = json.loads(voice_synth.run("voices", "show", "newsroom", "--json").stdout)
    speaker = json.loads(voice_synth.run("voices", "show", "ryan", "--json").stdout)
    unknown = voice_synth.run("voices", "show", "nobody")

    assert (voice["kind"], voice["builtin"]) == ("voice", "mid")
    assert (speaker["kind"], speaker["preset"]) == ("speaker", "low")
    assert unknown.returncode == 65
    assert "no voice 'nobody'" in unknown.stderr


def test_the_folder_of_voices_is_a_setting(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    folder = tmp_path / "voices" / "mine"
    folder.mkdir(parents=True)
    (folder / "voice.yaml").write_text(
        "name: mine\nengine: hibari\nlanguage: English\nbuiltin: deep\nlicence: CC0\nconsent: none needed\n"
    )

    shown = voice_synth.run("voices", "show", "mine", "--json", VOICES_DIR=str(tmp_path / "voices"))

    assert json.loads(shown.stdout)["file"] == str(folder / "voice.yaml")


def test_a_word_is_said_as_the_options_and_the_lexicon_say(voice_synth: VoiceSynth, tmp_path: Path) -> None:
    """V16: an option beats the lexicon; speed, breaks and loudness are heard."""
    (tmp_path / "text.txt").write_text("The Ouse froze. [pause 1s] The Cam did not.")
    (tmp_path / "same.txt").write_text("The boat froze. [pause 1s] The lamp did not.")
    (tmp_path / "words.txt").write_text("# rivers\nOuse: horse\nCam: lamp\n")

    def record(name: str, *options: str | Path) -> dict[str, Any]:
        out = tmp_path / f"{name}-{len(options)}"
        files = ("--text-file", tmp_path / f"{name}.txt", "--out-exact", out, "--title", "rivers")
        done = voice_synth.run("speak", *files, "--speaker", "Ryan", "--seed", "1", *options, "--json")
        assert done.returncode == 0, done.stderr
        read: dict[str, Any] = json.loads(done.stdout)
        return read

    said = record("text", "--lexicon", tmp_path / "words.txt", "--pronounce", "Ouse=boat")
    quick = record("text", "--speed", "2", "--loudness", "-23", "--pauses", "0.1,0.2,0.3")

    assert said["sha256"] == record("same")["sha256"]
    assert quick["audio_seconds"] - 1.0 == pytest.approx((said["audio_seconds"] - 1.0) / 2, rel=0.2)
    assert quick["loudness_lufs"] == pytest.approx(-23.0, abs=0.2)
    assert quick["takes"][0]["speed"] == 2.0
