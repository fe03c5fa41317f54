"""Whether a stretch of speech is said twice: its spectra follow each other as they did before."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.spectrum import Samples

_HOP_S: Final = 0.010
_WINDOW_S: Final = 0.040
_BANDS: Final = 20
_LOWEST_HZ: Final = 120.0
_HIGHEST_HZ: Final = 7_000.0
_COMPARED_S: Final = 0.7  # of each stretch; a word said twice in other words is shorter
_EVERY_S: Final = 0.2  # a stretch begins
_LEAST_LAG_S: Final = 0.7
_THINNED: Final = 4  # of a stretch, every fourth frame is compared
_MOST_FRAMES: Final = 3_000  # half a minute: time grows with the square
_FLOOR: Final = 1e-7
_FAINT: Final = 8.0  # natural logarithms of power, 17 dB
_LEAST_SOUNDING: Final = 0.8


def likeness(signal: Samples, sample_rate: int) -> float:
    """How alike the two stretches of 0.7 s of `signal` are that are most alike: 1.0 is the same sound twice.

    Of longer signals the first half minute is looked at. 0.0 where the signal is too short to hold two.
    """
    spectra = _spectra(signal[: round(_MOST_FRAMES * _HOP_S * sample_rate)], sample_rate)
    frames, width = len(spectra), round(_COMPARED_S / _HOP_S)
    lag = round(_LEAST_LAG_S / _HOP_S)
    if frames < lag + width:
        return 0.0
    stretches = np.lib.stride_tricks.sliding_window_view(spectra, width, axis=0)[..., ::_THINNED]
    best = 0.0
    firsts = range(0, frames - width - lag, round(_EVERY_S / _HOP_S))
    flat = np.ascontiguousarray(stretches).reshape(len(stretches), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1)
    flat /= np.maximum(lengths, np.float32(1e-6))[:, None]
    told = _sounding_share(spectra, width) >= _LEAST_SOUNDING
    for first in firsts:
        if told[first]:
            # not `@`: a product of this size is shared out to threads, and waits for the engine's core
            alike = np.einsum("ij,j->i", flat[first + lag :], flat[first])[told[first + lag :]]
            best = max(best, float(alike.max(initial=0.0)))
    return best


def _sounding_share(spectra: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """(stretches,) how much of each sounds: silence is like silence, and a beginning like a beginning."""
    level = spectra.mean(axis=1)
    sounding = level > np.percentile(level, 90) - _FAINT
    total = np.cumsum(np.concatenate([[0], sounding]))
    share: NDArray[np.float64] = (total[width:] - total[:-width]) / width
    return share


def _spectra(signal: Samples, sample_rate: int) -> NDArray[np.float32]:
    """(frames, bands) levels of bands, evenly spaced on a scale of pitch, each against the band's mean."""
    window, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
    if len(signal) < window:
        return np.zeros((0, _BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(signal, window)[::hop]
    found = np.fft.rfft(frames * np.hanning(window).astype(np.float32), axis=1)
    power = np.square(found.real) + np.square(found.imag)
    levels = np.log(_in_bands(power, window, sample_rate) + np.float32(_FLOOR))
    spectra: NDArray[np.float32] = (levels - levels.mean(axis=0)).astype(np.float32)
    return spectra


def _in_bands(power: NDArray[np.float32], window: int, sample_rate: int) -> NDArray[np.float32]:
    """(frames, bands) sums over the bins of each band."""
    bins = np.fft.rfftfreq(window, 1 / sample_rate)
    edges = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, sample_rate / 2), _BANDS + 1)
    places = np.searchsorted(bins, edges, side="left")
    bands = np.zeros((len(power), _BANDS), np.float32)
    for band, (first, last) in enumerate(pairwise(places)):
        bands[:, band] = power[:, first:last].sum(axis=1)  # no bin lies in the lowest of a low rate
    return bands
