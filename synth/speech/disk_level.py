"""Bring a take that lies on the disk to its loudness: measured in one walk over its file, set in another.

The plan is that of `synth.audio.loudness_normalizer`, with what it needs to know of each millisecond alone
in memory: two bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.level_stream import LevelStream
from synth.audio.levels import Levels, Samples
from synth.audio.loudness_meter import decibels, integrated_loudness
from synth.audio.loudness_normalizer import Leveled, ceiling, gain_for
from synth.audio.sample_files import MakeSink, blocks_of
from synth.join.loudness import LevelPlan, levelled

_TRIES: Final = 3
_MISSED_LU: Final = 0.08  # between what was planned and what was measured
_OVER: Final = 1.0005  # of the ceiling; a rounding is no peak
_STRETCH: Final = 10_000  # frames of a millisecond whose limiting is looked at together


def level_on_disk(samples: Samples, sample_rate: int, target_lufs: float | None, sink: MakeSink) -> Leveled:
    """As `level`; what it gives lies in what `sink` makes, and so does each try that missed.

    Raises:
        OSError: of the sink.
    """
    levels = _measured(blocks_of(samples), sample_rate)
    peaks, aim = levels.peaks, target_lufs
    for _ in range(_TRIES):
        plan = _plan(levels, peaks, aim)
        target = sink()
        meter = LevelStream(sample_rate, peaks=True)
        for block in levelled(blocks_of(samples), plan, levels.frame):
            target.add(block)
            meter.feed(block)
        found = meter.levels()
        lufs = integrated_loudness(found)
        highest = float(found.peaks.max(initial=0.0))
        missed = 0.0 if target_lufs is None or lufs is None else target_lufs - lufs
        if not plan.limits or (highest <= _OVER * ceiling() and abs(missed) <= _MISSED_LU):
            break
        # A changing gain moved a peak between samples, or the limiter took more than was planned.
        peaks = peaks * np.maximum(found.peaks / np.float16(ceiling()), np.float16(1.0))
        aim = None if aim is None else aim + missed
    return Leveled(
        samples=target.whole(),
        lufs=lufs,
        true_peak_db=decibels(highest),
        gain_db=plan.gain_db,
        reduction_db=_deepest(plan, len(peaks)),
    )


def _measured(blocks: Iterator[Samples], sample_rate: int) -> Levels:
    stream = LevelStream(sample_rate, peaks=True)
    for block in blocks:
        stream.feed(block)
    return stream.levels()


def _plan(levels: Levels, peaks: NDArray[np.floating], target_lufs: float | None) -> LevelPlan:
    """One gain, and the limiter where a peak would pass the ceiling with it."""
    lufs, highest, gain = integrated_loudness(levels), float(peaks.max(initial=0.0)), 1.0
    if target_lufs is not None and lufs is not None:
        gain = gain_for(
            levels, target_lufs, highest, lambda gain: _hop_gains(peaks, gain, len(levels.energy))
        )
    return LevelPlan(gain, lufs, peaks if gain * highest > ceiling() else None)


def _hop_gains(peaks: NDArray[np.floating], gain: float, hops: int) -> NDArray[np.float64]:
    """Root mean square of the limiter's factors in each hop of 100 frames."""
    gains = np.ones(hops)
    for first, curve in _limited(LevelPlan(gain, None, peaks), hops * 100):
        squares = np.square(curve, dtype=np.float64).reshape(-1, 100)
        gains[first // 100 : first // 100 + len(squares)] = np.sqrt(squares.mean(axis=1))
    return gains


def _deepest(plan: LevelPlan, frames: int) -> float:
    """The deepest reduction in decibels, positive."""
    least = min((float(curve.min()) for _, curve in _limited(plan, frames)), default=1.0)
    return -decibels(min(least, 1.0))


def _limited(plan: LevelPlan, frames: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Where the limiter works: the first frame of a stretch, and its factors up to 1."""
    peaks = plan.peaks
    for first in range(0, 0 if peaks is None else frames, _STRETCH):
        assert peaks is not None
        last = min(first + _STRETCH, frames)
        near = peaks[first:last].max(initial=0.0) * plan.gain
        if near > 0.98 * ceiling():
            yield first, plan.curve(first, last) / np.float32(plan.gain)
