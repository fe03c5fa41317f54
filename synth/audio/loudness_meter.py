"""Loudness by EBU R128 / ITU-R BS.1770-4, for mono."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.levels import Levels

_OFFSET: Final = -0.691  # dB; makes a 997 Hz sine read its own level
_ABSOLUTE_GATE: Final = -70.0  # LUFS
_RELATIVE_GATE: Final = -10.0  # LU under the mean of what passes the absolute gate
_BLOCK_HOPS: Final = 4  # 400 ms


def integrated_loudness(levels: Levels, gains: NDArray[np.floating] | None = None) -> float | None:
    """Gated loudness in LUFS; None for silence.

    `gains`, (hops,), scales each 100 ms first: how loud it would be then. A signal under 400 ms has no block
    to gate, so it is taken whole.
    """
    energy = levels.energy if gains is None else levels.energy * np.square(gains)
    full_hops = levels.samples // levels.hop
    if full_hops < _BLOCK_HOPS:
        power = float(energy.sum()) / max(levels.samples, 1)
        return _above(_lufs(power), _ABSOLUTE_GATE)
    sums = np.concatenate([[0.0], np.cumsum(energy[:full_hops])])
    blocks = (sums[_BLOCK_HOPS:] - sums[:-_BLOCK_HOPS]) / (_BLOCK_HOPS * levels.hop)
    loud = blocks[blocks > _power(_ABSOLUTE_GATE)]
    if not len(loud):
        return None
    gate = _lufs(float(loud.mean())) + _RELATIVE_GATE
    return _lufs(float(loud[loud > _power(gate)].mean()))


def decibels(amplitude: float) -> float:
    """20 log10, with -120 dB as the floor."""
    return 20 * math.log10(max(amplitude, 1e-6))


def amplitude(decibel: float) -> float:
    """The inverse of `decibels`."""
    return float(10.0 ** (decibel / 20))


def _lufs(power: float) -> float:
    return _OFFSET + 10 * math.log10(max(power, 1e-15))


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs - _OFFSET) / 10))


def _above(value: float, gate: float) -> float | None:
    return value if value > gate else None
