"""Bring the whole to its loudness without holding it: one gain, and the limiter where peaks ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.audio.level_stream import LevelStream
from synth.audio.levels import Levels, Samples
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.loudness_normalizer import LIMITER_REACH, ceiling, gain_for, limiter_curve, with_gains

#: The whole is left as its beats are when it is this near: they were levelled one by one, and a second round
#: of limiting does them no good. Half of what an episode may be off.
LEFT_ALONE_LU: Final = 0.25
_CHUNK: Final = 10_000  # frames of a millisecond
_DEEPER: Final = amplitude(0.1)  # a gain that moves can lift a peak between two samples

Blocks = Callable[[], Iterator[Samples]]


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """What is done to every sample. `peaks`, (frames,), is there where the limiter has work."""

    gain: float
    lufs: float | None  # of the whole before, None for silence
    peaks: NDArray[np.floating] | None = None

    @property
    def gain_db(self) -> float:
        """The gain in decibels."""
        return decibels(self.gain)

    @property
    def limits(self) -> bool:
        """Whether any peak is held back."""
        return self.peaks is not None

    def curve(self, first: int, last: int) -> NDArray[np.float32]:
        """The factors of the frames from `first` to `last`, the gain in them."""
        assert self.peaks is not None, "without peaks there is one gain for all"
        return np.float32(self.gain) * _curve(self.peaks, self.gain, first, last)


def plan_for(levels: Levels, target_lufs: float | None, highest: float | None, blocks: Blocks) -> LevelPlan:
    """What brings a signal of these levels to the target (None: it is left as it is).

    `highest` is the highest true peak as an amplitude, None where it is not known; `blocks` gives the signal
    once more, for its peaks, when they have to be looked at.
    """
    lufs = integrated_loudness(levels)
    if target_lufs is None or lufs is None or abs(target_lufs - lufs) <= LEFT_ALONE_LU:
        return LevelPlan(1.0, lufs)
    if highest is not None:
        gain = gain_for(levels, target_lufs, highest, lambda _: np.ones(1))
        if gain * highest <= ceiling():
            return LevelPlan(gain, lufs)
    stream = LevelStream(levels.sample_rate, energy=False)
    for block in blocks():
        stream.feed(block)
    return _limited_plan(levels, stream.levels().peaks, target_lufs, lufs)


def plan_with_peaks(levels: Levels, target_lufs: float) -> LevelPlan:
    """The same for levels whose peaks, one for each millisecond, are known already."""
    lufs = integrated_loudness(levels)
    if lufs is None:
        return LevelPlan(1.0, lufs)
    return _limited_plan(levels, levels.peaks, target_lufs, lufs)


def _limited_plan(levels: Levels, peaks: NDArray[np.floating], target_lufs: float, lufs: float) -> LevelPlan:
    top = float(peaks.max(initial=0.0))
    gain = gain_for(levels, target_lufs, top, lambda gain: _hop_gains(peaks, gain, len(levels.energy)))
    return LevelPlan(gain, lufs, peaks if gain * top > ceiling() else None)


def levelled(blocks: Iterable[Samples], plan: LevelPlan, frame: int) -> Iterator[Samples]:
    """The signal as planned, in blocks; `frame` is a millisecond in samples."""
    if not plan.limits:
        if plan.gain == 1.0:
            yield from blocks
        else:
            yield from (block * np.float32(plan.gain) for block in blocks)
        return
    first = 0
    for chunk in _chunks(blocks, _CHUNK * frame):
        frames = -(-len(chunk) // frame)
        # One more on each side: gains move in straight lines to those of the neighbours.
        curve = plan.curve(first - 1, first + frames + 1)
        padded = np.concatenate([np.zeros(frame, np.float32), chunk])
        yield with_gains(padded, curve, frame)[frame:]
        first += frames


def _curve(peaks: NDArray[np.floating], gain: float, first: int, last: int) -> NDArray[np.float32]:
    """The limiter's curve from frame `first` to `last`; beyond the ends of the signal there is silence."""
    begin, end = first - LIMITER_REACH, last + LIMITER_REACH
    inside = peaks[max(begin, 0) : max(end, 0)].astype(np.float32) * np.float32(gain * _DEEPER)
    around = (max(-begin, 0), max(end - max(begin, 0) - len(inside), 0))
    return limiter_curve(np.pad(inside, around))[LIMITER_REACH : LIMITER_REACH + last - first]


def _hop_gains(peaks: NDArray[np.floating], gain: float, hops: int) -> NDArray[np.float64]:
    """Root mean square of the limiter's factors in each hop of 100 frames, ten seconds at a time."""
    gains = np.ones(hops)
    for first in range(0, hops * 100, _CHUNK):
        last = min(first + _CHUNK, hops * 100)
        if peaks[first:last].max(initial=0.0) * gain * _DEEPER > ceiling():
            curve = _curve(peaks, gain, first, last)
            mean = np.square(curve, dtype=np.float64).reshape(-1, 100).mean(axis=1)
            gains[first // 100 : last // 100] = np.sqrt(mean)
    return gains


def _chunks(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The same samples in pieces of `size`, the last one shorter."""
    waiting: list[Samples] = []
    held = 0
    for block in blocks:
        waiting.append(block)
        held += len(block)
        if held >= size:
            signal = np.concatenate(waiting)
            whole = len(signal) // size * size
            yield from np.split(signal[:whole], range(size, whole, size))
            waiting, held = [signal[whole:].copy()], len(signal) - whole
    if held:
        yield np.concatenate(waiting)
