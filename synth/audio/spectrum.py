"""Samples, and what loudness and limiting need to know of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Levels:
    """What loudness and limiting need to know of a signal, all linear in its gain.

    energy: float64 (hops,), K-weighted energy summed over each 100 ms, the last hop padded with silence.
    peaks: float32 (frames,), float16 of a stream, largest absolute value in each frame of 1/1000 s, 4 times
        oversampled.
    """

    energy: NDArray[np.float64]
    peaks: NDArray[np.floating]
    samples: int
    sample_rate: int

    @property
    def hop(self) -> int:
        """Samples in 100 ms."""
        return self.sample_rate // 10

    @property
    def frame(self) -> int:
        """Samples in a frame of peaks."""
        return self.sample_rate // 1000

    def times(self, gain: float) -> Levels:
        """Of the same signal, everywhere multiplied by `gain`."""
        return replace(self, energy=self.energy * gain**2, peaks=self.peaks * np.float32(gain))
