"""When words sound, from what the library of eSpeak NG tells of some of them."""

from __future__ import annotations

import numpy as np
import pytest

from lib.records import WordTiming
from synth.engines.espeak.words import Mention, word_timings

RATE = 1000
SOUND = np.full(4 * RATE, 0.1, np.float32)


def told(*mentions: tuple[int, float]) -> list[Mention]:
    return [Mention(place, at_s) for place, at_s in mentions]


def test_a_word_ends_with_its_last_sound() -> None:
    samples = SOUND.copy()
    samples[1500:2000] = 0.001

    assert word_timings("Ja, ja.", "German", told((0, 0.0), (4, 2.0)), samples, RATE) == (
        WordTiming("Ja", 0.0, 1.5),
        WordTiming("ja", 2.0, 4.0),
    )


def test_words_of_one_breath_share_its_time_by_their_letters() -> None:
    words = word_timings("on the way", "English", told((0, 0.0), (7, 2.5)), SOUND, RATE)

    assert words == (
        WordTiming("on", 0.0, 1.0, "estimated"),
        WordTiming("the", 1.0, 2.5, "estimated"),
        WordTiming("way", 2.5, 4.0),
    )


def test_a_number_that_is_told_in_parts_is_one_word() -> None:
    words = word_timings("um 5,50 €.", "German", told((0, 0.0), (3, 1.0), (4, 2.0), (5, 3.0)), SOUND, RATE)

    assert words == (WordTiming("um", 0.0, 1.0), WordTiming("5,50", 1.0, 4.0))


def test_a_text_whose_first_word_is_not_told_begins_with_the_first_that_is() -> None:
    words = word_timings("§ ein Wort", "German", told((0, 0.5), (6, 1.0)), SOUND, RATE)

    assert [(word.text, word.start) for word in words] == [("ein", 0.5), ("Wort", 1.0)]


@pytest.mark.parametrize("language", ["Chinese", "Japanese"])
def test_a_language_without_blanks_has_none(language: str) -> None:
    assert word_timings("今天 很好", language, told((0, 0.0), (3, 1.0)), SOUND, RATE) == ()


def test_a_text_of_which_nothing_is_told_has_none() -> None:
    assert word_timings("ein Wort", "German", [], SOUND, RATE) == ()
