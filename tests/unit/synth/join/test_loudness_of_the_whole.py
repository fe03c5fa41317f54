"""One gain and a limiter over a signal that is never held whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.loudness_normalizer import CEILING_DBTP
from synth.audio.spectrum import LevelStream, Samples, measure_levels
from synth.join.loudness import LEFT_ALONE_LU, levelled, plan_for
from tests.unit.synth.join.playlists import RATE


def speechlike(seconds: float, *, level: float = 0.05) -> Samples:
    """Noise that swells four times a second, with a sharp peak now and then, as plosives have."""
    noise = np.random.default_rng(7).standard_normal(round(seconds * RATE))
    at = np.arange(len(noise)) / RATE
    signal = noise * level * (1.1 + np.sin(2 * np.pi * 4 * at))
    signal[RATE // 3 :: RATE] = 0.8
    return np.clip(signal, -0.84, 0.84).astype(np.float32)


def in_blocks(signal: Samples, size: int = 7_001) -> Iterator[Samples]:
    for first in range(0, len(signal), size):
        yield signal[first : first + size]


def streamed(signal: Samples, *, peaks: bool = True) -> LevelStream:
    stream = LevelStream(RATE, peaks=peaks)
    for block in in_blocks(signal):
        stream.feed(block)
    return stream


@pytest.mark.parametrize("seconds", [0.05, 1.2, 3.333, 10.0])
def test_a_stream_has_the_levels_of_the_whole_signal(seconds: float) -> None:
    signal = speechlike(seconds)

    found, known = streamed(signal).levels(), measure_levels(signal, RATE)

    assert found.samples == known.samples
    np.testing.assert_allclose(found.energy, known.energy, rtol=1e-4)
    np.testing.assert_allclose(found.peaks, known.peaks, rtol=1e-3)
    assert len(streamed(signal, peaks=False).levels().peaks) == 0


@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_the_whole_gets_to_its_target_with_its_peaks_under_the_ceiling(target: float) -> None:
    """Q47: within 0.5 LU."""
    signal = speechlike(130.0)  # more than two chunks of the limiter
    levels = streamed(signal, peaks=False).levels()

    plan = plan_for(levels, target, None, lambda: in_blocks(signal))
    result = np.concatenate(list(levelled(in_blocks(signal), plan, RATE // 1000)))

    assert len(result) == len(signal)
    found = measure_levels(result, RATE)
    assert integrated_loudness(found) == pytest.approx(target, abs=0.1)
    assert decibels(float(found.peaks.max())) <= CEILING_DBTP
    assert plan.limits == (target == -16.0)


def test_the_limiter_is_the_same_wherever_the_signal_is_cut() -> None:
    signal = speechlike(70.0)
    levels = streamed(signal, peaks=False).levels()
    plan = plan_for(levels, -16.0, None, lambda: in_blocks(signal))

    parts = np.concatenate([plan.curve(0, 59_990), plan.curve(59_990, 70_000)])

    np.testing.assert_allclose(parts, plan.curve(0, 70_000), rtol=1e-6)
    assert parts.min() < 0.9 * parts.max()


def test_what_is_near_the_target_already_is_left_as_it_is() -> None:
    signal = speechlike(5.0)
    levels = streamed(signal, peaks=False).levels()
    lufs = integrated_loudness(levels)
    assert lufs is not None

    def nobody() -> Iterator[Samples]:
        raise AssertionError("it is read again")

    plan = plan_for(levels, lufs + LEFT_ALONE_LU - 0.01, None, nobody)

    assert (plan.gain, plan.limits) == (1.0, False)
    assert plan_for(levels, None, None, nobody).gain == 1.0
    assert plan_for(streamed(np.zeros(RATE, np.float32)).levels(), -19.0, None, nobody).lufs is None


def test_known_peaks_spare_a_reading_where_the_gain_leaves_them_room() -> None:
    signal = speechlike(5.0) * np.float32(0.25)
    levels = streamed(signal, peaks=False).levels()
    lufs = integrated_loudness(levels)
    assert lufs is not None
    read = []

    def blocks() -> Iterator[Samples]:
        read.append(1)
        return in_blocks(signal)

    roomy = plan_for(levels, lufs + 3.0, 0.25, blocks)
    assert roomy.gain == pytest.approx(amplitude(3.0), rel=1e-3)
    assert not read
    assert plan_for(levels, lufs + 3.0, 0.8, blocks).gain == pytest.approx(amplitude(3.0), rel=1e-3)
    assert read == [1]
