"""Word timings travel from the engine to the take, and stay at the sound they belong to (V10)."""

from __future__ import annotations

import numpy as np
import pytest

from lib.clock import ManualClock
from synth.engines import Speech, Utterance, WordTiming
from synth.speech.performance import perform
from synth.speech.takes import RawTake
from tests.unit.synth.fakes import RATE, HummingEngine, hum, placed, request

LEAD_S, WORD_S, PAUSE_S = 0.31, 0.25, 0.15


class Telling(HummingEngine):
    """Hums each word at a level of its own, with silence around, and tells when."""

    def _hum(self, utterance: Utterance) -> Speech:
        words = utterance.text.split()
        parts = [hum(LEAD_S, level=0.0)]
        told = []
        for number, word in enumerate(words):
            begin = sum(map(len, parts)) / RATE
            told.append(WordTiming(word, begin, begin + WORD_S))
            parts += [hum(WORD_S, level=0.1 + 0.05 * number), hum(PAUSE_S, level=0.0)]
        return Speech(np.concatenate([*parts, hum(0.4, level=0.0)]), RATE, 5, tuple(told))


def told(text: str, engine: HummingEngine) -> RawTake:
    return perform(request(text), engine, ManualClock(), lambda *_: None).takes[0]


def test_each_word_sounds_when_it_says_in_the_trimmed_and_joined_take() -> None:
    take = told("One two. Three.\n\nFour five six.", Telling())

    assert [word.text for word in take.words] == ["One", "two.", "Three.", "Four", "five", "six."]
    ends = [0.0, *(word.end for word in take.words)]
    for before, word in zip(ends, take.words, strict=False):
        sounding = take.samples[round(word.start * RATE) : round(word.end * RATE)]
        silence = take.samples[round(before * RATE) : round(word.start * RATE)]
        assert np.sqrt(np.square(sounding).mean()) > 0.05
        assert np.abs(silence).max(initial=0.0) < 1e-3


def test_they_begin_later_by_the_pauses_between_pieces() -> None:
    take = told("One.\n\nTwo.", Telling())

    first, second = take.words
    assert first.start == pytest.approx(0.06, abs=0.02)  # the margin that trimming keeps
    assert second.start - first.end > 0.5  # a paragraph's pause
    assert second.end <= len(take.samples) / RATE
    assert {word.source for word in take.words} == {"engine"}


def test_a_word_beyond_what_was_trimmed_stays_inside_the_take() -> None:
    class Early(Telling):
        def _hum(self, utterance: Utterance) -> Speech:
            speech = super()._hum(utterance)
            return Speech(speech.samples, RATE, 5, (WordTiming("One.", -1.0, 99.0),))

    take = told("One.", Early())

    assert take.words[0].start == 0.0
    assert take.words[0].end == pytest.approx(len(take.samples) / RATE)


def test_an_engine_that_tells_none_gives_none() -> None:
    assert told("One. Two.", HummingEngine()).words == ()


def test_no_timings_are_better_than_those_of_some_pieces() -> None:
    class Half(Telling):
        def _hum(self, utterance: Utterance) -> Speech:
            speech = super()._hum(utterance)
            return speech if "One" in utterance.text else Speech(speech.samples, RATE, 5)

    assert told("One. Two.", Half()).words == ()


def test_places_are_where_the_pieces_lie() -> None:
    pieces, pauses = [hum(0.3, 150), hum(0.2, 200), hum(0.1, 300)], [0.18, 0.9, 0.35]

    whole, starts = placed(pieces, pauses)

    for piece, place in zip(pieces, starts, strict=True):
        assert np.array_equal(whole[place : place + len(piece)], piece)
