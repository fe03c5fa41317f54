"""Audio at the rate that was asked for: 48 kHz for films, whatever the engine makes (V9)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.clock import SystemClock
from lib.errors import BadInput
from lib.jobspec import SAMPLE_RATES
from synth.audio.levels import Samples
from synth.audio.loudness_normalizer import CEILING_DBTP
from synth.audio.sample_files import blocks_of
from synth.audio.sample_rates import at_rate
from synth.speech.kept_pieces import KeptPieces
from synth.speech.speak import speak
from tests.unit.synth.fakes import RATE, HummingEngine, babble, hum, request


def resampled(signal: Samples, given: int, wanted: int, size: int = 5_000) -> Samples:
    return np.concatenate(list(at_rate(blocks_of(signal, size), given, wanted)))


@pytest.mark.parametrize("wanted", SAMPLE_RATES)
@pytest.mark.parametrize("file_format", ["wav", "flac", "mp3", "opus"])
def test_every_format_has_every_rate_and_its_loudness(tmp_path: Path, wanted: int, file_format: str) -> None:
    asked = request(
        "A sentence that is spoken.", sample_rate=wanted, file_format=file_format, loudness_lufs=-16
    )

    made = speak(asked, HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None)

    (take,) = made.takes
    info = soundfile.info(tmp_path / take.audio.file)
    assert made.sample_rate == wanted
    if file_format != "opus":  # which is told as 48 kHz, whatever it holds
        assert info.samplerate == wanted
    assert take.audio_seconds == pytest.approx(1.1 + 0.18, abs=0.08)
    assert take.loudness_lufs == pytest.approx(-16, abs=0.1)
    assert take.true_peak_dbtp is not None
    assert take.true_peak_dbtp <= CEILING_DBTP + 0.01


def test_a_tone_stays_the_tone_and_nothing_is_folded_over() -> None:
    up = resampled(hum(1.0, 1000.0), RATE, 48_000)
    down = resampled(hum(1.0, 7000.0), RATE, 12_000)

    spectrum = np.abs(np.fft.rfft(up[4_800:-4_800]))
    assert np.fft.rfftfreq(len(up) - 9_600, 1 / 48_000)[spectrum.argmax()] == pytest.approx(1000, abs=2)
    assert len(up) == 48_000
    assert float(np.abs(down[1_200:-1_200]).max()) < 1e-4  # 7 kHz has no place there


@pytest.mark.parametrize("size", [1, 7, 1_000, 24_000])
def test_blocks_of_any_size_give_the_same(size: int) -> None:
    signal = babble(0.2)

    assert np.allclose(
        resampled(signal, RATE, 48_000, size), resampled(signal, RATE, 48_000, 10**6), atol=1e-6
    )


def test_the_engines_own_rate_changes_nothing(tmp_path: Path) -> None:
    plain = speak(request("One."), HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None)
    asked = request("One.", sample_rate=RATE)
    same = speak(asked, HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None)

    assert plain.takes == same.takes


def test_a_long_text_on_the_disk_is_the_same_as_in_memory(tmp_path: Path) -> None:
    asked = request("One sentence. And two. And three of them.", chunk=True, sample_rate=48_000)
    memory = speak(asked, HummingEngine(), SystemClock(), tmp_path / "a", lambda *_: None)
    with KeptPieces(tmp_path / "kept", print) as kept:
        disk = speak(asked, HummingEngine(), SystemClock(), tmp_path / "b", lambda *_: None, kept=kept)

    one, other = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in "ab")
    assert (memory.sample_rate, disk.sample_rate) == (48_000, 48_000)
    assert len(one) == len(other)
    assert np.abs(one - other).max() < 0.01


def test_a_rate_that_not_every_format_has_is_refused() -> None:
    with pytest.raises(BadInput, match="sample_rate must be one of 8000, 12000"):
        request("One.", sample_rate=44_100).check()
