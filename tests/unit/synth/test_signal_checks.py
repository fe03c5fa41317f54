"""Each check of the signal finds what it is for, and nothing in sound speech (V6, V7)."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.audio.levels import Samples
from synth.audio.measures import measure_piece, measure_take
from synth.audio.repeats import likeness
from synth.audio.trim import trim
from synth.engines import Speech
from synth.speech.heard_pieces import HeardPiece, hear_piece
from synth.speech.speaking_pace import SpeakingPace
from synth.verify import CHECKS, Due, ExaminedPiece, UsualRate, due_of, faults_of
from tests.unit.synth.fakes import RATE, babble, hum

USUAL = UsualRate(15.0, 0.30)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def between(lead: float, sound: Samples, trail: float) -> Samples:
    return np.concatenate([quiet(lead), sound, quiet(trail)])


def wandering(seconds: float, seed: int = 1) -> Samples:
    """Noise whose colour and level change every tenth of a second, as those of speech do."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(round(seconds * 10)):
        colour = np.convolve(rng.normal(0, 1, RATE // 10), rng.normal(0, 1, 12), "same")
        parts.append(colour * 10 ** rng.uniform(-1.4, -0.5) / np.abs(colour).max())
    return np.concatenate(parts).astype(np.float32)


def noise(seconds: float, level: float) -> Samples:
    return np.random.default_rng(3).normal(0, level, round(seconds * RATE)).astype(np.float32)


def due(sounds: int | None = 30, **changes: Any) -> Due:
    return replace(Due(words=8, letters=38, sounds=sounds, usual=USUAL), **changes)


def found(signal: Samples, wanted: Due | None = None) -> dict[str, str]:
    """The checks that find something, each with its sentence."""
    trimmed = trim(signal, RATE)
    wanted = due() if wanted is None else wanted
    measures = measure_piece(signal, trimmed, RATE, wanted.sounds)
    return {
        fault.check: fault.why for fault in faults_of(ExaminedPiece(signal, RATE, trimmed, measures, wanted))
    }


SOUND = between(0.3, babble(2.0), 0.4)


def test_sound_speech_has_no_faults() -> None:
    assert found(SOUND) == {}
    assert found(between(0.0, babble(2.0), 0.07), due(least_lead_s=0.0)) == {}


#: Each breaks one thing; the sentence holds the number.
BROKEN: dict[str, tuple[Samples, Due, str]] = {
    "rate": (between(0.3, wandering(4.0), 0.4), due(), "7.5 sounds a second, not about 15.0"),
    "length": (between(0.3, wandering(9.0), 0.4), due(None, usual=None), "a text of 8 words takes 7.5 s"),
    "gap": (np.concatenate([between(0.3, babble(1.0), 1.3), babble(1.0), quiet(0.3)]), due(), "for 1.3 s"),
    "margins": (between(0.3, babble(2.0), 1.6), due(), "for 1.6 s after the last"),
    "cut_off": (between(0.3, babble(2.0), 0.0), due(), "0 ms after its last sound"),
    "cut_start": (between(0.0, babble(2.1)[RATE // 10 :], 0.4), due(), "the start is cut off"),
    "clipped": (np.clip(between(0.3, babble(2.0, level=0.4), 0.4), -0.3, 0.3), due(), "are clipped"),
    "offset": (SOUND + np.float32(0.05), due(), "+0.050 of full scale"),
    "quiet": (between(0.3, babble(2.0, level=0.008), 0.4), due(22), "dBFS"),
    "noise": (between(0.3, babble(2.0), 0.4) + noise(2.7, 0.02), due(usual=None, sounds=None), "dB apart"),
    "murmur": (
        between(0.3, np.concatenate([babble(1.0), noise(1.1, 0.01)]), 0.4),
        due(),
        "evenly for 1.2 s",
    ),
    "repeat": (
        between(0.3, np.concatenate([wandering(2.0), wandering(2.0)[-RATE:]]), 0.4),
        due(32),
        "said twice",
    ),
}


def test_all_checks_are_tried() -> None:
    assert set(BROKEN) == set(CHECKS)


@pytest.mark.parametrize("check", sorted(BROKEN))
def test_each_check_finds_what_it_is_for_with_its_number(check: str) -> None:
    """V6: one at a time, so that switching one check off turns this red."""
    signal, wanted, sentence = BROKEN[check]

    assert sentence in found(signal, wanted)[check]


@pytest.mark.parametrize("check", sorted(set(BROKEN) - {"noise"}))
def test_most_damage_is_found_by_no_other_check(check: str) -> None:
    """So that each is needed."""
    signal, wanted, _ = BROKEN[check]

    assert set(found(signal, wanted)) == {check}


class TestTheRate:
    def test_too_quick_is_found_as_too_slow_is(self) -> None:
        assert "much quicker" in found(between(0.3, babble(1.0), 0.4), due(30))["rate"]
        assert "rate" not in found(between(0.3, babble(1.6), 0.4), due(30))

    def test_follows_the_speed_that_was_asked_for(self) -> None:
        assert "rate" in found(between(0.3, babble(1.2), 0.4), due(30))
        assert "rate" not in found(between(0.3, babble(1.2), 0.4), due(30, speed=1.8, letters=30))

    def test_short_lines_may_be_drawn_out_and_must_end(self) -> None:
        """V6: "Me." and "When?"."""
        assert found(between(0.3, babble(0.6), 0.4), due(2, words=1, letters=2)) == {}
        assert "so short a text" in found(between(0.3, babble(1.5), 0.4), due(2, words=1, letters=2))["rate"]

    def test_is_not_judged_where_it_is_not_known(self) -> None:
        assert "rate" not in found(between(0.3, babble(4.0), 0.4), due(None))
        assert "rate" not in found(between(0.3, babble(4.0), 0.4), due(usual=None))

    def test_is_judged_by_letters_where_the_engine_counts_no_sounds(self) -> None:
        letters = UsualRate(14.0, 0.5, "letters")

        assert "letters a second" in found(between(0.3, babble(5.0), 0.4), due(None, usual=letters))["rate"]
        assert found(between(0.3, wandering(3.5), 0.4), due(None, usual=letters)) == {}

    def test_of_a_take_counts_no_short_lines(self) -> None:
        def piece(seconds: float, sounds: int) -> HeardPiece:
            speech = Speech(between(0.3, babble(seconds), 0.4), RATE, sounds)
            return hear_piece("Me.", speech, SpeakingPace(USUAL))

        pieces = [piece(0.36, 2), piece(4.0, 30)]
        measures = [heard.measures for heard in pieces]
        take = measure_take(measures, [heard.due.expected_s for heard in pieces])

        assert take.rate == pytest.approx(7.5, rel=0.02)
        assert take.rate_deviation == pytest.approx(2.17 / 4.0 - 1, abs=0.02)
        assert measure_take(measures, (None, None)).rate_deviation is None


class TestTheMurmur:
    @pytest.mark.parametrize("level", [0.002, 0.01, 0.1])
    def test_is_found_however_loud_it_is_and_though_it_ends(self, level: float) -> None:
        tail = np.concatenate([babble(2.0), noise(2.0, level)])

        assert "murmur" in found(between(0.3, tail, 0.4), due(60))

    def test_is_found_where_it_moves_far_below_speech(self) -> None:
        tail = np.concatenate([babble(2.0), babble(0.8, level=0.008)])

        assert "after the last word" in found(between(0.3, tail, 0.4), due(42))["murmur"]

    def test_is_no_last_syllable(self) -> None:
        tail = np.concatenate([babble(2.0), babble(0.3, level=0.008)])

        assert found(between(0.3, tail, 0.4), due(34)) == {}


class TestTheRepeat:
    TWICE = between(0.3, np.concatenate([wandering(2.0), wandering(2.0)[-RATE:]]), 0.4)

    def test_is_no_fault_where_the_text_says_it_twice(self) -> None:
        assert found(self.TWICE, due(32, repeats=True)) == {}
        assert due_of("No more of it. I said no more of it.").repeats
        assert due_of("Constantinople! Constantinople!").repeats
        assert not due_of("The cat and the dog and the cow.").repeats

    def test_is_not_looked_for_where_nothing_is_too_long(self) -> None:
        assert found(self.TWICE, due(44)) == {}

    def test_of_other_words_is_none(self) -> None:
        assert likeness(np.concatenate([wandering(2.0), wandering(1.0, seed=9)]), RATE) < 0.9


class TestWhatIsClipped:
    def test_is_seen_at_any_level(self) -> None:
        """Cut off and made quieter since, it is as broken."""
        clipped = np.clip(between(0.3, babble(2.0, level=0.9), 0.4) * 2, -1, 1)

        assert "clipped" in found((clipped * 0.3).astype(np.float32))

    def test_is_no_loud_peak(self) -> None:
        assert "clipped" not in found(between(0.3, babble(2.0, level=1.4), 0.4))


def test_what_is_due_counts_signs_of_scripts_without_blanks() -> None:
    chinese = due_of("从前有一座山，山里有一座庙。", usual=UsualRate(14.0, 0.5, "letters"))

    assert (chinese.words, chinese.usual) == (6, None)
    assert due_of("It's the B B C.").words == 5


def test_what_is_due_knows_no_pace_of_digits_and_signs() -> None:
    """Where the front-end does not read the language, its engine says them as words."""
    german = due_of("Das kostet 21 € am 3. Mai.", usual=UsualRate(15.3, 0.5, "letters"))

    assert (german.usual, german.words) == (None, 6 + 4)
    assert due_of("It costs 21.", sounds=9, usual=USUAL).usual == USUAL


def test_no_sound_at_all_is_a_fault_of_its_own() -> None:
    assert [
        fault.check for fault in hear_piece("One.", Speech(quiet(1.0), RATE, 3), SpeakingPace()).faults
    ] == ["no_sound"]


ANY = (
    st.text(max_size=40),
    st.sampled_from([hum, babble, lambda s: noise(s, 0.1), quiet, lambda s: noise(s, 1e-20)]),
    st.floats(0.0, 1.5),
    st.one_of(st.none(), st.integers(0, 1000)),
    st.sampled_from([0.5, 1.0, 2.0]),
)


def check_any(
    text: str, make: Callable[[float], Samples], seconds: float, sounds: int | None, speed: float
) -> None:
    """Whatever is found, it is said in a sentence."""
    heard = hear_piece(text, Speech(make(seconds), RATE, sounds), SpeakingPace(USUAL, speed=speed))

    assert all(fault.why.endswith(".") for fault in heard.faults)


test_no_text_and_no_sound_crashes_it = settings(max_examples=300, deadline=None)(given(*ANY)(check_any))
test_no_text_of_thousands_crashes_it = pytest.mark.timeout(900)(
    pytest.mark.soak(settings(max_examples=5_000, deadline=None)(given(*ANY)(check_any)))
)


def test_the_breath_of_a_lone_sound_may_be_cut_off_and_that_of_a_sentence_not() -> None:
    """hibari's "A!" ends in a breath, at once."""
    fading = np.concatenate([quiet(0.3), babble(0.4), babble(0.2, level=0.002)])

    assert found(fading, due(1, words=1, letters=1)) == {}
    assert set(found(fading, due(9, words=1, letters=8))) == {"cut_off"}


@pytest.mark.timeout(900)
@pytest.mark.soak
def test_two_thousand_pieces_take_no_more_memory_than_two_hundred() -> None:
    speech, pace = Speech(SOUND, RATE, 30), SpeakingPace(USUAL)
    twice = Speech(TestTheRepeat.TWICE, RATE, 32)  # for which spectra are made, too
    tracemalloc.start()
    try:
        for number in range(2_000):
            if number == 200:
                before, _ = tracemalloc.get_traced_memory()
            hear_piece(
                "A sentence of some eight words, about so.", twice if number % 50 == 0 else speech, pace
            )
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 64 * 1024
