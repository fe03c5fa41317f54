"""Hears how high a voice is."""

from __future__ import annotations

import numpy as np

from synth.audio.levels import Samples

RATE = 24_000  # Hz, of every engine's samples here


def median_pitch(signal: Samples) -> float:
    """Median over loud frames of 50 ms of the lag at which the signal is most like itself, in Hz."""
    size = RATE // 20
    window = np.hanning(size)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 4 * size)) ** 2)[:size]
    found = []
    for first in range(0, len(signal) - size, size // 2):
        frame = signal[first : first + size] * window
        if np.sqrt(np.mean(frame**2)) < 0.02:
            continue
        likeness = np.fft.irfft(np.abs(np.fft.rfft(frame, 4 * size)) ** 2)[:size]
        likeness = likeness / likeness[0] / (own / own[0] + 1e-9)
        lags = slice(RATE // 400, RATE // 60)
        best = lags.start + int(np.argmax(likeness[lags]))
        if likeness[best] > 0.6:
            found.append(RATE / best)
    return float(np.median(found))
