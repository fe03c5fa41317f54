"""Levels of a signal, block by block: of one in memory, or of one that is never held whole."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from synth.audio.k_weighting import EnergyMeter
from synth.audio.spectrum import Levels, Samples

_HOPS: Final = 24  # of 100 ms that are measured together
_TAPS: Final = 48  # of the interpolation for each place between two samples; BS.1770 prints 12
_BEFORE: Final = _TAPS // 2 - 1
_AFTER: Final = _TAPS // 2
_SHAPE: Final = 4.0  # of the Kaiser window: within 0.05 dB up to 19 twentieths of the band
_BLOCK: Final = 40  # samples that are interpolated by one row of a matrix
_ROWS: Final = 30  # of a product, so that it is left to one thread (`synth.audio.k_weighting`)


def measure_levels(signal: Samples, sample_rate: int) -> Levels:
    """Levels of `signal`; the sample rate must be a multiple of 1000 (8, 16, 24, 48 kHz and the like).

    It takes a third of the time of transforms, and as little memory beside the signal as a stream.
    """
    if sample_rate % 1000:
        raise ValueError(f"the sample rate {sample_rate} is no multiple of 1000")
    hop, meter = sample_rate // 10, EnergyMeter(sample_rate)
    energies: list[NDArray[np.float64]] = []
    peaks: list[NDArray[np.float32]] = []
    for first in range(0, max(len(signal), 1), _HOPS * hop):
        hops = min(max(math.ceil((len(signal) - first) / hop), 1), _HOPS)
        part = _around(signal, first, hops * hop)
        energies.append(meter.energy(part[_BEFORE : _BEFORE + hops * hop]))
        peaks.append(_true_peaks(part, sample_rate, 1))
    return Levels(
        energy=np.concatenate(energies)[: math.ceil(len(signal) / hop)],
        peaks=np.concatenate(peaks)[: math.ceil(len(signal) / (sample_rate // 1000))],
        samples=len(signal),
        sample_rate=sample_rate,
    )


def _around(signal: Samples, first: int, length: int) -> Samples:
    """So many samples from `first` on, with those that interpolation needs; silence beyond the ends."""
    begin, end = first - _BEFORE, first + length + _AFTER
    inside = signal[max(begin, 0) : end]
    if len(inside) == end - begin:
        return inside
    padded = np.zeros(end - begin, np.float32)
    padded[max(-begin, 0) : max(-begin, 0) + len(inside)] = inside
    return padded


class LevelStream:
    """Energy and true peaks of a signal that comes in blocks; what is not wanted of them stays empty.

    Peaks cost thrice what the energy costs. They are kept in half precision, two bytes for a millisecond,
    rounded by at most 0.005 dB; `coarse`: only the highest of each 100 ms.
    """

    def __init__(
        self, sample_rate: int, *, energy: bool = True, peaks: bool = True, coarse: bool = False
    ) -> None:
        self._rate, self._hop = sample_rate, sample_rate // 10
        self._with_peaks, self._coarse = peaks, coarse
        self._meter = EnergyMeter(sample_rate) if energy else None
        self._waiting: list[Samples] = [np.zeros(_BEFORE, np.float32)]
        self._held = _BEFORE
        self._samples = 0
        # Bytes that grow in place: many small arrays, joined at the end, would take twice the memory.
        self._energies, self._peaks = bytearray(), bytearray()

    def feed(self, block: Samples) -> None:
        """The next samples (n,)."""
        self._samples += len(block)
        self._take(block, _HOPS)

    def levels(self) -> Levels:
        """Of all that was fed; nothing may be fed after. `peaks` is float16."""
        rest = self._held - _BEFORE  # what stands before was measured
        hops = max(math.ceil(rest / self._hop), 0)
        self._take(np.zeros(hops * self._hop + _AFTER - rest, np.float32), 1)
        return Levels(
            energy=np.frombuffer(self._energies, np.float64)[: math.ceil(self._samples / self._hop)],
            peaks=np.frombuffer(self._peaks, np.float16)[: math.ceil(self._samples * 1000 / self._rate)],
            samples=self._samples,
            sample_rate=self._rate,
        )

    def _take(self, block: Samples, least: int) -> None:
        """Measure all whole hops once there are `least` of them."""
        self._waiting.append(block)
        self._held += len(block)
        if self._held < _BEFORE + least * self._hop + _AFTER:
            return
        signal = np.concatenate(self._waiting)
        hops = (len(signal) - _BEFORE - _AFTER) // self._hop
        for first in range(0, hops, _HOPS):
            self._measure(signal, first * self._hop, min(hops - first, _HOPS) * self._hop)
        self._waiting = [signal[hops * self._hop :].copy()]
        self._held = len(self._waiting[0])

    def _measure(self, signal: Samples, first: int, length: int) -> None:
        if self._meter is not None:
            body = signal[first + _BEFORE : first + _BEFORE + length]
            self._energies += self._meter.energy(body).tobytes()
        if self._with_peaks:
            frames = 100 if self._coarse else 1
            highest = _true_peaks(signal[first : first + length + _TAPS - 1], self._rate, frames)
            self._peaks += highest.astype(np.float16).tobytes()


def _true_peaks(signal: Samples, sample_rate: int, frames: int) -> NDArray[np.float32]:
    """The true peaks of each `frames` milliseconds; the signal has what is needed around it."""
    length = len(signal) - (_TAPS - 1)
    between = _interpolation()
    if length % _BLOCK:  # of rates that are no multiple of 2000
        signal = np.pad(signal, (0, -length % _BLOCK))
    blocks = -(-length // _BLOCK)
    rows = sliding_window_view(signal, _BLOCK + _TAPS - 1)[:length:_BLOCK]
    shaped = np.ascontiguousarray(rows).reshape(-1, math.gcd(blocks, _ROWS), rows.shape[1])
    found = np.matmul(shaped, between).reshape(-1, 3, _BLOCK)
    np.abs(found, out=found)
    highest = np.maximum(np.maximum(found[:, 0], found[:, 1]), found[:, 2]).reshape(-1)[:length]
    np.maximum(highest, np.abs(signal[_BEFORE : _BEFORE + length]), out=highest)
    peaks: NDArray[np.float32] = highest.reshape(-1, frames * (sample_rate // 1000)).max(axis=1)
    return peaks


@lru_cache(maxsize=1)
def _interpolation() -> NDArray[np.float32]:
    """From a row of samples to those a quarter, a half and three quarters after each, (taps, 3 * block)."""
    places = np.arange(_TAPS) - _BEFORE
    window = np.i0(_SHAPE * np.sqrt(1 - ((places[:, None] - [0.25, 0.5, 0.75]) / (_TAPS / 2)) ** 2))
    taps = np.sinc(places[:, None] - [0.25, 0.5, 0.75]) * window / np.i0(_SHAPE)
    matrix = np.zeros((_BLOCK + _TAPS - 1, 3, _BLOCK), np.float32)
    for at in range(_BLOCK):
        matrix[at : at + _TAPS, :, at] = taps
    return matrix.reshape(_BLOCK + _TAPS - 1, 3 * _BLOCK)
