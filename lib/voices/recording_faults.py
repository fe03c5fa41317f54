"""What makes a recording unfit for cloning, and what of it the standard library hears in a WAV file.

`plan` asks here without numpy or a decoder; `voice-synth voices verify` measures every format by the same
limits: the models want three seconds, and lose words beyond ten to fifteen (docs/how-to/clone-a-voice.md).
"""

from __future__ import annotations

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
    """The fault of a WAV file in PCM that its length or its peak tells; None for any other file."""
    import wave  # only whoever has a recording needs it

    try:
        with wave.open(file) as recording:
            rate, frames = recording.getframerate(), recording.getnframes()
            if rate <= 0 or frames < 0:
                return None
            fault = length_fault(frames / rate)
            if fault is not None or recording.getsampwidth() != 2:
                return fault
            samples = array("h", recording.readframes(frames))
    except (wave.Error, EOFError, ValueError, OverflowError, RuntimeError, struct.error):
        return None  # not for this reader; the one that decodes all formats says what it is
    if sys.byteorder == "big":
        samples.byteswap()
    # Speech is heard in one of the first parts, and the rest is not looked at: each job of a worker asks.
    parts = (samples[start : start + _PART] for start in range(0, len(samples), _PART))
    heard = any(max(part) >= _QUIET_PEAK or min(part) <= -_QUIET_PEAK for part in parts)
    return None if heard else silent()
