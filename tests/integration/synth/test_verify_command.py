"""`voice-synth verify`: audio that exists, held against a text (V6, V7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lib.clock import SystemClock
from lib.errors import BadInput
from lib.voices import VoiceRegistry
from synth.engines import Engine, create_engine
from synth.given_audio import verify_audio
from synth.main import PROGRAM
from synth.speech.request import SpeakRequest
from synth.speech.speak import speak
from tests.e2e.home import check_shape
from tests.integration.synth.damage import SHORT
from tests.unit.textnorm.readings import rows

TEXT = "On 5 May 1897 the bridge was opened, and the mayor wept.\n\nIt had cost $42."


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TEXT as a finished file."""
    return say(TEXT, tmp_path_factory.mktemp("audio") / "a")


@cache
def engine() -> Engine:
    """One for all."""
    return create_engine("hibari")


def say(text: str, out: Path, file_format: str = "wav", speaker: str = "heart") -> Path:
    voice = VoiceRegistry().resolve(None, speaker, "English", "hibari")
    request = SpeakRequest(text, voice, file_format=file_format, chunk=True)
    made = speak(request, engine(), SystemClock(), out, lambda *_: None)
    assert made.verdict == "UNVERIFIED", made.verdict_why
    return out.with_name(made.takes[0].audio.file)


def changed(path: Path, change: Any) -> Path:
    samples, rate = soundfile.read(path, dtype="float32")
    other = path.with_name("changed.wav")
    soundfile.write(other, change(samples), rate, subtype="FLOAT")
    return other


def verified(path: Path, text: str = TEXT) -> tuple[str, set[str]]:
    found = verify_audio(path, text, None)
    return found.verdict, {fault.check for fault in found.faults}


@pytest.mark.parametrize("file_format", ["wav", "flac", "mp3", "opus"])
def test_finished_audio_is_in_order_in_every_format(tmp_path: Path, file_format: str) -> None:
    assert verified(say(TEXT, tmp_path / "a", file_format)) == ("UNVERIFIED", set())


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("cut_off", lambda samples: samples[: -round(0.5 * 24_000)]),
        ("gap", lambda samples: np.insert(samples, 24_000, np.zeros(48_000, np.float32))),
        ("margins", lambda samples: np.append(samples, np.zeros(72_000, np.float32))),
        ("clipped", lambda samples: np.clip(samples * 4, -1, 1)),
        ("offset", lambda samples: samples + np.float32(0.05)),
        ("quiet", lambda samples: samples * np.float32(0.01)),
        ("murmur", lambda samples: np.append(samples, 0.01 * np.random.default_rng(1).normal(size=72_000))),
        ("rate", lambda samples: np.concatenate([samples] * 3)),
        ("no_sound", np.zeros_like),
    ],
)
def test_damage_is_found(spoken: Path, check: str, change: Any) -> None:
    verdict, found = verified(changed(spoken, change))

    assert verdict == "FAILED"
    assert check in found


def test_another_text_is_found_by_its_length(spoken: Path) -> None:
    assert verified(spoken, "No.") == ("FAILED", {"rate", "length"})


def test_silence_that_the_text_asks_for_is_no_fault(tmp_path: Path) -> None:
    text = "The door opened. [pause 3s] Nobody came in."

    assert verified(say(text, tmp_path / "a"), text) == ("UNVERIFIED", set())
    assert verified(say(text, tmp_path / "b"), text.replace("3s", "1s")) == ("FAILED", {"gap"})


def test_two_channels_are_one_voice(spoken: Path) -> None:
    assert verified(changed(spoken, lambda samples: np.stack([samples, samples], axis=1)))[1] == set()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("none.wav", TEXT, "does not exist"),
        ("", TEXT, "is no plain file"),
        ("text.wav", TEXT, "cannot be read as audio"),
        ("nan.wav", TEXT, "no numbers"),
        ("nan.wav", " … ", "nothing that could be said"),
        ("huge.wav", TEXT, "no numbers of a sound"),
        ("slow.wav", TEXT, "has 40 samples a second; speech has 4000 to 384000"),
    ],
)
def test_what_cannot_be_verified_is_a_sentence(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "nan.wav", np.full(2400, np.nan, np.float32), 24_000, subtype="FLOAT")
    soundfile.write(tmp_path / "huge.wav", np.full(2400, 3e38, np.float32), 24_000, subtype="FLOAT")
    soundfile.write(tmp_path / "slow.wav", np.zeros(2400, np.float32), 40)

    with pytest.raises(BadInput, match=sentence):
        verify_audio(tmp_path / name, text, None)


@pytest.mark.soak
def test_no_finished_audio_of_two_hundred_texts_has_a_fault(tmp_path: Path) -> None:
    """One-word lines, numbers, names; the voice is not told."""
    fresh = [written for _, written, _ in rows("fresh.tsv")]
    texts = [text for text in (*SHORT[::3], *fresh) if any(map(str.isalnum, text))][:260]
    assert len(texts) >= 200

    wrong = {}
    for text in texts:
        if found := verify_audio(say(text, tmp_path / "a", speaker="Ryan"), text, None).faults:
            wrong[text] = found
    assert wrong == {}


class TestTheCommand:
    @staticmethod
    def run(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> tuple[int, str, str]:
        status = PROGRAM.run(["verify", *words])
        out, err = capsys.readouterr()
        return status, out, err

    def test_says_what_was_found_and_leaves_a_status(
        self, spoken: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status, out, _ = self.run(capsys, [str(spoken), "--text", TEXT])
        assert (status, "UNVERIFIED" in out) == (0, True)
        assert "12 checks of the signal found nothing" in out

        status, out, _ = self.run(capsys, [str(spoken), "--text", "No.", "--json"])
        check_shape("voice-synth-verify", value := json.loads(out))
        assert (status, value["verdict"], value["heard"]) == (1, "FAILED", None)
        assert [each["check"] for each in value["checks"] if not each["ok"]] == ["rate", "length"]

    def test_needs_one_text(self, spoken: Path, capsys: pytest.CaptureFixture[str]) -> None:
        status, _, err = self.run(capsys, [str(spoken)])

        assert (status, "Give one text" in err) == (2, True)
