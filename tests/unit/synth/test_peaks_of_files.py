"""P32: the waveform of a file is that of its samples, whatever its length, in bounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.errors import BadInput
from synth.audio.peaks import MOST_PAIRS, peaks_json, peaks_of_file

RATE = 8_000


def noise(seconds: float) -> np.ndarray:
    generator = np.random.default_rng(7)
    return (generator.uniform(-1, 1, round(seconds * RATE)) * 0.8).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.001, 0.5, 3.0, 70.013])
def test_it_is_that_of_the_samples(tmp_path: Path, seconds: float) -> None:
    samples = noise(seconds)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    assert peaks_of_file(tmp_path / "a.wav") == peaks_json(samples, RATE)


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg"])
def test_of_each_kind_of_file(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / f"a.{suffix}", noise(1.0), RATE)
    found = json.loads(peaks_of_file(tmp_path / f"a.{suffix}"))
    assert found["length"] == pytest.approx(50, abs=8)  # MP3 adds silence


def test_the_loudest_channel_counts(tmp_path: Path) -> None:
    quiet, loud = np.zeros(RATE, np.float32), np.full(RATE, 0.5, np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([quiet, loud], axis=1), RATE, subtype="FLOAT")
    assert set(json.loads(peaks_of_file(tmp_path / "a.wav"))["data"]) == {0, 64}


def test_a_long_file_has_longer_parts(tmp_path: Path) -> None:
    samples = np.zeros(RATE * 60, np.float32)
    samples[-1] = 1.0  # nothing of the end is lost
    soundfile.write(tmp_path / "a.wav", samples, 100, subtype="PCM_16")  # 80 minutes of a hundred a second
    found = json.loads(peaks_of_file(tmp_path / "a.wav"))
    assert found["length"] <= MOST_PAIRS
    assert found["length"] * found["samples_per_pixel"] >= len(samples)
    assert max(found["data"][-2:]) == 127


@pytest.mark.parametrize("data", [b"", b"Hello.", b"RIFF\xff\xff\xff\x7fWAVEfmt "])
def test_what_is_no_audio_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(BadInput):
        peaks_of_file(tmp_path / "a.wav")
    with pytest.raises(BadInput, match="cannot be read"):
        peaks_of_file(tmp_path / "b.wav")
