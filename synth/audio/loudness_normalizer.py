"""Bring a signal to a loudness without letting a peak through: gain, then a look-ahead limiter.

The plan is made on levels alone (one number per millisecond), which is cheap enough to try gains until the
limited result is as loud as asked; only then are samples touched, and where the limiter did, the outcome is
measured, not assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.spectrum import Levels, Samples

CEILING_DBTP: Final = -1.5
_SAFETY_DB: Final = 0.05  # for meters that interpolate a little differently
_MAX_GAIN_DB: Final = 40.0
_MAX_REDUCTION_DB: Final = 12.0  # deeper, and speech sounds squeezed; it stays quieter instead
_CLOSE_ENOUGH_LU: Final = 0.02
_MISSED_LU: Final = 0.08  # between what was planned and what was measured
_LOOKAHEAD: Final = 6  # frames of a millisecond before a peak where the gain is down already
_HOLD: Final = 24  # frames after it: longer than a low voice's period, so that the gain does not follow it
_SMOOTH: Final = 11  # frames; at most 2 * _LOOKAHEAD - 1, or smoothing would lift the gain at the peak
_BLOCK_FRAMES: Final = 60_000
#: Frames on either side that the limiter's gain in a frame depends on.
LIMITER_REACH: Final = _HOLD + _LOOKAHEAD + _SMOOTH


@dataclass(frozen=True, slots=True)
class Leveled:
    """A signal at its final level, with what was measured on it."""

    samples: Samples
    lufs: float | None  # None for silence
    true_peak_db: float
    gain_db: float
    reduction_db: float  # deepest reduction by the limiter, positive


def level(signal: Samples, sample_rate: int, target_lufs: float | None) -> Leveled:
    """`signal` at `target_lufs` (None: as it is), its true peaks at or under -1.5 dBTP.

    A signal too quiet or too peaky to get there gets as near as it can; `lufs` says where it is.
    """
    levels = measure_levels(signal, sample_rate)
    peaks, aim = levels.peaks, target_lufs
    for _ in range(5):
        gain, curve = _plan(levels, peaks, aim)
        leveled = with_gains(signal, gain * curve, levels.frame)
        limited = float(curve.min()) < 1.0
        found = measure_levels(leveled, sample_rate) if limited else levels.times(gain)
        lufs = integrated_loudness(found)
        excess = found.peaks / ceiling()
        missed = 0.0 if target_lufs is None or lufs is None else target_lufs - lufs
        if excess.max(initial=0.0) <= 1.0005 and abs(missed) <= _MISSED_LU:
            break
        # A changing gain moved a peak between samples: go deeper there.
        peaks = peaks * np.maximum(excess, 1.0)
        # The plan takes energy to be spread evenly over 100 ms.
        aim = None if aim is None else aim + missed
    return Leveled(
        samples=leveled,
        lufs=lufs,
        true_peak_db=decibels(float(found.peaks.max())),
        gain_db=decibels(gain),
        reduction_db=-decibels(float(curve.min())),
    )


def ceiling() -> float:
    """The highest true peak that is let through, as an amplitude."""
    return amplitude(CEILING_DBTP - _SAFETY_DB)


def _plan(
    levels: Levels, peaks: NDArray[np.floating], target_lufs: float | None
) -> tuple[float, NDArray[np.float32]]:
    """The gain, and the limiter's curve (frames,) of factors up to 1, that reach the target together."""
    if target_lufs is None or integrated_loudness(levels) is None:
        return 1.0, limiter_curve(peaks)
    gain = gain_for(
        levels,
        target_lufs,
        float(peaks.max()),
        lambda gain: _hop_gains(limiter_curve(peaks * np.float32(gain)), levels),
    )
    return gain, limiter_curve(peaks * np.float32(gain))


def gain_for(
    levels: Levels, target_lufs: float, highest: float, limited: Callable[[float], NDArray[np.floating]]
) -> float:
    """The gain with which a signal that is no silence gets to the target, limited.

    `highest` is its highest true peak; `limited(gain)` is what the limiter makes of each hop then, as factors
    (hops,) up to 1.
    """
    start = integrated_loudness(levels)
    assert start is not None, "silence gets to no target"
    highest = max(highest, 1e-6)
    most_db = min(_MAX_GAIN_DB, decibels(ceiling() / highest) + _MAX_REDUCTION_DB)
    gain_db = min(target_lufs - start, most_db)
    slope = 1.0  # what a decibel of gain adds to the loudness, less the more is limited
    before: tuple[float, float] | None = None
    for _ in range(12):
        gain = amplitude(gain_db)
        reached = integrated_loudness(levels, gain * limited(gain))
        if reached is None or abs(target_lufs - reached) <= _CLOSE_ENOUGH_LU:
            break
        if before is not None and abs(gain_db - before[0]) > 1e-6:
            slope = min(max((reached - before[1]) / (gain_db - before[0]), 0.1), 1.0)
        before = (gain_db, reached)
        gain_db = min(gain_db + (target_lufs - reached) / slope, most_db)
        if gain_db == before[0]:
            break
    return amplitude(gain_db)


def limiter_curve(peaks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Gain per frame that keeps every peak under the ceiling, falling before it and rising after it."""
    needed: NDArray[np.float32] = np.minimum(1.0, ceiling() / np.maximum(peaks, 1e-9)).astype(np.float32)
    if needed.min() >= 1.0:
        return needed
    held = _sliding_min(needed, before=_HOLD, after=_LOOKAHEAD)
    window = np.hanning(_SMOOTH + 2)[1:-1]
    padded = np.pad(held, _SMOOTH // 2, mode="edge")
    smooth: NDArray[np.float32] = np.convolve(padded, window / window.sum(), "valid").astype(np.float32)
    return smooth


def _sliding_min(values: NDArray[np.float32], *, before: int, after: int) -> NDArray[np.float32]:
    """For each place the least of `values` from `before` places back to `after` places on."""
    width = before + after + 1
    least: NDArray[np.float32] = np.pad(values, (before, after), constant_values=1.0)
    span = 1
    while span < width:  # windows of doubling width: log2 steps
        step = min(span, width - span)
        least = np.minimum(least[:-step], least[step:])
        span += step
    return least


def _hop_gains(curve: NDArray[np.float32], levels: Levels) -> NDArray[np.float64]:
    """Root mean square of the curve in each hop of 100 frames."""
    hops = len(levels.energy)
    padded = np.pad(np.square(curve, dtype=np.float64), (0, hops * 100 - len(curve)), mode="edge")
    gains: NDArray[np.float64] = np.sqrt(padded.reshape(hops, 100).mean(axis=1))
    return gains


def with_gains(signal: Samples, gains: NDArray[np.floating], frame: int) -> Samples:
    """Multiply by `gains` (frames,), moving in straight lines from frame to frame, never above either."""
    gains = gains.astype(np.float32)
    if gains.min() == gains.max():
        even: Samples = signal * gains[0]
        return even
    edges = np.concatenate([gains[:1], np.minimum(gains[:-1], gains[1:]), gains[-1:]])
    ramp = (np.arange(frame, dtype=np.float32) / frame)[None, :]
    result = np.empty(len(signal), np.float32)
    for first in range(0, len(gains), _BLOCK_FRAMES):
        part = edges[first : first + _BLOCK_FRAMES + 1]
        curve = (part[:-1, None] + (part[1:] - part[:-1])[:, None] * ramp).reshape(-1)
        piece = signal[first * frame : first * frame + len(curve)]
        np.multiply(piece, curve[: len(piece)], out=result[first * frame : first * frame + len(piece)])
    return result
