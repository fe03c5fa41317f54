"""One gain and a limiter over a signal that is never held whole."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from synth.audio.level_stream import LevelStream
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.loudness_normalizer import CEILING_DBTP
from synth.audio.spectrum import Samples
from synth.join.loudness import LEFT_ALONE_LU, levelled, plan_for
from synth.join.sources import RATES
from tests.unit.synth.join.playlists import RATE
from tests.unit.synth.whole_transforms import levels_by_transforms


def speechlike(seconds: float, *, level: float = 0.05) -> Samples:
    """Noise that swells four times a second, with a sharp peak now and then, as plosives have."""
    noise = np.random.default_rng(7).standard_normal(round(seconds * RATE))
    at = np.arange(len(noise)) / RATE
    signal = noise * level * (1.1 + np.sin(2 * np.pi * 4 * at))
    signal[RATE // 3 :: RATE] = 0.8
    return np.clip(signal, -0.84, 0.84).astype(np.float32)


def without_the_top(signal: Samples) -> Samples:
    """Without the last tenth of the band, which an interpolation cannot tell from its mirror image."""
    spectrum = np.fft.rfft(signal)
    spectrum[len(spectrum) * 9 // 10 :] = 0.0
    return np.fft.irfft(spectrum, len(signal)).astype(np.float32)


def in_blocks(signal: Samples, size: int = 7_001) -> Iterator[Samples]:
    for first in range(0, len(signal), size):
        yield signal[first : first + size]


def streamed(signal: Samples, *, peaks: bool = True) -> LevelStream:
    stream = LevelStream(RATE, peaks=peaks)
    for block in in_blocks(signal):
        stream.feed(block)
    return stream


ANY_RATES = [(seconds, rate) for rate in RATES for seconds in (0.05, 1.2, 3.333, 10.0)]


@pytest.mark.parametrize(
    ("seconds", "rate"), [*ANY_RATES, (1.25, 11_000), (1.25, 25_000)]
)  # as an engine may
def test_a_stream_has_the_levels_of_the_whole_signal(seconds: float, rate: int) -> None:
    """Found in two ways that share nothing but coefficients: a filter over blocks, and whole transforms."""
    signal = without_the_top(speechlike(seconds * rate / RATE))
    stream = LevelStream(rate, peaks=True)
    for block in in_blocks(signal):
        stream.feed(block)

    found, known = stream.levels(), levels_by_transforms(signal, rate)

    assert found.samples == known.samples
    np.testing.assert_allclose(found.energy, known.energy, rtol=1e-4)
    assert len(found.peaks) == len(known.peaks)
    inside = slice(3, -3)  # where it begins and ends hard it has all of the band again
    np.testing.assert_allclose(found.peaks[inside], known.peaks[inside], rtol=0.006, atol=5e-4)  # 0.05 dB
    assert len(streamed(signal, peaks=False).levels().peaks) == 0


def test_the_highest_peak_of_a_stream_is_that_of_whole_transforms_though_it_has_all_of_the_band() -> None:
    signal = speechlike(3.333)
    coarse = LevelStream(RATE, peaks=True, coarse=True)
    for block in in_blocks(signal):
        coarse.feed(block)

    highest = float(levels_by_transforms(signal, RATE).peaks.max())

    assert float(streamed(signal).levels().peaks.max()) == pytest.approx(highest, rel=0.002)
    assert float(coarse.levels().peaks.max()) == pytest.approx(highest, rel=0.002)


@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_the_whole_gets_to_its_target_with_its_peaks_under_the_ceiling(target: float) -> None:
    """Q47: within 0.5 LU."""
    signal = speechlike(130.0)  # more than two chunks of the limiter
    levels = streamed(signal, peaks=False).levels()

    plan = plan_for(levels, target, None, lambda: in_blocks(signal))
    result = np.concatenate(list(levelled(in_blocks(signal), plan, RATE // 1000)))

    assert len(result) == len(signal)
    found = levels_by_transforms(result, RATE)
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
