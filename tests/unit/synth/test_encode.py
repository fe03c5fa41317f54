"""Each format is written whole or not at all, and plays back as long as it was (V1, V9)."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.errors import BadConfiguration
from lib.files import draft_beside
from lib.spool import is_passing
from synth.audio.encode import FORMATS, EncodingFailed, write_audio
from tests.unit.synth.fakes import RATE, hum


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_plays_back_as_long_as_it_was(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"a.{file_format}"

    written = write_audio(path, hum(1.5), RATE, file_format)

    info = soundfile.info(str(path))
    assert info.frames / info.samplerate == pytest.approx(1.5, abs=0.06)
    assert info.channels == 1
    assert written.bytes == path.stat().st_size
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("file_format", FORMATS)
def test_minutes_of_audio_do_not_end_the_process(tmp_path: Path, file_format: str) -> None:
    """Encoders that take stack space for a whole write die of a long one; blocks do not.

    12.5 s on a stack of 512 KiB is 200 s on the usual one of 8 MiB.
    """
    before = threading.stack_size(512 * 1024)
    try:
        with ThreadPoolExecutor(1) as small_stack:
            small_stack.submit(write_audio, tmp_path / "long", hum(12.5), RATE, file_format).result()
    finally:
        threading.stack_size(before)


@pytest.mark.parametrize("file_format", ["wav", "flac"])
def test_lossless_formats_keep_each_sample(tmp_path: Path, file_format: str) -> None:
    signal = hum(0.5)
    write_audio(tmp_path / "a", signal, RATE, file_format)

    back, rate = soundfile.read(str(tmp_path / "a"), dtype="float32")

    assert rate == RATE
    assert np.abs(back - signal).max() < 1 / 32_000


def test_who_reads_the_old_file_goes_on_reading_it(tmp_path: Path) -> None:
    """The new file takes the name; it is not written over the old one."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"the old one")
    with path.open("rb") as reading:
        write_audio(path, hum(0.5), RATE, "wav")

        assert reading.read() == b"the old one"


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_encoder_is_handed_much_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    handed: list[int] = []
    real = soundfile.SoundFile.write

    def write(self: soundfile.SoundFile, data: np.ndarray) -> None:
        handed.append(len(data))
        real(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", write)

    write_audio(tmp_path / "a", hum(10.0), RATE, file_format)

    assert sum(handed) == 10 * RATE
    assert max(handed) <= 16_384


def test_the_same_samples_make_the_same_wav(tmp_path: Path) -> None:
    first, second = (write_audio(tmp_path / name, hum(0.5), RATE, "wav") for name in "ab")

    assert first.sha256 == second.sha256


def test_the_old_file_stays_when_the_new_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"the old one")
    real = soundfile.SoundFile.write

    def write(self: soundfile.SoundFile, data: np.ndarray) -> None:
        real(self, data[: len(data) // 2])  # an encoder that swallows half of what it is handed

    monkeypatch.setattr(soundfile.SoundFile, "write", write)

    with pytest.raises(EncodingFailed, match=r"lasts 0.250 s, not 0.500 s"):
        write_audio(path, hum(0.5), RATE, "wav")

    assert path.read_bytes() == b"the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="cannot be written: No such file or directory"):
        write_audio(tmp_path / "nowhere" / "a.wav", hum(0.1), RATE, "wav")


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_disk_that_fills_up_is_a_sentence_and_passes(
    tmp_path: Path, file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def on_a_full_disk(target: Path) -> Iterator[Path]:
        with draft_beside(target) as draft:
            draft.unlink()
            draft.symlink_to("/dev/full")
            yield draft

    monkeypatch.setattr("synth.audio.encode.draft_beside", on_a_full_disk)
    path = tmp_path / f"a.{file_format}"

    with pytest.raises(BadConfiguration, match="No space left") as raised:
        write_audio(path, hum(0.5), RATE, file_format)

    assert is_passing(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_samples_are_the_same_bytes(tmp_path: Path, file_format: str) -> None:
    """A content-addressed store and the skipping of done jobs count on it; Ogg draws a serial by itself."""
    samples = (np.sin(np.arange(48_000) / 20.0) * 0.3).astype(np.float32)

    first = write_audio(tmp_path / "a", samples, 24_000, file_format)
    second = write_audio(tmp_path / "b", samples, 24_000, file_format)

    assert first.sha256 == second.sha256
