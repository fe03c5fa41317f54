"""Pauses inside a piece are made as long as they should be, and nothing else is touched (V17)."""

from __future__ import annotations

import numpy as np
import pytest

from synth.audio.levels import Samples
from synth.audio.rhythm import Mark, PauseEdit, moved, with_pauses
from tests.unit.synth.fakes import RATE, hum


def spoken(*seconds: float) -> Samples:
    """Sound and silence in turn."""
    parts = [
        hum(length) if index % 2 == 0 else hum(length, level=0.0) for index, length in enumerate(seconds)
    ]
    return np.concatenate(parts)


def silences(signal: Samples) -> list[float]:
    sounding = np.flatnonzero(np.abs(signal) > 0.01)
    gaps = np.diff(sounding)
    return [round(float(gap) / RATE, 2) for gap in gaps[gaps > 0.03 * RATE]]


@pytest.mark.parametrize("own", [0.08, 0.16, 0.34, 0.8])
def test_a_silence_at_a_mark_becomes_as_long_as_the_mark_says(own: float) -> None:
    made, _ = with_pauses(spoken(1.0, own, 1.0), RATE, [Mark(0.5, 0.2)], 0.2)

    assert silences(made) == pytest.approx([0.2], abs=0.03)


def test_another_silence_is_shortened_and_never_lengthened() -> None:
    made, _ = with_pauses(spoken(1.0, 0.5, 1.0, 0.08, 1.0), RATE, [], 0.2)

    assert silences(made) == pytest.approx([0.2, 0.08], abs=0.03)


def test_a_mark_without_a_silence_near_it_changes_nothing() -> None:
    signal = spoken(1.0, 0.1, 1.0)

    made, edits = with_pauses(signal, RATE, [Mark(0.1, 0.2)], 0.2)

    assert made is signal
    assert edits == ()


def test_each_mark_finds_its_own_silence() -> None:
    """The long one is the ellipsis's, the short one before it a closed mouth."""
    marks = [Mark(0.3, 0.2), Mark(0.7, 0.45)]

    made, _ = with_pauses(spoken(0.9, 0.1, 0.2, 0.06, 0.9, 0.3, 0.9), RATE, marks, 0.2)

    assert silences(made) == pytest.approx([0.2, 0.06, 0.45], abs=0.03)


def test_a_cut_makes_no_step() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.0002, 3 * RATE).astype(np.float32)
    signal = spoken(1.0, 0.7, 1.0)
    signal = signal + hiss[: len(signal)]

    made, _ = with_pauses(signal, RATE, [Mark(0.5, 0.2)], 0.2)

    assert np.abs(np.diff(made)).max() <= np.abs(np.diff(signal)).max() * 1.01


def test_moments_move_with_what_was_added_before_them() -> None:
    edits = [PauseEdit(1.0, 0.25), PauseEdit(2.0, -0.5)]

    assert [moved(at, edits) for at in (0.5, 1.5, 2.5)] == [0.5, 1.75, 2.25]
