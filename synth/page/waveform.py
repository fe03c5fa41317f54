"""Waveforms of a page: the peaks that lie beside the audio, in bars; else those of the audio itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from lib.files import NotPlain, open_plain, read_plain
from lib.foreign import parse_json
from synth.audio.spectrum import Samples

BARS: Final = 120  # of a waveform: two points and a half each on a phone
_MOST_PEAKS: Final = 64 * 1024 * 1024  # bytes
_BLOCK: Final = 1 << 18  # samples
_MOST_CHANNELS: Final = 8


def bars_of(audio: Path | None, peaks: Path | None) -> Sequence[float]:
    """How loud each part of the audio gets, from 0 to 1; empty where neither file tells.

    Nothing is raised: a page is good without a waveform.
    """
    levels = _from_peaks(peaks) if peaks is not None else None
    if levels is None and audio is not None:
        levels = _from_audio(audio)
    return [] if levels is None else binned(levels)


def binned(levels: Samples) -> list[float]:
    """The highest of `levels` (n,) in each of at most BARS even parts."""
    if not len(levels):
        return []
    count = min(BARS, len(levels))
    starts = np.arange(count) * len(levels) // count
    highest: list[float] = np.maximum.reduceat(levels, starts).clip(0.0, 1.0).round(3).tolist()
    return highest


def _from_peaks(path: Path) -> Samples | None:
    """The levels of a file as `synth.audio.peaks` writes it; None for any other."""
    try:
        value = parse_json(read_plain(path, _MOST_PEAKS, follow=True))
        if not isinstance(value, dict) or value["channels"] != 1 or value["bits"] not in (8, 16):
            return None
        scale = 128.0 if value["bits"] == 8 else 32_768.0
        pairs = np.asarray(value["data"], dtype=np.float32).reshape(-1, 2)
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    levels: Samples = np.abs(pairs).max(axis=1) / np.float32(scale)
    return levels if np.isfinite(levels).all() else None


def _from_audio(path: Path) -> Samples | None:
    """The levels of each fiftieth of a second of it, read in blocks; None for what is no audio."""
    import soundfile

    try:
        descriptor = open_plain(path, follow=True)
    except (NotPlain, OSError):
        return None
    try:
        with soundfile.SoundFile(descriptor, closefd=True) as file:
            if file.channels > _MOST_CHANNELS:
                return None
            step = max(file.samplerate // 50, 1)
            parts = list[Samples]()
            while len(block := file.read(_BLOCK - _BLOCK % step, dtype="float32", always_2d=True)):
                loud = np.nan_to_num(np.abs(block)).max(axis=1)
                parts.append(np.maximum.reduceat(loud, np.arange(0, len(loud), step)))
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return None
    return np.concatenate(parts) if parts else None
