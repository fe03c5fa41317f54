"""Levels of a signal by whole transforms: what the block-wise meters of `synth.audio` are held against.

A segment's ends are polluted by the transform's wrap-around; the margins around its body are wide enough for
that to die out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.k_weighting import filters
from synth.audio.spectrum import Levels, Samples

_HOPS: Final = 12  # of 100 ms in a segment's body
_BEFORE_S: Final = 0.144  # the 38 Hz high-pass has forgotten all by then (34 time constants)
_AFTER: Final = 512  # samples; the interpolation's tails


@dataclass(frozen=True, slots=True)
class _Plan:
    """Sizes and filters of one sample rate."""

    before: int
    body: int
    size: int
    weighting: NDArray[np.complex64]  # (bins,)
    shifts: NDArray[np.complex64]  # (3, bins): by a quarter, a half and three quarters of a sample


def levels_by_transforms(signal: Samples, sample_rate: int) -> Levels:
    """Levels of `signal`; the sample rate must be a multiple of 1000 (8, 16, 24, 48 kHz and the like)."""
    plan = _plan(sample_rate)
    hop, frame = sample_rate // 10, sample_rate // 1000
    energies: list[NDArray[np.float64]] = []
    peaks: list[NDArray[np.float32]] = []
    for segment in _segments(signal, plan):
        spectrum = np.fft.rfft(segment)
        energies.append(_energy(spectrum, plan, hop))
        peaks.append(_peaks(segment, spectrum, plan, frame))
    return Levels(
        energy=np.concatenate(energies)[: math.ceil(len(signal) / hop)],
        peaks=np.concatenate(peaks)[: math.ceil(len(signal) / frame)],
        samples=len(signal),
        sample_rate=sample_rate,
    )


def _energy(spectrum: NDArray[np.complexfloating], plan: _Plan, hop: int) -> NDArray[np.float64]:
    """K-weighted energy of each hop of a segment's body."""
    weighted = np.fft.irfft(spectrum * plan.weighting, plan.size)[plan.before : plan.before + plan.body]
    energy: NDArray[np.float64] = np.square(weighted).reshape(-1, hop).sum(axis=1, dtype=np.float64)
    return energy


def _peaks(
    segment: Samples, spectrum: NDArray[np.complexfloating], plan: _Plan, frame: int
) -> NDArray[np.float32]:
    """The true peak of each frame of a segment's body."""
    body = slice(plan.before, plan.before + plan.body)
    between = np.abs(np.fft.irfft(spectrum * plan.shifts, plan.size, axis=1)[:, body])
    highest = np.maximum(np.abs(segment[body]), between.max(axis=0))
    peaks: NDArray[np.float32] = highest.reshape(-1, frame).max(axis=1)
    return peaks


def _segments(signal: Samples, plan: _Plan) -> Iterator[Samples]:
    """Overlapping pieces of the plan's size, with silence beyond the ends of the signal; at least one."""
    for start in range(0, max(len(signal), 1), plan.body):
        first, last = start - plan.before, start - plan.before + plan.size
        piece = np.zeros(plan.size, np.float32)
        inside = signal[max(first, 0) : max(last, 0)]
        piece[max(-first, 0) : max(-first, 0) + len(inside)] = inside
        yield piece


@lru_cache(maxsize=8)
def _plan(sample_rate: int) -> _Plan:
    if sample_rate % 1000:
        raise ValueError(f"the sample rate {sample_rate} is no multiple of 1000")
    body = _HOPS * (sample_rate // 10)
    size = _even_size(math.ceil(_BEFORE_S * sample_rate) + body + _AFTER)
    turn = np.pi * np.arange(size // 2 + 1) / (size // 2)
    shifts = np.exp(1j * turn[None, :] * np.array([[0.25], [0.5], [0.75]]))
    return _Plan(
        before=size - body - _AFTER,
        body=body,
        size=size,
        weighting=_k_weighting(turn, sample_rate).astype(np.complex64),
        shifts=shifts.astype(np.complex64),
    )


def _even_size(least: int) -> int:
    """The smallest power of two, or three quarters of one, from `least` on."""
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= least else power


def _k_weighting(turn: NDArray[np.float64], sample_rate: int) -> NDArray[np.complex128]:
    """Response of ITU-R BS.1770's two filters at angles `turn`."""
    powers = np.exp(-1j * np.outer(np.arange(3), turn))
    shelf, highpass = (above @ powers / (below @ powers) for above, below in filters(sample_rate))
    response: NDArray[np.complex128] = shelf * highpass
    return response
