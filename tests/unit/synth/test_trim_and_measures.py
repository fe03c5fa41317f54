"""Silence is cut to known margins, pieces are joined without a click (V9)."""

from __future__ import annotations

import numpy as np
import pytest

from synth.audio.spectrum import Samples
from synth.audio.trim import LEAD_S, TRAIL_S, trim
from tests.unit.synth.fakes import RATE, hum, placed


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def between(lead: float, sound: Samples, trail: float) -> Samples:
    return np.concatenate([quiet(lead), sound, quiet(trail)])


def test_silence_is_cut_to_the_margins() -> None:
    trimmed = trim(between(0.5, hum(1.0), 0.9), RATE)

    assert len(trimmed.samples) / RATE == pytest.approx(1.0 + LEAD_S + TRAIL_S, abs=0.021)
    assert trimmed.lead_s == pytest.approx(0.5, abs=0.021)
    assert trimmed.trail_s == pytest.approx(0.9, abs=0.021)


def test_a_quiet_ending_is_kept() -> None:
    """30 dB under the peak is speech that fades, not silence."""
    trimmed = trim(np.concatenate([hum(1.0, level=0.5), hum(0.5, level=0.5 * 10 ** (-30 / 20))]), RATE)

    assert len(trimmed.samples) / RATE == pytest.approx(1.5 + LEAD_S + TRAIL_S, abs=0.021)


def test_a_model_that_leaves_no_silence_gets_some() -> None:
    """So that a pause is as long as it should be, whoever speaks."""
    trimmed = trim(hum(1.0), RATE)

    assert not trimmed.samples[: round(LEAD_S * RATE)].any()
    assert not trimmed.samples[-round(TRAIL_S * RATE) :].any()
    assert (trimmed.lead_s, trimmed.trail_s) == (0.0, 0.0)
    assert trimmed.cut_s == pytest.approx(-LEAD_S)


def test_hiss_is_not_kept() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.0003, RATE).astype(np.float32)

    assert len(trim(np.concatenate([hum(1.0), hiss]), RATE).samples) < 1.3 * RATE


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_a_hum_that_goes_on_dies_away_instead_of_being_cut(rate: int) -> None:
    """The m of "team": 42 dB under the peak, and 30 dB under it once a limiter has lowered that by 12."""
    humming = hum(0.5, level=0.5 * 10 ** (-42 / 20), rate=rate)
    trimmed = trim(np.concatenate([hum(1.0, level=0.5, rate=rate), humming]), rate).samples

    def level_db(end_s: float) -> float:
        last = len(trimmed) - round((end_s - 0.02) * rate)
        frame = trimmed[last - round(0.02 * rate) : last]
        return float(10 * np.log10(np.square(frame).mean() / np.square(humming).mean()))

    assert level_db(0.12) == pytest.approx(0.0, abs=0.5)  # what follows the last sound at once is left
    assert level_db(0.06) < -10
    assert level_db(0.02) < -30
    assert np.abs(np.diff(trimmed[-round(TRAIL_S * rate) :])).max() < 2e-3


def test_silence_alone_becomes_empty() -> None:
    assert len(trim(quiet(1.0), RATE).samples) == 0
    assert len(trim(quiet(0.0), RATE).samples) == 0


def test_an_offset_is_removed() -> None:
    assert abs(float(trim(hum(1.0) + np.float32(0.05), RATE).samples.mean())) < 0.002


def test_pauses_are_heard_as_long_as_they_were_asked_for() -> None:
    pieces = [trim(between(0.3, hum(0.5), 0.3), RATE).samples for _ in range(3)]

    joined, _ = placed(pieces, [0.35, 0.7, 0.0])

    sounding = np.flatnonzero(np.abs(joined) > 0.02)
    gaps = np.diff(sounding)[np.diff(sounding) > 0.1 * RATE] / RATE
    assert gaps == pytest.approx([0.35, 0.7], abs=0.045)


@pytest.mark.parametrize("pause", [0.05, 0.1, 0.15, 0.2, 0.8, 30.0])
def test_a_pause_is_exact_from_the_shortest_to_the_longest(pause: float) -> None:
    """V16: shorter than the margins too, and whether the model leaves silence or not."""
    pieces = [trim(hum(0.5), RATE).samples, trim(between(0.3, hum(0.5), 0.3), RATE).samples]

    joined, _ = placed(pieces, [pause, 0.0])

    sounding = np.flatnonzero(np.abs(joined) > 0.001)
    assert np.diff(sounding).max() / RATE == pytest.approx(pause, abs=0.025)


def test_silence_before_and_after_all_is_as_long_as_asked_for() -> None:
    piece = trim(hum(0.5), RATE).samples

    joined, _ = placed([piece], [1.5], lead_s=0.8)

    sounding = np.flatnonzero(np.abs(joined) > 0.02)
    assert sounding[0] / RATE == pytest.approx(0.8, abs=0.01)
    assert (len(joined) - sounding[-1]) / RATE == pytest.approx(1.5, abs=0.01)


def test_a_joint_has_no_step() -> None:
    abrupt = hum(0.5, 150.5, level=0.9)[40:]  # at its highest both where it begins and where it ends
    loud = trim(abrupt, RATE).samples

    joined, _ = placed([loud, loud], [0.35, 0.0])

    natural = np.abs(np.diff(abrupt)).max()
    assert np.abs(np.diff(joined)).max() <= natural * 1.05
    assert abs(joined[0]) < 0.001
    assert abs(joined[-1]) < 0.001
