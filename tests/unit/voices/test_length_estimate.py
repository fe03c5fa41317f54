"""The one guess of all lengths is made from the words as they are said (Q48)."""

from __future__ import annotations

import pytest

from lib.voices import audio_seconds, estimated_audio_s

RATE = 20.0


def test_a_number_is_as_long_as_its_words() -> None:
    assert estimated_audio_s("1999", RATE) == estimated_audio_s("nineteen ninety nine", RATE)


def test_a_word_is_as_long_as_what_is_said_for_it() -> None:
    long = estimated_audio_s("Ask Xi.", RATE, pronounce={"Xi": "somebody altogether different"})

    assert long > estimated_audio_s("Ask Xi.", RATE)


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("One. Two.", "One, two."),
        ("One, two.", "One two."),
        ("One.\n\nTwo.", "One. Two."),
        ("One. [pause 3s] Two.", "One. Two."),
    ],
)
def test_silence_counts(longer: str, shorter: str) -> None:
    assert estimated_audio_s(longer, RATE) > estimated_audio_s(shorter, RATE)


def test_who_speaks_twice_as_fast_is_done_in_half_the_time_but_for_breaks_that_were_asked_for() -> None:
    script = "a" * 200
    assert audio_seconds(script, RATE, 2.0) == pytest.approx(audio_seconds(script, RATE) / 2, abs=0.1)

    with_break = f"{script}. [pause 4s] {script}"
    assert audio_seconds(with_break, RATE, 2.0) > 4.0


def test_line_ends_of_windows_end_paragraphs_too() -> None:
    assert audio_seconds("One.\r\n\r\nTwo.", RATE) == audio_seconds("One.\n\nTwo.", RATE)


def test_links_are_as_long_as_their_word() -> None:
    assert audio_seconds("Say [tomato](/təmˈɑːtoʊ/) now.", RATE) == audio_seconds("Say tomato now.", RATE)


def test_another_language_is_taken_as_it_stands() -> None:
    assert estimated_audio_s("1999", RATE, language="German") == audio_seconds("1999", RATE)
    assert audio_seconds("1914 1918", RATE) > audio_seconds("a", RATE) + 1.0  # each digit is a word


@pytest.mark.parametrize(
    "with_break",
    [
        "One. [pause 3s] Two.",
        "One.\n\n[pause 1s] [pause 2s]\n\nTwo.",
        "One, [pause 3s] two.",
        "One [pause 3s] two.",
        'One." [pause 1.5s] Two. [pause 1.5s]',
    ],
)
def test_a_break_stands_in_place_of_the_usual_silence(with_break: str) -> None:
    """Lines with breaks of 2 s between paragraphs were taken for half as long again as they are."""
    assert audio_seconds(with_break, RATE) == pytest.approx(3.0 + audio_seconds("One Two", RATE), abs=0.06)
