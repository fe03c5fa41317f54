"""Loudness and peaks are measured as the standards define them (V9)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synth.audio.level_stream import measure_levels
from synth.audio.loudness_meter import amplitude, decibels, integrated_loudness
from synth.audio.loudness_normalizer import level
from synth.audio.spectrum import Samples


def sine(seconds: float, dbfs: float, hertz: float = 997.0, rate: int = 24_000) -> Samples:
    times = np.arange(round(seconds * rate)) / rate
    tone: Samples = (amplitude(dbfs) * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
    return tone


def lufs(signal: Samples, rate: int = 24_000) -> float:
    found = integrated_loudness(measure_levels(signal, rate))
    assert found is not None
    return found


def speechlike(seconds: float, seed: int = 1, rate: int = 24_000) -> Samples:
    """Pulses through a decaying filter with pauses; some are much louder: as peaky as speech."""
    rng = np.random.default_rng(seed)
    signal: NDArray[np.float64] = np.zeros(round(seconds * rate))
    period = rate // 110
    for start in range(0, len(signal) - 400, period):
        if math.sin(start / rate * 5) > -0.6:
            decay = np.exp(-np.arange(400) / 90) * np.cos(np.arange(400) * (0.15 + 0.1 * rng.random()))
            signal[start : start + 400] += decay * (rng.uniform(0.6, 1.0) + 1.5 * (rng.random() < 0.05))
    edges = np.minimum(1, np.minimum(np.arange(len(signal)), np.arange(len(signal))[::-1]) / 200)
    made: Samples = (0.3 * edges * signal / np.abs(signal).max()).astype(np.float32)
    return made


def reference_loudness(signal: Samples, rate: int) -> float:
    """BS.1770-4 by the letter: the printed 48 kHz filters as recursions, then the two gates."""
    x = soxr.resample(signal.astype(np.float64), rate, 48_000, "VHQ")
    for b, a in (
        ((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)),
        ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)),
    ):
        y, z1, z2 = np.empty_like(x), 0.0, 0.0
        for n, value in enumerate(x):
            out = b[0] * value + z1
            z1, z2 = b[1] * value - a[0] * out + z2, b[2] * value - a[1] * out
            y[n] = out
        x = y
    blocks = np.array([np.mean(x[i : i + 19_200] ** 2) for i in range(0, len(x) - 19_199, 4_800)])
    loud = blocks[-0.691 + 10 * np.log10(blocks + 1e-20) > -70]
    gate = loud.mean() * 0.1
    return float(-0.691 + 10 * np.log10(loud[loud > gate].mean()))


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("dbfs", [-20.0, -23.0, -40.0])
def test_the_standards_test_tone_reads_its_own_level(rate: int, dbfs: float) -> None:
    """A 997 Hz sine in one channel reads 3.01 LU under its peak level (BS.1770-4, annex 1)."""
    assert lufs(sine(5, dbfs, rate=rate), rate) == pytest.approx(dbfs - 3.01, abs=0.05)


def test_it_agrees_with_the_standards_recursion_sample_by_sample() -> None:
    signal = np.concatenate([speechlike(2), speechlike(1, 2) * np.float32(0.05), sine(0.7, -30, 6_000)])

    assert lufs(signal) == pytest.approx(reference_loudness(signal, 24_000), abs=0.05)


def test_pauses_do_not_make_speech_quieter() -> None:
    """The gates; a plain mean would read 3 LU less."""
    tone, pause = sine(5, -20), np.zeros(5 * 24_000, np.float32)

    assert lufs(np.concatenate([tone, pause])) == pytest.approx(lufs(tone), abs=0.3)


def test_a_quiet_part_under_the_relative_gate_does_not_count() -> None:
    loud, quiet = sine(5, -20), sine(5, -35)

    assert lufs(np.concatenate([loud, quiet])) == pytest.approx(lufs(loud), abs=0.3)


def test_less_than_a_block_is_measured_whole() -> None:
    assert lufs(sine(0.2, -20)) == pytest.approx(-23.0, abs=0.2)


def test_silence_has_no_loudness() -> None:
    assert integrated_loudness(measure_levels(np.zeros(24_000, np.float32), 24_000)) is None
    assert integrated_loudness(measure_levels(np.zeros(0, np.float32), 24_000)) is None


def test_a_peak_between_samples_is_seen() -> None:
    """A sine at a quarter of the rate, sampled at 45 degrees: samples at -3 dB, the wave at 0."""
    times = np.arange(24_000)
    signal = np.sin(np.pi / 2 * times + np.pi / 4).astype(np.float32)
    signal *= np.hanning(24_000).astype(np.float32)

    assert decibels(float(np.abs(signal).max())) == pytest.approx(-3.01, abs=0.01)
    assert decibels(float(measure_levels(signal, 24_000).peaks.max())) == pytest.approx(0.0, abs=0.05)


def test_where_a_signal_is_cut_into_segments_makes_no_difference() -> None:
    signal = speechlike(6)
    shifted = np.concatenate([np.zeros(2_400 * 5, np.float32), signal])

    whole, later = measure_levels(signal, 24_000), measure_levels(shifted, 24_000)

    np.testing.assert_allclose(later.energy[5:], whole.energy, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(later.peaks[500:], whole.peaks, rtol=1e-2, atol=5e-4)


@pytest.mark.parametrize("target", [-23.0, -19.0, -16.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_target_is_met_and_no_peak_passes(target: float, seed: int) -> None:
    leveled = level(speechlike(5, seed), 24_000, target)

    assert leveled.lufs == pytest.approx(target, abs=0.1)
    assert leveled.true_peak_db <= -1.5
    assert (leveled.reduction_db > 1.0) == (target > -20)  # else the signal shows nothing of the limiter


def test_a_level_that_would_squeeze_the_speech_is_not_reached_for() -> None:
    click_and_hum = sine(3, -50)
    click_and_hum[36_000] = 0.9

    leveled = level(click_and_hum, 24_000, -16.0)

    assert leveled.reduction_db <= 12.5
    assert leveled.lufs is not None
    assert leveled.lufs < -30


def test_another_meter_sees_no_peak_either() -> None:
    leveled = level(speechlike(5), 24_000, -16.0)

    oversampled = soxr.resample(leveled.samples, 24_000, 192_000, "VHQ")

    assert decibels(float(np.abs(oversampled).max())) <= -1.49


def test_gain_alone_is_used_where_no_peak_asks_for_more() -> None:
    leveled = level(sine(3, -30), 24_000, -19.0)

    assert leveled.reduction_db == pytest.approx(0.0, abs=0.01)
    assert leveled.lufs == pytest.approx(-19.0, abs=0.05)


@pytest.mark.parametrize("target", [-40.0, -23.0, -19.0, -16.0])
def test_what_is_said_of_a_signal_is_what_measuring_it_finds(target: float) -> None:
    """Without the limiter the levels are worked out from those before, which must come to the same."""
    leveled = level(speechlike(5), 24_000, target)

    assert leveled.lufs == pytest.approx(lufs(leveled.samples), abs=0.001)
    measured = measure_levels(leveled.samples, 24_000).peaks.max()
    assert leveled.true_peak_db == pytest.approx(decibels(float(measured)), abs=0.001)


def test_the_limiter_is_down_before_the_peak_and_moves_slowly() -> None:
    """No click: the gain changes by little from one sample to the next."""
    signal = sine(2, -24)
    signal[24_000] = 0.9

    leveled = level(signal, 24_000, -16.0)

    quiet = np.abs(signal) < 1e-3
    gains = leveled.samples[~quiet] / signal[~quiet]
    assert np.abs(np.diff(gains)).max() < 0.02 * gains.max()


def test_off_leaves_the_level_but_still_holds_the_ceiling() -> None:
    assert level(sine(2, -30), 24_000, None).lufs == pytest.approx(-33.0, abs=0.1)
    assert level(sine(2, 3), 24_000, None).true_peak_db <= -1.5


def test_silence_stays_silence() -> None:
    leveled = level(np.zeros(4_800, np.float32), 24_000, -19.0)

    assert leveled.lufs is None
    assert not leveled.samples.any()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(-60, 12),
    st.integers(1, 40_000),
    st.sampled_from([8_000, 24_000, 48_000]),
)
def test_no_signal_passes_the_ceiling(seed: int, decibel: float, length: int, rate: int) -> None:
    rng = np.random.default_rng(seed)
    signal = (amplitude(decibel) * rng.uniform(-1, 1, length) * (rng.random(length) > 0.9)).astype(np.float32)

    leveled = level(signal, rate, -16.0)

    assert len(leveled.samples) == length
    assert leveled.true_peak_db <= -1.4
    assert np.isfinite(leveled.samples).all()
