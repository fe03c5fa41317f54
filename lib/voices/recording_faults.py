"""What makes a recording unfit for cloning, and what of it the standard library hears in a WAV file.

`plan` asks here without numpy or a decoder; `voice-synth voices verify` measures every format by the same
limits: the models want three seconds, and lose words beyond ten to fifteen (docs/how-to/clone-a-voice.md).
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from dataclasses import dataclass
from typing import IO, Final

SHORTEST_S: Final = 3.0
LONGEST_S: Final = 15.0
#: Peak of 16-bit samples, -50 dB of full scale: nobody speaks there.
_QUIET_PEAK: Final = 104
_PART: Final = 4096  # samples
#: Of what a sample can be at most; who records too loud has many there.
FULL_SCALE: Final = 0.999
MOST_CLIPPED_PPM: Final = 100.0
_LOUDEST: Final = math.ceil(FULL_SCALE * 32_768)  # of 16 bits


@dataclass(frozen=True, slots=True)
class RecordingFault:
    """What is wrong with a recording.

    `reason` is one word for programs: `no_audio`, `too_short`, `too_long`, `silent` or `clipped`. `problem`
    ends a sentence that begins with the file, and says what to do.
    """

    reason: str
    problem: str


def no_audio(why: str) -> RecordingFault:
    """The file cannot be read as audio: `why` in the words of the reader."""
    return RecordingFault(
        "no_audio", f"cannot be read as audio ({why}); save it as WAV or FLAC and add it anew"
    )


def length_fault(seconds: float) -> RecordingFault | None:
    """What is wrong with a recording of that length."""
    if seconds < SHORTEST_S:
        return RecordingFault(
            "too_short",
            f"lasts {seconds:.1f} s; a voice is cloned from {SHORTEST_S:g} s at least: record {SHORTEST_S:g} "
            f"to {LONGEST_S:g} s",
        )
    if seconds > LONGEST_S:
        return RecordingFault(
            "too_long",
            f"lasts {seconds:.1f} s; the model loses words beyond {LONGEST_S:g} s: cut it at a pause, and "
            "its text with it",
        )
    return None


def silent() -> RecordingFault:
    """Nobody is heard."""
    return RecordingFault("silent", "holds no speech: it is silent; record it anew and listen to it")


def clipped(ppm: float) -> RecordingFault:
    """`ppm` of a million samples are at full scale."""
    return RecordingFault(
        "clipped", f"is clipped ({ppm:.0f} of a million samples); record it anew at a lower level"
    )


def wav_fault(file: IO[bytes]) -> RecordingFault | None:
    """The fault of a WAV file in PCM that its length or its samples tell; None for any other file."""
    import wave  # only whoever has a recording needs it

    try:
        with wave.open(file) as recording:
            rate, frames, width = recording.getframerate(), recording.getnframes(), recording.getsampwidth()
            if rate <= 0 or frames < 0:
                return None
            fault = length_fault(frames / rate)
            if fault is not None:
                return fault
            read = recording.readframes(frames)  # fewer, where it was cut off in the middle of a copy
            seconds = len(read) / (rate * width * recording.getnchannels())
            fault = length_fault(seconds)
            if fault is not None:
                return fault
            data = _upper_16_bits(read, width)
    except (wave.Error, EOFError, ValueError, OverflowError, RuntimeError, struct.error):
        return None  # not for this reader; the one that decodes all formats says what it is
    samples = array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    # Speech is heard in one of the first parts, and the rest is not looked at: each job of a worker asks.
    parts = (samples[start : start + _PART] for start in range(0, len(samples), _PART))
    heard = any(max(part) >= _QUIET_PEAK or min(part) <= -_QUIET_PEAK for part in parts)
    if not heard:
        return silent()
    ppm = _at_full_scale(data, samples) * 1e6 / len(samples)
    return clipped(ppm) if ppm > MOST_CLIPPED_PPM else None


def _upper_16_bits(data: bytes, width: int) -> bytes:
    """Samples of `width` bytes, as WAV has them, as samples of two; what is left of a cut one goes."""
    if width == 1:  # the one width whose samples have no sign
        wide = bytearray(2 * len(data))
        wide[1::2] = data.translate(bytes(value ^ 0x80 for value in range(256)))
        return bytes(wide)
    frames = len(data) // width
    upper = bytearray(2 * frames)
    upper[0::2], upper[1::2] = (
        data[width - 2 : frames * width : width],
        data[width - 1 : frames * width : width],
    )
    return bytes(upper)


def _at_full_scale(data: bytes, samples: array[int]) -> int:
    """How many samples are there. Each is looked at only where their upper bytes leave it open."""
    upper = data[1::2]
    if (upper.count(0x7F) + upper.count(0x80)) * 1e6 <= MOST_CLIPPED_PPM * len(samples):
        return 0
    return sum(sample >= _LOUDEST or sample <= -_LOUDEST for sample in samples)
