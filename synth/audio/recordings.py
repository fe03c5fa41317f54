"""A recording that a voice is to be cloned from: how long it is, and whether it is fit for that."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import soundfile

from lib.voices.recording_faults import (
    FULL_SCALE,
    LONGEST_S,
    MOST_CLIPPED_PPM,
    RecordingFault,
    clipped,
    length_fault,
    no_audio,
    silent,
)
from synth.audio.levels import Samples
from synth.audio.loudness_meter import decibels
from synth.audio.trim import sounding_frames

_QUIETEST_RMS_DB: Final = -45.0
_LEAST_SOUNDING: Final = 0.20  # of the recording; less is a click in a silent room
_MOST_RATE: Final = 384_000


@dataclass(frozen=True, slots=True)
class Recording:
    """What was measured. Levels are those of the mean of its channels, which is what a model hears."""

    seconds: float
    sample_rate: int
    channels: int
    file_format: str  # of its container: WAV, FLAC, OGG, MP3
    rms_db: float | None = None  # None: it was not decoded, because of its length
    peak: float | None = None  # 1.0 is full scale
    clipped_ppm: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, rounded to what means something."""
        return {
            "seconds": round(self.seconds, 3),
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "format": self.file_format,
            "rms_db": None if self.rms_db is None else round(self.rms_db, 1),
            "peak": None if self.peak is None else round(self.peak, 4),
            "clipped_ppm": None if self.clipped_ppm is None else round(self.clipped_ppm, 1),
        }


def examine_recording(data: bytes) -> tuple[Recording | None, tuple[RecordingFault, ...]]:
    """Measure the audio file in `data`; None and the fault `no_audio` where it is none.

    A file that says it is too long is not decoded: a small one can hold hours.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            if not 0 < rate <= _MOST_RATE:
                return None, (no_audio(f"a sample rate of {rate} Hz"),)
            stated = Recording(file.frames / rate, rate, channels, str(file.format))
            if stated.seconds > LONGEST_S:
                return stated, _faults(stated.seconds)
            samples = file.read(round(LONGEST_S * rate) + 1, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as error:
        return None, (no_audio(_reason(error)),)
    if not np.isfinite(samples).all():
        return None, (no_audio("it holds values that are no numbers"),)
    # Decoded, the file may be shorter than it says: cut off in the middle of a copy.
    measured = _measured(samples, stated)
    return measured, _faults(measured.seconds, samples, measured)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", "") or error)
    return " ".join(text.split()).rstrip(".").lower() or type(error).__name__


def _measured(samples: Samples, stated: Recording) -> Recording:
    mono = samples.mean(axis=1, dtype=np.float64) if len(samples) else np.zeros(0)
    return Recording(
        seconds=len(samples) / stated.sample_rate,
        sample_rate=stated.sample_rate,
        channels=stated.channels,
        file_format=stated.file_format,
        rms_db=decibels(float(np.sqrt(np.square(mono).mean()))) if len(mono) else decibels(0.0),
        peak=float(np.abs(samples).max(initial=0.0)),
        clipped_ppm=float((np.abs(samples) >= FULL_SCALE).sum()) * 1e6 / max(samples.size, 1),
    )


def _faults(
    seconds: float, samples: Samples | None = None, measured: Recording | None = None
) -> tuple[RecordingFault, ...]:
    faults = [length_fault(seconds)]
    if samples is not None and measured is not None and len(samples):
        if _is_silent(samples, measured):
            faults.append(silent())
        if measured.clipped_ppm is not None and measured.clipped_ppm > MOST_CLIPPED_PPM:
            faults.append(clipped(measured.clipped_ppm))
    return tuple(fault for fault in faults if fault is not None)


def _is_silent(samples: Samples, measured: Recording) -> bool:
    if measured.rms_db is None or measured.rms_db < _QUIETEST_RMS_DB:
        return True
    sounding = sounding_frames(samples.mean(axis=1, dtype=np.float32), measured.sample_rate)
    return bool(sounding.mean() < _LEAST_SOUNDING) if len(sounding) else True
