"""Waveforms of a page: the peaks that lie beside the audio, in bars; else those of the audio itself.

Peaks are read without numpy, whose import takes longer than all else that a page of many beats needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

from lib.files import NotPlain, open_plain, read_plain
from lib.foreign import parse_json

BARS: Final = 120  # of a waveform: two points and a half each on a phone
_MOST_PEAKS: Final = 64 * 1024 * 1024  # bytes
_BLOCK: Final = 1 << 18  # samples
_MOST_CHANNELS: Final = 8
_FULL_SCALE: Final = {8: 128.0, 16: 32_768.0}  # by bits


def bars_of(audio: Path | None, peaks: Path | None) -> list[float]:
    """How loud each part of the audio gets, from 0 to 1; empty where neither file tells.

    Nothing is raised: a page is good without a waveform.
    """
    found = _from_peaks(peaks) if peaks is not None else None
    if found is None and audio is not None:
        found = _from_audio(audio)
    return found or []


def binned(levels: Sequence[float], scale: float) -> list[float]:
    """The highest of `levels` in each of at most BARS even parts, of which `scale` counts as 1."""
    count = min(BARS, len(levels))
    edges = [at * len(levels) // count for at in range(count + 1)] if count else []
    return [round(min(max(levels[a:b]) / scale, 1.0), 3) for a, b in pairwise(edges)]


def _from_peaks(path: Path) -> list[float] | None:
    """The bars of a file as `synth.audio.peaks` writes it; None for any other."""
    try:
        value = parse_json(read_plain(path, _MOST_PEAKS, follow=True))
        scale, data = _FULL_SCALE[value["bits"]], value["data"]
        if value["channels"] != 1 or len(data) % 2 or set(map(type, data)) - {int}:
            return None
    except (OSError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        return None

    return binned([max(-low, high) for low, high in zip(data[::2], data[1::2], strict=True)], scale)


def _from_audio(path: Path) -> list[float] | None:
    """The bars of the audio, read in blocks; None for what is no audio."""
    try:
        import numpy as np
        import soundfile
    except ImportError:  # `page` is run where nothing is spoken, too
        return None
    try:
        descriptor = open_plain(path, follow=True)
    except (NotPlain, OSError):
        return None
    parts: list[list[float]] = []
    try:
        with soundfile.SoundFile(descriptor, closefd=True) as file:
            if file.channels > _MOST_CHANNELS:
                return None
            step = max(file.samplerate // 50, 1)
            while len(block := file.read(_BLOCK - _BLOCK % step, dtype="float32", always_2d=True)):
                loud = np.nan_to_num(np.abs(block)).max(axis=1)
                parts.append(np.maximum.reduceat(loud, np.arange(0, len(loud), step)).tolist())
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return None
    return binned(list(chain.from_iterable(parts)), 1.0)
