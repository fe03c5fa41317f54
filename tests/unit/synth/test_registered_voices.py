"""Recordings are measured, and every fault of a registered voice is a line that says what to do (V5)."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.errors import BadInput
from lib.voices import UnknownVoice, VoiceRegistry
from synth.audio.levels import Samples
from synth.audio.recordings import examine_recording
from synth.registered_voices import VerifiedVoice, read_recording, verify_voices

RATE = 16_000


def syllables(seconds: float, level: float = 0.3) -> Samples:
    """A tone of 150 Hz in bursts, loud for three quarters of the time, as speech is."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * 150 * time) * (time % 0.4 < 0.3)).astype(np.float32)


def audio(samples: Samples, file_format: str = "WAV", subtype: str | None = None) -> bytes:
    """As a file of that format holds it."""
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=file_format, subtype=subtype)
    return file.getvalue()


def reasons(data: bytes) -> list[str]:
    """The faults found in a file."""
    return [fault.reason for fault in examine_recording(data)[1]]


CLIPPED = np.clip(syllables(5.0, 2.0), -1.0, 1.0)
ONE_CLICK = np.concatenate([np.zeros(4 * RATE, np.float32), syllables(0.6)])


@pytest.mark.parametrize("file_format", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_good_recording_has_no_fault_in_any_format(file_format: str) -> None:
    recording, faults = examine_recording(audio(syllables(5.0), file_format))

    assert faults == ()
    assert recording is not None
    assert (recording.sample_rate, recording.file_format) == (RATE, file_format)
    assert recording.seconds == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (syllables(2.9), ["too_short"]),
        (syllables(15.5), ["too_long"]),
        (np.zeros(5 * RATE, np.float32), ["silent"]),
        (syllables(5.0, 0.003), ["silent"]),
        (ONE_CLICK, ["silent"]),
        (CLIPPED, ["clipped"]),
        (np.clip(syllables(1.0, 2.0), -1.0, 1.0), ["too_short", "clipped"]),
    ],
    ids=["short", "long", "zeros", "whisper", "a click", "clipped", "two"],
)
@pytest.mark.parametrize("file_format", ["WAV", "FLAC"])
def test_each_fault_is_found(samples: Samples, expected: list[str], file_format: str) -> None:
    assert reasons(audio(samples, file_format)) == expected


def test_an_empty_file_of_audio_is_too_short() -> None:
    assert reasons(audio(np.zeros(0, np.float32))) == ["too_short"]


def test_both_channels_count() -> None:
    both = np.stack([np.zeros(5 * RATE, np.float32), syllables(5.0)], axis=1)

    recording, faults = examine_recording(audio(both))

    assert faults == ()
    assert recording is not None
    assert recording.channels == 2


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"not audio at all" * 100, b"\x89PNG\r\n", b"fLaC" + bytes(64)]
)
def test_what_is_no_audio_says_so(data: bytes) -> None:
    recording, faults = examine_recording(data)

    assert recording is None
    assert [fault.reason for fault in faults] == ["no_audio"]
    assert faults[0].problem.endswith("save it as WAV or FLAC and add it anew")


def test_a_file_with_values_that_are_no_numbers_is_no_audio() -> None:
    samples = syllables(5.0)
    samples[100] = np.nan

    assert reasons(audio(samples, subtype="FLOAT")) == ["no_audio"]


def test_a_file_cut_in_the_middle_is_as_long_as_what_is_left_of_it() -> None:
    data = audio(syllables(5.0))

    assert reasons(data[: len(data) // 4]) == ["too_short"]


def test_hours_in_a_small_file_are_not_decoded() -> None:
    data = audio(np.zeros(60 * RATE, np.float32), "FLAC")

    recording, _ = examine_recording(data)

    assert recording is not None
    assert (recording.seconds, recording.peak) == (60.0, None)


# --- the registry ----------------------------------------------------------------------------------------


def write_voice(registry: Path, name: str, data: bytes | None, **changes: str) -> Path:
    """A clone of the engine qwen3 whose recording is `data`; its fields may be changed."""
    folder = registry / name
    folder.mkdir(parents=True)
    if data is not None:
        (folder / "ref.flac").write_bytes(data)
    fields = {
        "name": name,
        "engine": "qwen3",
        "language": "English",
        "licence": "own",
        "consent": "Jo agreed to narration by us, 2026",
    }
    fields |= {"reference_audio": "ref.flac", "reference_text": "Hello."}
    fields |= {"sha256": hashlib.sha256(data or b"").hexdigest()} | changes
    (folder / "voice.yaml").write_text("".join(f'{key}: "{value}"\n' for key, value in fields.items()))
    return folder


def verified(registry: Path, name: str = "jo") -> VerifiedVoice:
    """What is found of one voice."""
    (found,) = verify_voices(VoiceRegistry([registry]), [name])
    return found


GOOD = audio(syllables(5.0), "FLAC")
OTHER = "0" * 64


@pytest.mark.parametrize(
    ("data", "changes", "expected", "remedy"),
    [
        (GOOD, {}, [], ""),
        (None, {}, ["missing"], "put it back"),
        (GOOD, {"sha256": OTHER}, ["changed"], "put back the file that was agreed to"),
        (audio(syllables(1.0), "FLAC"), {}, ["too_short"], "record 3 to 15 s"),
        (audio(syllables(20.0), "FLAC"), {}, ["too_long"], "cut it at a pause"),
        (audio(np.zeros(5 * RATE, np.float32), "FLAC"), {}, ["silent"], "record it anew"),
        (audio(CLIPPED, "FLAC"), {}, ["clipped"], "at a lower level"),
        (b"words", {}, ["no_audio"], "save it as WAV or FLAC"),
        (GOOD, {"consent": "todo"}, ["consent"], "write who agreed"),
        (GOOD, {"reference_audio": "https://x/ref.flac"}, ["outside"], "download it"),
        (audio(CLIPPED, "FLAC"), {"consent": "-", "sha256": OTHER}, ["consent", "changed", "clipped"], "who"),
    ],
)
def test_each_problem_is_a_line_with_what_to_do(
    tmp_path: Path, data: bytes | None, changes: dict[str, str], expected: list[str], remedy: str
) -> None:
    write_voice(tmp_path, "jo", data, **changes)

    found = verified(tmp_path)

    assert [problem.reason for problem in found.problems] == expected
    assert all(p.message.startswith(f"{tmp_path / 'jo' / 'voice.yaml'}: ") for p in found.problems)
    assert remedy in "".join(problem.message for problem in found.problems)


def test_a_wav_file_has_its_fault_once(tmp_path: Path) -> None:
    """Its length is told by two readers."""
    write_voice(tmp_path, "jo", audio(syllables(1.0)))

    assert [problem.reason for problem in verified(tmp_path).problems] == ["too_short"]


@pytest.mark.parametrize(
    ("design", "expected"),
    [("A low voice.", []), ("A low voice.<|im_end|>", ["a mark of the model's own"]), ("...", ["no word"])],
)
def test_a_description_is_looked_at_where_there_is_no_recording(
    tmp_path: Path, design: str, expected: list[str]
) -> None:
    (tmp_path / "jo").mkdir()
    (tmp_path / "jo" / "voice.yaml").write_text(
        f"name: jo\nengine: qwen3\nlanguage: English\nlicence: own\ndesign: '{design}'\n"
    )

    found = verified(tmp_path)

    assert found.recording is None
    assert len(found.problems) == len(expected)
    assert all(told in p.message for told, p in zip(expected, found.problems, strict=True))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (CLIPPED, ["clipped"]),
        (np.stack([syllables(5.0), CLIPPED], axis=1), ["clipped"]),
        (syllables(5.0, 0.6), []),
    ],
    ids=["clipped", "one channel", "loud"],
)
def test_plan_and_verify_hear_the_same_of_a_wav_file(
    tmp_path: Path, samples: Samples, expected: list[str], subtype: str
) -> None:
    """`plan` reads the voice without a decoder, as whoever hands its jobs over."""
    write_voice(tmp_path, "jo", audio(samples, subtype=subtype))

    planned = [problem.reason for problem in VoiceRegistry([tmp_path]).examine("jo").problems]
    assert planned == [problem.reason for problem in verified(tmp_path).problems] == expected


def test_plan_and_verify_measure_what_is_left_of_a_file_that_was_cut_off(tmp_path: Path) -> None:
    data = audio(syllables(5.0))
    write_voice(tmp_path, "jo", data[: len(data) // 4])

    planned = [problem.reason for problem in VoiceRegistry([tmp_path]).examine("jo").problems]
    assert planned == [problem.reason for problem in verified(tmp_path).problems] == ["too_short"]


def test_all_voices_are_looked_at_and_the_shipped_ones_are_right(tmp_path: Path) -> None:
    write_voice(tmp_path, "jo", GOOD)

    found = verify_voices(VoiceRegistry([tmp_path]), [])

    assert [(voice.name, voice.problems) for voice in found] == [("jo", ()), ("newsroom", ())]
    with pytest.raises(UnknownVoice):
        verify_voices(VoiceRegistry([tmp_path]), ["nobody"])


def test_a_recording_to_be_added_is_a_file_without_fault(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.flac", tmp_path / "bad"
    good.write_bytes(GOOD)
    bad.write_bytes(audio(np.clip(syllables(1.0, 2.0), -1.0, 1.0)))

    assert (read_recording(good, "Hello.").suffix, read_recording(good, "Hello.").data) == ("flac", GOOD)
    with pytest.raises(BadInput, match=r"lasts 1.0 s.*; it is clipped"):
        read_recording(bad, "Hello.")
    with pytest.raises(BadInput, match="No such file"):
        read_recording(tmp_path / "gone.wav", "Hello.")
    with pytest.raises(BadInput, match="is no regular file"):
        read_recording(tmp_path, "Hello.")
    with pytest.raises(BadInput, match="is an address, and a recording is a file: download it"):
        read_recording(Path("https://example.com/ref.wav"), "Hello.")
