"""What `plan` hears of a recording by itself: the length of a WAV file, and whether anybody is in it."""

from __future__ import annotations

import io
import struct
import wave
from array import array

import pytest

from lib.voices.recording_faults import wav_fault

RATE = 8_000


def wav(seconds: float, peak: int, *, width: int = 2) -> io.BytesIO:
    """A square wave of `peak`, 100 Hz, in samples of `width` bytes."""
    frames = round(seconds * RATE)
    levels = [peak if frame % 80 < 40 else -peak for frame in range(frames)]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(width)
        out.setframerate(RATE)
        out.writeframes(array("h", levels).tobytes() if width == 2 else bytes(frames * width))
    file.seek(0)
    return file


@pytest.mark.parametrize(
    ("seconds", "peak", "reason"),
    [
        (2.9, 9_000, "too_short"),
        (3.0, 9_000, None),
        (15.0, 9_000, None),
        (15.1, 9_000, "too_long"),
        (5.0, 0, "silent"),
        (5.0, 103, "silent"),
        (5.0, 104, None),
        (0.0, 0, "too_short"),
    ],
)
def test_a_wav_file_tells_its_length_and_whether_anybody_speaks(
    seconds: float, peak: int, reason: str | None
) -> None:
    fault = wav_fault(wav(seconds, peak))

    assert (fault and fault.reason) == reason


def test_one_side_of_a_wave_is_enough_to_be_heard() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(array("h", [0] * RATE * 4 + [-9_000]).tobytes())
    file.seek(0)

    assert wav_fault(file) is None


def test_wider_samples_are_heard_as_well() -> None:
    found = [wav_fault(wav(seconds, 0, width=3)) for seconds in (5.0, 20.0)]
    assert [fault.reason for fault in found if fault] == ["silent", "too_long"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"fLaC" + bytes(100),
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 0, 0, 2, 16),
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"
        + struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
        + b"data\xff\xff\xff\xff"
        + bytes(9),
    ],
    ids=["empty", "short", "flac", "no rate", "cut"],
)
def test_what_is_no_such_file_raises_nothing(content: bytes) -> None:
    wav_fault(io.BytesIO(content))
