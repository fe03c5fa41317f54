"""What the presets and takes of hibari change between its model and the signal: pace, pitch, envelopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BIN_HZ: Final = 20.0  # of its spectral envelopes
_VOICED_HZ: Final = 40.0  # the model writes 0 where there is no voice


def paced(frames: Sequence[NDArray[np.float32]], speed: float) -> Sequence[NDArray[np.float32]]:
    """The frames (last axis) at `speed`: a few are dropped or repeated, evenly.

    The model's own speed rounds each sound to whole frames, so that a few per cent change next to nothing.
    """
    if speed == 1.0:
        return frames
    count = frames[-1].shape[-1]
    wanted = max(round(count / speed), 1)
    index = np.minimum(((np.arange(wanted) + 0.5) * count / wanted).astype(np.intp), count - 1)
    return [part[..., index] for part in frames]


def intoned(pitch: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Move the voiced pitch `factor` times as far from its median, on a logarithmic scale."""
    voiced = pitch > _VOICED_HZ
    if factor == 1.0 or not voiced.any():
        return pitch
    centre = np.float32(np.median(pitch[voiced]))
    moved = pitch.copy()
    moved[voiced] = centre * (pitch[voiced] / centre) ** np.float32(factor)
    return moved


def warped_between_harmonics(
    envelope: NDArray[np.float32], pitch: NDArray[np.float32], factor: float
) -> NDArray[np.float32]:
    """`warped` for the harmonic branch, reading it only where the model's own voice had harmonics.

    Between them the model was never heard, and what it writes there (peaks of 60 dB too) would sound once
    the pitch moves; straight lines from harmonic to harmonic take its place.
    """
    bins = envelope.shape[0]
    # In bins; 1 where there is no voice, so that every bin is read.
    spacing = np.where(pitch > _VOICED_HZ, pitch, _BIN_HZ) / np.float32(_BIN_HZ)
    source = (np.arange(bins, dtype=np.float32) / np.float32(factor))[:, None]
    number = np.maximum(source / spacing, np.float32(1.0))
    lower = np.floor(number)
    weight = number - lower
    last = np.float32(bins - 1)
    below = np.take_along_axis(envelope, np.minimum(lower * spacing, last).astype(np.intp), axis=0)
    above = np.take_along_axis(envelope, np.minimum((lower + 1) * spacing, last).astype(np.intp), axis=0)
    moved: NDArray[np.float32] = below + weight * (above - below)
    return moved


def warped(envelope: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Move the envelope (bins, frames) along frequency: what was at bin k comes to lie at k * factor."""
    if factor == 1.0:
        return envelope
    bins = envelope.shape[0]
    source = np.minimum(np.arange(bins) / factor, bins - 1)
    below = source.astype(np.int64)
    weight = (source - below).astype(np.float32)[:, None]
    above = np.minimum(below + 1, bins - 1)
    moved: NDArray[np.float32] = envelope[below] + weight * (envelope[above] - envelope[below])
    return moved
